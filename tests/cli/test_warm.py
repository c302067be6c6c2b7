"""``tts-toolkit warm``."""

import pytest


@pytest.fixture
def grammars(monkeypatch, tmp_path):
    """What is compiled, with nothing that takes long."""
    from tts_toolkit.engines.indextts import grammar, speakable

    made = []

    def build(lang):
        made.append(lang)
        return {"a grammar of": lang}

    monkeypatch.setattr(grammar, "_build_nemo", build)
    monkeypatch.setattr(grammar, "normaliser", {"en": "nemo", "zh": "nemo", "es": "nemo"}.get)
    monkeypatch.setattr(speakable, "normaliser", {"en": "nemo", "zh": "nemo", "es": "nemo"}.get)
    monkeypatch.setenv("TTS_TOOLKIT_HOME", str(tmp_path))
    return made


def warm(*arguments):
    from click.testing import CliRunner

    from tts_toolkit.cli import cli

    return CliRunner().invoke(cli, ["warm", *arguments], catch_exceptions=False)


def test_a_language_is_compiled_once_and_then_ready(grammars, tmp_path):
    done = warm("--lang", "en")
    assert done.exit_code == 0
    assert done.output.startswith("en: ready in ")
    assert list((tmp_path / "grammars").iterdir())
    assert "en: ready in 0 s" in warm("--lang", "en").output
    assert grammars == ["en"]


def test_without_a_language_all_are_and_what_is_missing_is_said(grammars):
    lines = warm().output.splitlines()
    assert grammars == ["en", "zh", "es"]
    assert [line.partition(":")[0] for line in lines] == ["en", "zh", "ja", "es", "ar"]
    assert "pip install 'tts-toolkit[ja]'" in lines[2]
    assert lines[4] == "ar: nothing to compile"


def test_another_language_is_a_usage_error(cli):
    done = cli("warm", "--lang", "fr")
    assert done.returncode == 2
    assert "'fr' is not one of 'en', 'zh', 'ja', 'es', 'ar'" in done.stderr
