from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tts_toolkit.engines.indextts.boundaries import WHOLE, Rank, boundaries, has_speech
from tts_toolkit.engines.indextts.numerals import NUMBER
from tts_toolkit.engines.indextts.segments import cut, cut_raw, sentences

MARK = "<|SPECIAL_TOKEN_1|>G OW1 . IH0 NG<|SPECIAL_TOKEN_1|>"
HAN_MARK = "<|SPECIAL_TOKEN_2|>XING2<|SPECIAL_TOKEN_2|>"
WORDS = ["a", "word", "don't", "well-known", "Zürich", "x.y/z?q=1", "你", "好吗", "世界", "مرحبا"]
NUMBERS = ["3.14", "1,234,567", "14:30", "2024-05-01", "twenty four", "veinte y uno", "三百二十"]
SPLIT = ["2 0 2 4", "3 . 5", "two thousand and five", "ひらがな", "カード"]
OTHER = [
    MARK,
    HAN_MARK,
    "e\u0301",
    "👩\u200d🚀",
    "dr. ",
    "J. ",
    "—",
    "…",
    "¿",
    "؟ ",
    "، ",
    "'",
    " '",
]
STOPS = [" ", " ", " ", "  ", ". ", ", ", "! ", "? ", "; ", " - ", "... ", ".", ",", "!"]
UNBROKEN = re.compile(rf"(?:{WHOLE.pattern}|{NUMBER.pattern}|\S)+", re.IGNORECASE)
PIECES = st.sampled_from([*WORDS, *NUMBERS, *SPLIT, *OTHER, *STOPS])
TEXTS = st.lists(PIECES, min_size=1, max_size=60).map("".join)


def squeezed(text):
    return re.sub(r"\s+", "", text)


def spoken(text):
    return "".join(char for char in text if char.isalnum())


@given(TEXTS, st.integers(1, 80))
def test_nothing_is_lost_and_nothing_added(text, budget):
    pieces = cut(text, len, budget)
    assert spoken("".join(pieces)) == spoken(text)
    kept = 0
    for piece in map(squeezed, pieces):
        kept = squeezed(text).index(piece, kept) + len(piece)


@given(TEXTS, st.integers(1, 80))
def test_budgets_are_held_unless_one_thing_is_too_long(text, budget):
    for piece in cut(text, len, budget):
        if len(piece) > budget:
            assert len(boundaries(piece)) == 1


@given(TEXTS, st.integers(1, 80))
def test_segments_are_worth_saying(text, budget):
    pieces = cut(text, len, budget)
    if has_speech(text) and len(text.strip()) > budget:
        assert pieces
        assert all(has_speech(piece) and piece == piece.strip() for piece in pieces)


@given(TEXTS, st.integers(1, 80))
def test_marks_and_visible_characters_stay_whole(text, budget):
    pieces = cut(text, len, budget)
    for mark in (MARK, HAN_MARK):
        assert sum(piece.count(mark) for piece in pieces) == text.count(mark)
    assert not any(re.match("[\u0301\u200d]", piece) for piece in pieces[1:])
    assert not any(piece.endswith("\u200d") for piece in pieces)


@settings(max_examples=300)
@given(TEXTS, st.integers(26, 80))
def test_no_word_and_no_number_is_cut(text, budget):
    text = text.strip()
    # A word or number that is too long by itself, with what is glued to it, has to be cut.
    if any(len(run[0]) > budget for run in UNBROKEN.finditer(text)):
        return
    at = 0
    for piece in cut(text, len, budget)[:-1]:
        at = text.index(piece, at) + len(piece)
        assert (
            at == len(text)
            or text[at].isspace()
            or not (re.fullmatch(r"[a-zA-Z0-9'ü]{2}", text[at - 1 : at + 1]))
        )
        assert not any(number.start() < at < number.end() for number in NUMBER.finditer(text))


