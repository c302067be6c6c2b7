from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oracle_text import tokenizer_in
from tts_toolkit.testing.tokenizer import NAME, write_tokenizer


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    return tokenizer_in(tmp_path_factory.mktemp("tokenizer"))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text())
def test_it_loses_nothing(tokenizer, text):
    assert tokenizer.decode(tokenizer.encode(text, disallowed_special=())) == text


def test_what_is_common_is_one_token(tokenizer):
    assert len(tokenizer.encode(" the")) == 1
    assert len(tokenizer.encode("你")) == 1
    assert len(tokenizer.encode("zq")) == 2


def test_start_and_stop_have_their_published_numbers(tokenizer):
    assert tokenizer.encode('!"') == [0, 1]


def test_special_tokens_are_one_each(tokenizer):
    text = "<|en|><|SPECIAL_TOKEN_2|><|0.00|>"
    ids = tokenizer.encode(text, allowed_special="all")
    assert len(ids) == 3
    assert max(ids) < tokenizer.n_vocab < 2048


def test_it_is_the_same_every_time(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    write_tokenizer(tmp_path / "a")
    write_tokenizer(tmp_path / "b")
    assert (tmp_path / "a" / NAME).read_bytes() == (tmp_path / "b" / NAME).read_bytes()
