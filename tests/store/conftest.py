from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from hub_server import HubServer, catalogue_of
from toy_model import FILES
from tts_toolkit.store import catalogue, models
from tts_toolkit.store.download import download_model
from tts_toolkit.store.hub import Patience

if TYPE_CHECKING:
    from pathlib import Path

HURRIED = Patience(attempts=4, first_wait=0.01, longest_wait=0.3, silence=0.5)


@pytest.fixture(autouse=True)
def _here(monkeypatch, tmp_path):
    """No test touches the store of whoever runs it, or has their token."""
    monkeypatch.setenv("TTS_TOOLKIT_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("HF_TOKEN", raising=False)


@pytest.fixture
def toy(monkeypatch, tmp_path) -> Path:
    """A model of four small files; the file with its catalogue."""
    text = json.dumps(catalogue_of(FILES))
    known = catalogue.read_catalogue(text)
    monkeypatch.setattr(catalogue, "catalogue", lambda: known)
    monkeypatch.setattr(models, "catalogue", lambda: known)
    path = tmp_path / "catalogue.json"
    path.write_text(text)
    return path


@pytest.fixture
def hub(toy):
    with HubServer(dict(FILES)) as server:
        yield server


@pytest.fixture
def download(hub, tmp_path):
    """Download the toy from the local server; the folder, and what was noted."""

    def run(folder=tmp_path / "toy", **more):
        notes = more.pop("notes", [])
        options = {"accept_license": True, "endpoint": hub.endpoint, "patience": HURRIED}
        return download_model("toy", folder, on_note=notes.append, **(options | more))

    return run
