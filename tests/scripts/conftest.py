from __future__ import annotations

import pytest

from tts_toolkit.scripts.read import read_scripts


@pytest.fixture
def read(script, monkeypatch, tmp_path):
    """Write a script and read it, from the folder where it lies."""
    monkeypatch.chdir(tmp_path)

    def write_and_read(text, name="script.txt", **how):
        script(text, name)
        return read_scripts([name], **how)

    return write_and_read
