from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tts_toolkit.text.writing import has_content, language, writing_systems


@pytest.mark.parametrize(
    ("text", "systems"),
    [
        ("Hello.", ("Latin",)),
        ("", ()),
        ("12:30, 50 % & 7!", ()),
        ("— … “” 😀 ™ €", ()),
        ("Über naïve Čapek, Łódź, ﬁne", ("Latin",)),
        ("\uff26\uff55\uff4c\uff4c", ("Latin",)),
        ("rock \u02bcn\u02bc roll, 1ˢᵗ", ("Latin",)),
        ("ー", ()),
        ("你好", ("Han",)),
        ("ひらがなカタカナ", ("kana",)),
        ("ｶﾀｶﾅ", ("kana",)),
        ("한국어", ("Hangul",)),
        ("مرحبا", ("Arabic",)),
        ("ﷺ", ("Arabic",)),
        ("Привет", ("Cyrillic",)),
        ("Καλημέρα", ("Greek",)),
        ("5 µm", ("Greek", "Latin")),
        ("שלום", ("Hebrew",)),
        ("हिन्दी", ("Devanagari",)),
        ("ภาษาไทย", ("Thai",)),
        ("ქართული", ("Georgian",)),
        ("አማርኛ", ("Ethiopic",)),
        ("日本語です, OK?", ("Han", "kana", "Latin")),
        ("OK 日本語", ("Latin", "Han")),
        ("Hi \U00020000", ("Latin", "Han")),
    ],
)
def test_the_writing_systems_of_letters_in_order_of_appearance(text, systems):
    assert writing_systems(text) == systems


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Hello.", "en"),
        ("", "en"),
        ("123", "en"),
        ("Grüße aus Köln", "en"),
        ("你好,世界", "zh"),
        ("日本語です", "ja"),
        ("カタカナ", "ja"),
        ("안녕하세요", "ko"),
        ("مرحبا", "ar"),
        ("Привет", "ru"),
        ("He said 你好.", "zh"),
    ],
)
def test_the_language_that_the_writing_suggests(text, code):
    assert language(text) == code


@pytest.mark.parametrize(
    "text", ["a", "7", "你", "\uff12", "½", "&", "50 %", "a + b", "$", "C#", "@"]
)
def test_what_can_be_read_aloud_has_content(text):
    assert has_content(text)


@pytest.mark.parametrize(
    "text", ["", " \t\n", "…", "?!", "—", "。、", "😀", "\u200b\ufeff", "()[]{}"]
)
def test_what_is_only_punctuation_has_none(text):
    assert not has_content(text)


@given(st.text(st.characters()))
def test_any_text_has_a_language_and_systems_with_names(text):
    systems = writing_systems(text)
    assert all(systems)
    assert len(set(systems)) == len(systems)
    assert language(text) in {"en", "zh", "ja", "ko", "ar", "ru"}
    assert bool(systems) <= has_content(text)


def test_every_character_is_judged_without_an_error():
    for code in range(sys.maxunicode + 1):
        writing_systems(chr(code))
