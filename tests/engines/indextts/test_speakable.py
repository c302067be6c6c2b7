from __future__ import annotations

import subprocess
import sys

import pytest

from tts_toolkit.engines.indextts import speakable
from tts_toolkit.engines.indextts.speakable import normaliser, resolve, unspeakable


@pytest.fixture
def installed(monkeypatch):
    """Say which packages there are."""

    def installed(*names):
        monkeypatch.setattr(speakable, "find_spec", lambda name: name if name in names else None)

    installed("nemo_text_processing", "fugashi")
    return installed


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("Hello.", "en"),
        ("Hello.", "EN"),
        ("42", "en"),
        ("%", "en"),
        ("5 Ω", "en"),
        ("Ω", "en"),
        ("你好", "zh"),
        ("你好", "auto"),
        ("こんにちは", "auto"),
        ("مرحبا", "auto"),
        ("¿Qué?", "es"),
        ("Say Привет.", "en"),
        ("<行|XING2>", "zh"),
        ("<-|K>", "en"),
    ],
)
def test_what_can_be_said(installed, text, lang):
    assert unspeakable(text, lang) == ""


@pytest.mark.parametrize(
    ("text", "lang", "reason"),
    [
        ("...", "en", "there is nothing to pronounce in '...'"),
        ("<word|.>", "en", "there is nothing to pronounce"),
        ("!" * 500, "en", "there is nothing to pronounce in '" + "!" * 60 + "…'"),
        ("Bonjour", "fr", "does not speak 'fr': its languages are en, zh, ja, es, ar"),
        ("Привет", "auto", "looks like 'ru', which IndexTTS-2.5 does not speak"),
        ("한국어", "auto", "looks like 'ko'"),
        ("Привет", "en", "can't read Cyrillic script"),
        ("ภาษาไทย 5", "auto", "can't read Thai script"),
        ("Καλημέρα", "en", "can't read Greek script"),
    ],
)
def test_what_cannot(installed, text, lang, reason):
    assert reason in unspeakable(text, lang)


def test_arabic_needs_no_normaliser(installed):
    installed()
    assert unspeakable("مرحبا", "ar") == ""


@pytest.mark.parametrize(
    ("lang", "text", "advice"),
    [
        ("ja", "こんにちは", "pip install 'tts-toolkit[ja]'"),
        ("zh", "你好", "pip install 'tts-toolkit[zh]'"),
        ("en", "Hello", "pip install 'tts-toolkit[zh]'"),
        ("es", "Hola", "write numbers out"),
    ],
)
def test_a_missing_normaliser_is_named_or_can_be_left_out(installed, lang, text, advice):
    installed()
    reason = unspeakable(text, lang)
    assert advice in reason
    assert "--no-normalize" in reason
    assert unspeakable(text, lang, normalize=False) == ""


def test_where_nemo_is_not_published_it_says_so(installed, monkeypatch):
    installed()
    monkeypatch.setattr(speakable.platform, "system", lambda: "Darwin")
    monkeypatch.setattr(speakable.platform, "machine", lambda: "arm64")
    reason = unspeakable("Hola", "es")
    assert "Linux x86_64 below Python 3.14" in reason
    assert "Darwin arm64" in reason


def test_the_order_of_normalisers_is_indextts25s(installed, monkeypatch):
    monkeypatch.setattr(speakable.platform, "system", lambda: "Linux")
    installed("tn", "nemo_text_processing", "MeCab")
    found = {lang: normaliser(lang) for lang in speakable.LANGUAGES}
    assert found == {"en": "wetext", "zh": "wetext", "es": "nemo", "ja": "mecab", "ar": ""}
    monkeypatch.setattr(speakable.platform, "system", lambda: "Darwin")
    assert normaliser("en") == "nemo"
    installed("wetext")
    assert normaliser("zh") == "wetext"


def test_auto_is_what_the_text_looks_like():
    assert resolve("日本語です", "auto") == "ja"
    assert resolve("日本語です", "ZH") == "zh"


def test_it_is_judged_without_the_model():
    program = (
        "import sys; from tts_toolkit.engines.indextts.speakable import unspeakable; "
        "unspeakable('Hello 5', 'en'); "
        "sys.exit(bool({'torch', 'transformers', 'indextts25', 'pynini'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
