"""A text as the model reads it: numbers written out, punctuation of the model's own set."""

# ruff: noqa: RUF001 - punctuation of all five languages, each mark as it is written

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from indextts25.infer_v2_5 import apply_pronunciation_annotations
from indextts25.utils.ja_g2p import JapaneseG2PProcessor

from tts_toolkit.engines.indextts.boundaries import WHOLE
from tts_toolkit.engines.indextts.segments import sentences
from tts_toolkit.engines.indextts.speakable import ANNOTATION, normaliser
from tts_toolkit.errors import UnspeakableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tts_toolkit.engines.indextts.grammar import Grammars

_SPECIAL = re.compile(r"<\|([^|]+)\|>")
# NeMo's time grows with the square of a text's length (1,000 words: 10 s; 100: 0.5 s), so what is
# longer than so many words goes through it in parts of whole sentences.
_NEMO_WORDS = 100


class Reader:
    """What ``IndexTTS2._prepare_text`` of indextts25 does, without the model around it.

    Args:
        grammars: where normalisers come from.
    """

    def __init__(self, grammars: Grammars) -> None:
        self._grammars = grammars
        self._cleaner = grammars.cleaner
        self._splitter: Any = None

    def read(self, text: str, lang: str, *, normalize: bool, raw: bool) -> str:
        """``text`` as the model reads it, not yet cut.

        Args:
            text: as the user wrote it.
            lang: "en", "zh", "ja", "es" or "ar".
            normalize: whether a normaliser writes out numbers and symbols.
            raw: exactly as indextts25 reads it. There NeMo reads the marks of pronunciation
                annotations out by name and the Japanese word splitter takes them apart; otherwise
                they are kept from both, and long texts are normalised in parts.

        Raises:
            UnspeakableError: if the Japanese word splitter has no dictionary.
        """
        if lang not in {"es", "ja"}:
            # A colon is of use to the normaliser (14:30), the rest it would stumble over.
            text = self._clean(text, keep=":：" if normalize and lang in {"en", "zh"} else "")
        if normalize:
            text = self._normalise(text, lang, raw=raw)
        text = self._clean(text)
        if lang in {"ja", "zh", "en"}:
            text = text.lower()
        elif lang == "es":
            text = text.upper()
        text = str(apply_pronunciation_annotations(text))
        # Without normalising, and without the splitter, Japanese is read as it was written.
        if lang == "ja" and (normalize or normaliser("ja")):
            splitter = self._japanese()
            text = splitter(text) if raw else _outside(WHOLE, text, splitter)
        return _SPECIAL.sub(lambda token: f"<|{token[1].upper()}|>", text)

    def _clean(self, text: str, keep: str = "") -> str:
        table = self._cleaner.char_rep_map
        return str(
            self._cleaner.clean_pattern.sub(
                lambda found: found[0] if found[0] in keep else table[found[0]], text
            )
        )

    def _normalise(self, text: str, lang: str, *, raw: bool) -> str:
        if lang in {"ar", "ja"}:  # indextts25 has no normaliser for them
            return text
        if wetext := self._grammars.wetext(lang):
            return str(wetext.normalize(text, lang))
        if raw:
            return self._grammars.nemo(text, lang)
        return _outside(ANNOTATION, text, lambda part: self._in_parts(part, lang))

    def _in_parts(self, text: str, lang: str) -> str:
        if len(text.split()) <= _NEMO_WORDS:
            return self._grammars.nemo(text, lang)
        return " ".join(self._grammars.nemo(part, lang) for part in _grouped(sentences(text)))

    def _japanese(self) -> Callable[[str], str]:
        if self._splitter is None:
            try:
                # The ratio is the share of words that would be turned to kana, at random.
                self._splitter = JapaneseG2PProcessor(g2p_ratio=0)
            except (ImportError, RuntimeError) as error:
                raise UnspeakableError(
                    f"Japanese needs a word splitter with its dictionary, which can't be loaded "
                    f"({str(error).strip().splitlines()[0]}): pip install 'tts-toolkit[ja]'"
                ) from error
        splitter = self._splitter
        return lambda text: str(splitter.process_ja_text(text))


def _outside(pattern: re.Pattern[str], text: str, change: Callable[[str], str]) -> str:
    """``text`` with ``change`` made to what lies between the pattern's matches.

    The changes see no space at the ends of what they get; of the space that was there, one stays.
    """
    marks = [match[0] for match in pattern.finditer(text)]
    if not marks:
        return change(text)
    # The pattern's groups would come with a split.
    between, start = [], 0
    for match in pattern.finditer(text):
        between.append(text[start : match.start()])
        start = match.end()
    between.append(text[start:])
    changed = []
    for part in between:
        inner = change(part.strip()) if part.strip() else ""
        before = " " if part[:1].isspace() else ""
        behind = " " if part[-1:].isspace() and inner else ""
        changed.append(f"{before}{inner}{behind}")
    return changed[0] + "".join(mark + part for mark, part in zip(marks, changed[1:], strict=True))


def _grouped(parts: list[str]) -> list[str]:
    """Neighbours joined while they have at most ``_NEMO_WORDS`` words together."""
    groups: list[str] = []
    words = 0
    for part in parts:
        own = len(part.split())
        if groups and words + own <= _NEMO_WORDS:
            groups[-1] += f" {part}"
            words += own
        else:
            groups.append(part)
            words = own
    return groups
