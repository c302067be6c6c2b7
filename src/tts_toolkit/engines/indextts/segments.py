"""Cutting a text into segments that fit the model.

``cut`` cuts where a reader would take a breath; ``cut_raw`` cuts as indextts25 does.
"""

# ruff: noqa: RUF001 - punctuation of all five languages, each mark as it is written

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tts_toolkit.engines.indextts.boundaries import Boundary, Rank, boundaries, has_speech

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    # How many tokens a text has.
    Count = Callable[[str], int]

_PROTECTED = re.compile(r"<\|SPECIAL_TOKEN_\d+\|>.*?<\|SPECIAL_TOKEN_\d+\|>")
_BEHIND_PUNCTUATION = re.compile(r"(?<=[，。！？、；：,\.!\?;:\n])")
_RAW_WORD = re.compile(r"\S+\s*|\s+")
# Beyond so many times the length that fits, a run is not measured to be halved evenly.
_LOOK_AHEAD = 4


def sentences(text: str) -> list[str]:
    """``text`` cut behind each of its sentences, without the space around them."""
    text = text.strip()
    places = [place.position for place in boundaries(text) if place.rank is Rank.SENTENCE]
    starts = [0, *places]
    return [text[start:end].strip() for start, end in zip(starts, places, strict=False)]


def cut(text: str, count: Count, budget: int) -> list[str]:
    """Segments of ``text`` of at most ``budget`` tokens each.

    Cut behind as many sentences as fit; where not one fits, behind its last clause that does; then
    between words, then between the characters of a script without spaces. Within a word or a
    number only if it is too long by itself, and never within a pronunciation mark or a visible
    character: one that is too long is a segment over the budget.

    Joined, the segments are the text again, but for the space at the cuts; a segment without a
    letter or a digit is left out, since the model makes noise of it.

    Args:
        text: as the model reads it.
        count: how many tokens the model gets for a piece of it, everything included.
        budget: the largest count.
    """
    text = text.strip()
    if count(text) <= budget:
        return [text]
    places = boundaries(text)
    pieces, start, first = [], 0, 0
    while first < len(places):
        cut_at = _next_cut(text, start, places, first, count, budget)
        end = places[cut_at].position
        pieces.append(text[start:end].strip())
        start, first = end, cut_at + 1
    return [piece for piece in pieces if has_speech(piece)]


def _next_cut(
    text: str, start: int, places: Sequence[Boundary], first: int, count: Count, budget: int
) -> int:
    """The index of the place where the segment from ``start`` ends."""

    def tokens(index: int) -> int:
        return count(text[start : places[index].position].strip())

    reach = _last_that_fits(tokens, first, len(places) - 1, budget)
    if reach < first:
        return first
    best = min(places[index].rank for index in range(first, reach + 1))
    good = [index for index in range(first, reach + 1) if places[index].rank is best]
    if best < Rank.WORD:
        return good[-1]
    # A run without punctuation. If two segments will do for the rest of it, make them equal: a
    # full one and a word or two would sound like that.
    far = start + _LOOK_AHEAD * (places[reach].position - start)
    rest = reach
    while places[rest].rank >= Rank.WORD and places[rest].position <= far:
        rest += 1
    if places[rest].position <= far and budget < tokens(rest) <= 2 * budget:
        half = -(-tokens(rest) // 2)
        return next((index for index in good if tokens(index) >= half), good[-1])
    return good[-1]


def _last_that_fits(tokens: Callable[[int], int], first: int, last: int, budget: int) -> int:
    """The last index whose count is within the budget, or ``first`` - 1.

    Doubles its steps, then halves them, so that nothing much longer than a segment is counted.
    """
    low, step = first - 1, 1
    high = last + 1
    while low + step < high:
        if tokens(low + step) <= budget:
            low += step
            step *= 2
        else:
            high = low + step
    while high - low > 1:
        middle = (low + high) // 2
        if tokens(middle) <= budget:
            low = middle
        else:
            high = middle
    return low


def cut_raw(text: str, count: Count, budget: int) -> list[str]:
    """Segments of ``text`` exactly as ``IndexTTS2.split_text_by_tokens`` of indextts25 makes them.

    Joined they are the text: a second segment keeps the space that it starts with.

    Args:
        text: as the model reads it.
        count: how many tokens a piece of it has by itself, without the language prefix.
        budget: the largest count, without the language prefix's own.
    """
    if count(text) <= budget:
        return [text]
    return list(_packed(_raw_chunks(text, count, budget), count, budget)) or [text]


def _raw_chunks(text: str, count: Count, budget: int) -> Iterator[str]:
    """What is not cut any more: marks, and stretches of text that fit."""
    start = 0
    for mark in _PROTECTED.finditer(text):
        yield from _raw_stretches(text[start : mark.start()], count, budget)
        yield mark[0]
        start = mark.end()
    yield from _raw_stretches(text[start:], count, budget)


def _raw_stretches(text: str, count: Count, budget: int) -> Iterator[str]:
    for part in filter(None, _BEHIND_PUNCTUATION.split(text)):
        if count(part) <= budget:
            yield part
        else:
            words = _RAW_WORD.findall(part)
            atoms = [atom for w in words for atom in ([w] if count(w) <= budget else w)]
            yield from _packed(atoms, count, budget)


def _packed(pieces: Iterator[str] | Sequence[str], count: Count, budget: int) -> Iterator[str]:
    """Neighbours joined while they fit."""
    current = ""
    for piece in pieces:
        if current and count(current + piece) > budget:
            yield current
            current = piece
        else:
            current += piece
    if current:
        yield current
