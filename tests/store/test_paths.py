from __future__ import annotations

from pathlib import Path

import platformdirs

from tts_toolkit.store.paths import config_file


def test_the_config_file_is_where_the_environment_says(monkeypatch, tmp_path):
    monkeypatch.setenv("TTS_TOOLKIT_CONFIG", str(tmp_path / "mine.yaml"))
    assert config_file() == tmp_path / "mine.yaml"


def test_without_it_the_config_file_is_in_the_system_s_usual_place(monkeypatch):
    monkeypatch.delenv("TTS_TOOLKIT_CONFIG")
    assert config_file() == Path(platformdirs.user_config_dir("tts-toolkit"), "config.yaml")
