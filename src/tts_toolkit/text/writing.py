"""Writing systems: which scripts a text uses, and the language that this suggests."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

# The first words of Unicode's character names, and what we call their writing system.
_SYSTEMS = {
    "CJK": "Han",
    "HIRAGANA": "kana",
    "KATAKANA": "kana",
    "KATAKANA-HIRAGANA": "kana",
    "HALFWIDTH KATAKANA": "kana",
    "HANGUL": "Hangul",
    "ARABIC": "Arabic",
    "CYRILLIC": "Cyrillic",
    "GREEK": "Greek",
    "HEBREW": "Hebrew",
    "DEVANAGARI": "Devanagari",
    "THAI": "Thai",
    "LATIN": "Latin",
    "FULLWIDTH LATIN": "Latin",
}
_LANGUAGES = (("kana", "ja"), ("Han", "zh"), ("Hangul", "ko"), ("Arabic", "ar"), ("Cyrillic", "ru"))


def writing_systems(text: str) -> tuple[str, ...]:
    """The writing systems of the letters of ``text``, each once, in order of appearance.

    Digits, punctuation, symbols and emoji belong to none. A letter of a system that has no name
    here is reported by the first word of its Unicode name.
    """
    if text.isascii():
        return ("Latin",) if any(map(str.isalpha, text)) else ()
    return tuple(dict.fromkeys(system for system in map(_system, text) if system))


def language(text: str) -> str:
    """The language code that the writing of ``text`` suggests; "en" if nothing speaks against it.

    Kana anywhere means Japanese, since Japanese mixes it with Han.
    """
    systems = writing_systems(text)
    return next((code for system, code in _LANGUAGES if system in systems), "en")


def has_content(text: str) -> bool:
    """Whether ``text`` has a letter, a digit or a symbol that is read by name, such as & or %."""
    return any(char.isalnum() or char in "&%@+=/#*<>$£€¥~^" for char in text)


@lru_cache(maxsize=4096)
def _system(char: str) -> str:
    # Spacing and enclosing marks follow their letter; the ª, µ and ™ of Latin text are symbols.
    if not char.isalpha() or unicodedata.category(char) == "Lm":
        return ""
    name = unicodedata.name(unicodedata.normalize("NFKC", char)[0], "UNKNOWN")
    words = name.split()
    return _SYSTEMS.get(" ".join(words[:2])) or _SYSTEMS.get(words[0]) or words[0].title()
