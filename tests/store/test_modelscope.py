"""ModelScope's own library against a local server that speaks its protocol."""

from __future__ import annotations

import sys

import pytest

from toy_model import FILES, whole
from tts_toolkit.errors import DownloadError, MissingError


@pytest.fixture
def scope(monkeypatch, tmp_path):
    """A ModelScope that has the toy's files; its library keeps what it keeps in the test."""
    monkeypatch.setenv("MODELSCOPE_CACHE", str(tmp_path / "scope-cache"))
    monkeypatch.setenv("MODELSCOPE_HOME", str(tmp_path / "scope-home"))


def test_without_its_library_the_extra_is_named(toy, download, monkeypatch):
    monkeypatch.setitem(sys.modules, "modelscope_hub", None)
    with pytest.raises(MissingError, match=r"pip install 'tts-toolkit\[modelscope\]'"):
        download(source="modelscope")


def test_files_come_through_its_library_and_are_held_against_the_same_hashes(scope, hub, download):
    folder = download(source="modelscope")
    assert whole(folder)
    assert {one.path.partition("?")[0] for one in hub.requests} >= {
        "/api/v1/models/owner/model/repo"
    }


def test_a_file_that_is_another_is_refused(scope, hub, download, tmp_path):
    hub.files["owner/model", "config.yaml"] = b"version: 2.6\n"
    with pytest.raises(DownloadError, match=r"config\.yaml: .*twice, so it is refused"):
        download(source="modelscope")
    assert not (tmp_path / "toy" / "config.yaml").exists()


def test_a_file_that_is_not_there_is_told(scope, hub, download):
    del hub.files["owner/model", "config.yaml"]
    with pytest.raises(DownloadError, match=r"config\.yaml: ModelScope's owner/model"):
        download(source="modelscope")
    assert FILES
