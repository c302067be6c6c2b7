"""From a text to segments of token ids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from indextts25.utils.tokenizer import lang_to_token

from tts_toolkit.engines.indextts.boundaries import has_speech
from tts_toolkit.engines.indextts.grammar import Grammars
from tts_toolkit.engines.indextts.reading import Reader
from tts_toolkit.engines.indextts.segments import cut, cut_raw
from tts_toolkit.engines.indextts.speakable import nothing_in, resolve, unspeakable
from tts_toolkit.errors import UnspeakableError

if TYPE_CHECKING:
    from pathlib import Path

    from tts_toolkit.engines.indextts.glossary import Glossary

# Text positions of the published model, less the two that start and stop take.
_MAX_TEXT_TOKENS = 600
# indextts25's max_text_tokens_per_segment. At that length English loses or invents its last
# sentence, at 60 it does not (index-tts issue 775).
_SEGMENT_TOKENS = 120
_ENGLISH_SEGMENT_TOKENS = 60


@dataclass(frozen=True)
class SegmentText:
    """A piece of a text that fits the model.

    Attributes:
        text: as the model reads it: normalised, in the case that its language takes.
        tokens: ids of the language prefix and the text, without start and stop.
        lang_id: index of the language in the model's embedding.
    """

    text: str
    tokens: tuple[int, ...]
    lang_id: int


class Frontend:
    """Reads texts for the model; from one thread at a time, since its normalisers keep state.

    Args:
        tokenizer: the checkpoint's, from ``indextts25.utils.tokenizer.get_encoding``.
        cache_folder: where compiled grammars are kept, in a folder of their own.
        glossary: readings that are put in place before anything else.
        max_text_tokens: the longest segment that the model takes, prefix included: the size of its
            text position table less 2.
    """

    def __init__(
        self,
        tokenizer: Any,
        cache_folder: Path,
        *,
        glossary: Glossary | None = None,
        max_text_tokens: int = _MAX_TEXT_TOKENS,
    ) -> None:
        self._tokenizer = tokenizer
        self._reader = Reader(Grammars(cache_folder))
        self._glossary = glossary
        self._max_text_tokens = max_text_tokens

    def segments(
        self,
        text: str,
        lang: str,
        *,
        segment_tokens: int | None = None,
        raw: bool = False,
        normalize: bool = True,
    ) -> tuple[SegmentText, ...]:
        """The pieces of ``text``, at least one, in order.

        Args:
            text: as the user wrote it.
            lang: "en", "zh", "ja", "es", "ar", or "auto" for what the text looks like.
            segment_tokens: the longest segment, with its language prefix (2 tokens); by default
                ``default_segment_tokens``.
            raw: exactly as indextts25 reads and cuts it.
            normalize: whether numbers and symbols are written out.

        Raises:
            UnspeakableError: if nothing of it can be said, in this language or on this machine.
        """
        if reason := unspeakable(text, lang, normalize=normalize):
            raise UnspeakableError(reason)
        code = resolve(text, lang)
        known = self._glossary.apply(text, code) if self._glossary else text
        spoken = self._reader.read(known, code, normalize=normalize, raw=raw)
        if not has_speech(spoken):
            raise UnspeakableError(nothing_in(text))
        wanted = segment_tokens or default_segment_tokens(code, raw=raw)
        budget = min(wanted, self._max_text_tokens)
        pieces = self._cut_raw(spoken, code, budget) if raw else self._cut(spoken, code, budget)
        return tuple(self._segment(piece, code) for piece in pieces)

    def _cut(self, text: str, lang: str, budget: int) -> list[str]:
        return cut(text, lambda piece: len(self._encode(_prefix(lang) + piece)), budget)

    def _cut_raw(self, text: str, lang: str, budget: int) -> list[str]:
        own = max(1, budget - len(self._encode(_prefix(lang))))
        return cut_raw(text, lambda piece: len(self._encode(piece)), own)

    def _segment(self, text: str, lang: str) -> SegmentText:
        tokens = self._encode(_prefix(lang) + text)
        if len(tokens) > self._max_text_tokens:
            raise UnspeakableError(
                f"a pronunciation mark has {len(tokens)} tokens, more than the "
                f"{self._max_text_tokens} that the model takes at once: {text[:60]!r}…"
            )
        return SegmentText(text, tuple(tokens), lang_to_token(lang))

    def _encode(self, text: str) -> list[int]:
        return list(self._tokenizer.encode(text, allowed_special="all"))


def default_segment_tokens(lang: str, *, raw: bool = False) -> int:
    """The longest segment of a language by default, in tokens, its language prefix included."""
    return _ENGLISH_SEGMENT_TOKENS if lang == "en" and not raw else _SEGMENT_TOKENS


def _prefix(lang: str) -> str:
    return f"<|{lang}|> "
