"""Weights of the eight emotions, as users write them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tts_toolkit.emotion import EMOTIONS, MOST_TOGETHER, emotion_vector
from tts_toolkit.errors import OptionError


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("happy=0.4,calm=0.2", {"happy": 0.4, "calm": 0.2}),
        (" Angry = 0.8 ", {"angry": 0.8}),
        ({"sad": 0.5}, {"sad": 0.5}),
        ("0,0,0,0.1,0,0,0,0", {"afraid": 0.1}),
        ([0, 0, 0, 0, 0, 0, 0, "0.8"], {"calm": 0.8}),
        ((0.1,) * 8, dict.fromkeys(EMOTIONS, 0.1)),
    ],
)
def test_they_are_read_by_name_or_by_place(raw, expected):
    assert dict(zip(EMOTIONS, emotion_vector(raw), strict=True)) == {
        name: expected.get(name, 0.0) for name in EMOTIONS
    }


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ("hapy=0.4", "'hapy' is not one of happy, angry"),
        ("hapy=0.4", 'Did you mean "happy"?'),
        ("happy=much", "'much' is not a number"),
        ("happy=", "'' is not a number"),
        ("happy=1.5", "'1.5' is not between 0 and 1"),
        ("happy=nan", "'nan' is not a finite number"),
        ("happy=0.5,sad=0.5", "add up to 1, more than 0.8"),
        ("0.1,0.2", "is not 8 numbers, nor names as in happy=0.4"),
        ([], "is not 8 numbers"),
        ({}, "is not 8 numbers"),
        (None, "is not 8 numbers"),
        ([True] + [0] * 7, "True is not a number"),
        ({"happy": None}, "None is not a number"),
    ],
)
def test_what_they_can_t_be_is_said(raw, message):
    with pytest.raises(OptionError, match=re.escape(message)):
        emotion_vector(raw)


@given(st.lists(st.floats(0, 1), min_size=8, max_size=8))
def test_weights_come_back_as_they_were_or_are_too_many(weights):
    if sum(weights) > MOST_TOGETHER + 1e-9:
        with pytest.raises(OptionError, match="add up"):
            emotion_vector(weights)
        return
    assert emotion_vector(weights) == tuple(weights)
    assert emotion_vector(",".join(map(repr, weights))) == tuple(weights)
    named = ",".join(
        f"{name}={weight!r}" for name, weight in zip(EMOTIONS, weights, strict=True) if weight
    )
    if named:
        assert emotion_vector(named) == tuple(weights)
