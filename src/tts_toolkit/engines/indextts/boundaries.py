"""The places where a text may be cut, from best to worst."""

# ruff: noqa: RUF001 - punctuation of all five languages, each mark as it is written

from __future__ import annotations

import re
import unicodedata
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

from tts_toolkit.engines.indextts.numerals import NUMBER

if TYPE_CHECKING:
    from collections.abc import Iterable


class Rank(IntEnum):
    """What ends at a place; a smaller one is a better place."""

    SENTENCE = 0
    CLAUSE = 1
    WORD = 2
    CHARACTER = 3  # between characters of a script without spaces
    NUMBER_WORD = 4  # between the words of a number: "two | thousand"
    INSIDE = 5  # within a word
    DIGIT = 6  # within a number


class Boundary(NamedTuple):
    """A place: the text before ``position`` may end a segment."""

    position: int
    rank: Rank


# A pronunciation as the model reads it, and any other special token: one thing, never cut.
WHOLE = re.compile(r"<\|SPECIAL_TOKEN_\d+\|>.*?<\|SPECIAL_TOKEN_\d+\|>|<\|[^|\s]+\|>")

_TOKEN = re.compile(r"<\|[^|\s]+\|>")
_VISIBLE = re.compile(r"\S")
_SPACELESS = re.compile(
    "[\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\uff66-\uff9f\U00020000-\U0003ffff]"
)
_ENDS = frozenset(".!?…。！？؟۔")
_PAUSES = frozenset(",;:،؛、，；：")
_DASHES = frozenset("-–—")
_CLOSERS = frozenset("'\"”’»)]}」』）】》")
_BRACKETS = _CLOSERS - frozenset("'\"")  # those that can't open as well
_ADDRESS = frozenset(".,:;?")
_OPENERS = frozenset("¿¡“‘«([{「『（【《")
# Words whose dot does not end a sentence; and single letters: initials, as in J. R. R. Tolkien.
_ABBREVIATION = re.compile(
    r"(?:^|[^\w])(?:[a-zà-ÿ](?:\.[a-zà-ÿ])*|mr|mrs|ms|mx|dr|st|vs|prof|jr|sr|gen|col|sgt|capt|rev|"
    r"etc|approx|fig|inc|ltd|co|sra|srta|dra|ud|uds|núm|pág)\.$",
    re.IGNORECASE,
)
_CHINESE = "<|SPECIAL_TOKEN_2|>"
_LONGEST_ABBREVIATION = 16  # characters before a place that can matter to the pattern above
# Kana that belong to the one before them.
_NEVER_FIRST = frozenset("ーぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮ々ゝゞヽヾ")
_ZERO_WIDTH_JOINER = "\u200d"


def has_speech(text: str) -> bool:
    """Whether there is a letter or a digit, outside special tokens, for the model to say."""
    return any(char.isalnum() for char in _TOKEN.sub("", text))


def boundaries(text: str) -> list[Boundary]:
    """Every place where ``text`` may be cut, in order; the last is its end.

    Where words have spaces between them, the place is behind the word, before the space.

    Args:
        text: as the model reads it, without space at its ends.
    """
    whole = [match.span() for match in WHOLE.finditer(text)]
    fixed = _insides(whole)
    numbers = _insides(match.span() for match in NUMBER.finditer(text))
    # A Chinese word's pronunciation stands between characters as the word itself would.
    edges = {edge for span in whole if text.startswith(_CHINESE, span[0]) for edge in span}
    found = []
    for position in range(1, len(text)):
        before, after = text[position - 1], text[position]
        if before.isspace() or position in fixed or _joined(before, after):
            continue
        at_space = after.isspace()
        if position in numbers:
            rank = Rank.NUMBER_WORD if at_space else Rank.DIGIT
        elif at_space:
            rank = _rank_at_space(text, position)
        else:
            rank = _rank_between(text, position, by_mark=position in edges)
        found.append(Boundary(position, rank))
    found.append(Boundary(len(text), Rank.SENTENCE))
    return found


def _insides(spans: Iterable[tuple[int, int]]) -> set[int]:
    return {position for start, end in spans for position in range(start + 1, end)}


def _joined(before: str, after: str) -> bool:
    """Whether the two are parts of one visible character."""
    joiner = _ZERO_WIDTH_JOINER
    return joiner in {before, after} or unicodedata.category(after).startswith("M")


def _rank_at_space(text: str, position: int) -> Rank:
    following = _VISIBLE.search(text, position)
    if following and following[0] in _ENDS | _PAUSES | _BRACKETS:
        return Rank.INSIDE  # "word ," as the Japanese word splitter leaves it
    last = _last_before_closers(text, position)
    mark = text[last]
    if mark in _ENDS:
        window = text[max(0, last + 1 - _LONGEST_ABBREVIATION) : last + 1]
        return Rank.WORD if _ABBREVIATION.search(window) else Rank.SENTENCE
    stands_alone = last == 0 or text[last - 1].isspace()
    if mark in _PAUSES or (mark in _DASHES and stands_alone):
        return Rank.CLAUSE
    return Rank.WORD


def _rank_between(text: str, position: int, *, by_mark: bool) -> Rank:
    before, after = text[position - 1], text[position]
    if after in _ENDS | _PAUSES | _CLOSERS | _DASHES | _NEVER_FIRST or before in _OPENERS:
        return Rank.INSIDE
    last = _last_before_closers(text, position)
    mark = text[last]
    spaceless = bool(_SPACELESS.match(after) or _SPACELESS.match(text[max(0, last - 1)]))
    # Between Latin letters a dot, a comma or a question mark may be part of an address.
    if mark in _ENDS | _PAUSES and (spaceless or by_mark or mark not in _ADDRESS):
        return Rank.SENTENCE if mark in _ENDS else Rank.CLAUSE
    if before in _DASHES and spaceless and text[last - 1] in _DASHES:
        return Rank.CLAUSE
    if before in _DASHES | _CLOSERS:
        return Rank.INSIDE
    beside = by_mark or _SPACELESS.match(before) or _SPACELESS.match(after)
    return Rank.CHARACTER if beside else Rank.INSIDE


def _last_before_closers(text: str, position: int) -> int:
    """The index of what ends before ``position``: closing quotes go with the dot before them."""
    last = position - 1
    while last > 0 and text[last] in _CLOSERS:
        last -= 1
    return last
