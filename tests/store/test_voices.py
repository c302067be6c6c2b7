from __future__ import annotations

import hashlib
import urllib.request

import pytest

from tts_toolkit.errors import DownloadError, OptionError
from tts_toolkit.store.voices import download_voice, installed_path, registry, voices


@pytest.fixture
def network(monkeypatch):
    """What the network would answer, or the error that it would give; counts the questions."""
    asked = []

    def answer(with_what):
        def urlopen(url, **_):
            asked.append(url)
            if isinstance(with_what, Exception):
                raise with_what
            return with_what.open("rb")

        monkeypatch.setattr(urllib.request, "urlopen", urlopen)
        return asked

    return answer


def test_the_embedded_voice_is_first_and_here_as_published():
    first, *others = voices()
    assert (first.name, first.accent, first.gender, first.installed) == (
        "heart",
        "American",
        "female",
        True,
    )
    data = installed_path("heart").read_bytes()
    assert len(data) == first.size
    assert hashlib.sha256(data).hexdigest() == registry()["heart"]["sha256"]
    assert others
    assert not any(voice.installed for voice in others)


def test_looking_for_a_voice_never_fetches_it(network):
    asked = network(OSError("no network"))
    assert installed_path("emma") is None
    voices()
    assert asked == []


def test_a_voice_that_is_here_needs_no_network(network):
    asked = network(OSError("no network"))
    assert download_voice("heart") == installed_path("heart")
    assert download_voice("heart", offline=True) == installed_path("heart")
    assert asked == []


def test_an_unknown_voice_is_refused_with_the_nearest():
    with pytest.raises(OptionError, match=r"no voice is called 'ema'\. Did you mean \"emma\"\?"):
        download_voice("ema")


def test_offline_says_so(network):
    asked = network(OSError("no network"))
    with pytest.raises(DownloadError, match="'emma' is not on this machine, and offline is set"):
        download_voice("emma", offline=True)
    assert asked == []


def test_a_download_that_fails_names_the_address(network):
    network(OSError("no route"))
    with pytest.raises(DownloadError, match=r"^could not download https://\S+ \(no route\)"):
        download_voice("emma")
    assert installed_path("emma") is None


def test_a_file_that_is_not_what_was_published_is_not_used(network, tmp_path):
    (tmp_path / "wrong").write_bytes(b"not a voice")
    network(tmp_path / "wrong")
    with pytest.raises(DownloadError, match="does not match"):
        download_voice("emma")
    assert installed_path("emma") is None


def test_a_download_that_is_as_published_is_kept(network, tmp_path, monkeypatch):
    data = b"a voice"
    (tmp_path / "right").write_bytes(data)
    entry = {**registry()["emma"], "sha256": hashlib.sha256(data).hexdigest()}
    from hibari.voices import VOICES

    monkeypatch.setitem(VOICES, "emma", entry)
    asked = network(tmp_path / "right")
    path = download_voice("emma")
    assert path.read_bytes() == data
    assert installed_path("emma") == path
    assert download_voice("emma") == path
    assert len(asked) == 1