@given(TEXTS, st.integers(1, 60))
def test_a_cut_is_as_good_as_can_be(text, budget):
    """What could end at a better place within the budget would have."""
    text = text.strip()
    places = {place.position: place.rank for place in boundaries(text)}
    at = 0
    for piece in cut(text, len, budget)[:-1]:
        start = text.index(piece, at)
        at = start + len(piece)
        within = [
            rank
            for position, rank in places.items()
            if start < position and len(text[start:position].strip()) <= budget
        ]
        if within:
            assert places[at] is min(within)


@pytest.mark.parametrize(
    ("text", "budget", "expected"),
    [
        ("One. Two. Three.", 10, ["One. Two.", "Three."]),
        ("One two, three four.", 10, ["One two,", "three", "four."]),
        ("Aa bb cc dd ee ff", 12, ["Aa bb cc dd", "ee ff"]),
        ("He paid 1,234.50 then", 14, ["He paid", "1,234.50 then"]),
        ("it is twenty four now", 17, ["it is twenty four", "now"]),
        ("so it is twenty four", 15, ["so it is", "twenty four"]),
        ("Met Dr. Smith. Ok", 15, ["Met Dr. Smith.", "Ok"]),
        ("Met J. R. Tolkien, today.", 20, ["Met J. R. Tolkien,", "today."]),
        ("你好.世界", 4, ["你好.", "世界"]),
        ("我们用iphone打电话", 8, ["我们用", "iphone", "打电话"]),
        ("价格是三百二十元", 6, ["价格是", "三百二十元"]),
        ("ケーキがすき", 3, ["ケーキ", "がすき"]),
        ("今日 は 2 0 2 4 年", 8, ["今日 は", "2 0 2 4", "年"]),
        ("مرحبا، كيف حالك؟ جيد", 18, ["مرحبا، كيف حالك؟", "جيد"]),
        ("say 'hi.' then go", 9, ["say 'hi.'", "then go"]),
        ("www.example.com is up.", 15, ["www.example.com", "is up."]),
        ("abcdefgh", 3, ["abc", "def", "gh"]),
        ("go 😀😀😀😀😀😀😀😀 on", 6, ["go", "😀😀 on"]),
        (f"a {MARK} b", 10, ["a", MARK, "b"]),
    ],
)
def test_examples(text, budget, expected):
    assert cut(text, len, budget) == expected


def test_a_text_that_fits_is_one_segment():
    assert cut("  One. Two.  ", len, 9) == ["One. Two."]


def test_counts_need_not_grow_with_every_character():
    """As with merges of bytes, where a longer text can have fewer tokens."""
    text = "word and word, " * 40

    def count(piece):
        return len(piece) - (2 if len(piece) % 3 else 0)

    pieces = cut(text, count, 31)
    assert all(count(piece) <= 31 for piece in pieces)
    assert squeezed("".join(pieces)) == squeezed(text)


def test_a_long_text_is_counted_in_pieces_only():
    longest = 0

    def count(piece):
        nonlocal longest
        longest = max(longest, len(piece)) if piece != text.strip() else longest
        return len(piece)

    text = "word and " * 5000
    cut(text, count, 60)
    assert longest < 60 * 5


def test_sentences():
    text = " Hello, J. Smith.  How are you?! '3.5 km.' Fine "
    assert sentences(text) == ["Hello, J. Smith.", "How are you?!", "'3.5 km.'", "Fine"]


def test_ranks_are_in_order_and_end_with_the_text():
    places = boundaries("Big two, 3.5.")
    assert [(place.position, place.rank) for place in places if place.rank < Rank.INSIDE] == [
        (3, Rank.WORD),
        (8, Rank.CLAUSE),
        (13, Rank.SENTENCE),
    ]


@given(TEXTS, st.integers(1, 80))
@example("a b", 1)
def test_raw_segments_are_the_text_again(text, budget):
    assert "".join(cut_raw(text, len, budget)) == text


def test_raw_segments_keep_their_space():
    assert cut_raw("One two. Three", len, 9) == ["One two.", " Three"]
