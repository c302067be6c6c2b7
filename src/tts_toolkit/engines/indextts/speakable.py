"""What IndexTTS-2.5 can say at all, judged without the model and without grammars."""

from __future__ import annotations

import platform
import re
from importlib.util import find_spec

from tts_toolkit.config import LANGUAGES as CHOICES
from tts_toolkit.rule import hint
from tts_toolkit.text.writing import has_content, language, writing_systems

LANGUAGES = tuple(code for code in CHOICES if code != "auto")
# <word|pronunciation>, as in <going|G OW1 . IH0 NG> or <行|XING2>: the form that indextts25 reads.
ANNOTATION = re.compile(r"<([^|>\n]+)\|([^>\n]+)>")

_NAMES = {"en": "English", "zh": "Chinese", "ja": "Japanese", "es": "Spanish", "ar": "Arabic"}
_READABLE = {"Latin", "Han", "kana", "Arabic"}
# A Greek letter alone is a symbol (5 Ω), which a normaliser reads by name.
_GREEK_WORD = re.compile(r"[\u0370-\u03ff\u1f00-\u1fff]{2,}")
_SHOWN = 60  # characters of a text that an error repeats


def resolve(text: str, lang: str) -> str:
    """The language of ``text``: ``lang`` itself in lower case, or what "auto" sees in the text."""
    lang = lang.lower()
    return language(text) if lang == "auto" else lang


def unspeakable(text: str, lang: str, *, normalize: bool = True) -> str:
    """Why ``text`` can't be said, and what to do, or "".

    A text that passes may still be left with nothing to say by its normaliser; then
    ``Frontend.segments`` says so.

    Args:
        text: as the user wrote it.
        lang: a code, or "auto".
        normalize: whether numbers and symbols are to be written out, which takes a normaliser.
    """
    code = resolve(text, lang)
    spoken = ", ".join(LANGUAGES)
    if code not in LANGUAGES:
        if lang.lower() == "auto":
            return (
                f"the text looks like {code!r}, which IndexTTS-2.5 does not speak; if it is one "
                f"of {spoken}, say which (--lang)"
            )
        near = hint(code, LANGUAGES)
        return f"IndexTTS-2.5 does not speak {lang!r}{near}: its languages are {spoken}"
    # What counts of an annotation is how it is to be said, not the word that it stands on.
    said = ANNOTATION.sub(r" \2 ", text)
    if not has_content(said):
        return nothing_in(text)
    systems = writing_systems(said)
    if systems == ("Greek",) and not _GREEK_WORD.search(said):
        systems = ()
    if systems and not _READABLE & set(systems):
        return f"IndexTTS-2.5 speaks {spoken} and can't read {' and '.join(systems)} script"
    return missing_normaliser(code) if normalize else ""


def nothing_in(text: str) -> str:
    """The error for a text without anything that sounds."""
    short = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
    return f"there is nothing to pronounce in {short!r}"


def missing_normaliser(lang: str) -> str:
    """Why texts in ``lang`` can't be normalised on this machine, and what to do, or "".

    Args:
        lang: one of ``LANGUAGES``.
    """
    without = "or pass it as it is with --no-normalize"
    name = _NAMES[lang]
    if lang == "ar" or normaliser(lang):  # Arabic is read as it is: nothing here normalises it
        return ""
    if lang == "ja":
        return f"{name} needs a word splitter: pip install 'tts-toolkit[ja]', {without}"
    here = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    nemo = (
        f"{name} can't be normalised: NeMo's text processing is not installed (it comes for Linux "
        f"x86_64 below Python 3.14; this is {here})"
    )
    if lang == "es":
        return f"{nemo}; write numbers out and use --no-normalize"
    return f"{nemo}; another normaliser comes with: pip install 'tts-toolkit[zh]', {without}"


def normaliser(lang: str) -> str:
    """Which package prepares texts in ``lang`` here: "wetext", "nemo", "mecab", or "" for none.

    The order is indextts25's: WeTextProcessing, where it is installed, reads Chinese and English.
    """
    if lang in {"en", "zh"} and find_spec("tn" if platform.system() == "Linux" else "wetext"):
        return "wetext"
    if lang in {"en", "zh", "es"} and find_spec("nemo_text_processing"):
        return "nemo"
    if lang == "ja" and (find_spec("fugashi") or find_spec("MeCab")):
        return "mecab"
    return ""
