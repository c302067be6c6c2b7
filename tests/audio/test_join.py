from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tts_toolkit.audio.join import Joiner, gap, pause_after, polish

RATE = 22_050


def speech(seconds, seed=0, level=0.5):
    """Something like a vowel: harmonics of 120 Hz, starting and ending loud."""
    time = np.arange(round(RATE * seconds)) / RATE
    phases = np.random.default_rng(seed).uniform(0, 2 * np.pi, 20)
    wave = sum(np.sin(2 * np.pi * 120 * k * time + phases[k - 1]) / k for k in range(1, 21))
    return (level * wave / np.abs(wave).max()).astype(np.float32)


def noise(seconds, level, seed=0):
    shape = round(RATE * seconds)
    return (level * np.random.default_rng(seed).standard_normal(shape)).astype(np.float32)


def silence(seconds):
    return np.zeros(round(RATE * seconds), np.float32)


def fricative_like_end():
    return np.concatenate([speech(0.5), noise(0.2, 0.05)])


segments_of_any_kind = st.lists(
    st.tuples(st.integers(0, 6000), st.sampled_from([0.0, 1e-4, 0.3, 1.0, 1.7]), st.integers(0, 9)),
    min_size=1,
    max_size=4,
).map(
    lambda kinds: [
        (level * np.random.default_rng(seed).uniform(-1, 1, length)).astype(np.float32)
        for length, level, seed in kinds
    ]
)


def joined(segments, texts, *, raw=False):
    """All samples, and where each segment starts and ends."""
    joiner = Joiner(RATE, raw=raw)
    added = [joiner.add(samples, text) for samples, text in zip(segments, texts, strict=True)]
    whole = np.concatenate([one.samples for one in added])
    return whole, [(one.start, one.end) for one in added]


@settings(max_examples=40, deadline=None)
@given(segments_of_any_kind, st.data())
def test_lengths_add_up_and_nothing_clicks(segments, data):
    texts = [data.draw(st.sampled_from(["He left", "He left,", "He left."])) for _ in segments]
    whole, spans = joined(segments, texts)
    polished = [polish(segment, RATE) for segment in segments]
    assert whole.dtype == np.float32
    at = 0
    for index, ((start, end), piece) in enumerate(zip(spans, polished, strict=True)):
        assert start == at
        assert end - start == len(piece) <= len(segments[index])
        assert np.array_equal(whole[start:end], piece)
        at = end
        if index < len(segments) - 1:
            pause = pause_after(texts[index])
            zeros = gap(piece, polished[index + 1], RATE, pause)
            assert 0 <= zeros <= round(RATE * pause)
            assert not whole[end : end + zeros].any()
            at += zeros
    assert len(whole) == at
    assert np.all(np.abs(whole) <= 1)
    # From one segment into the next there is no step at all.
    padded = np.concatenate([[0], whole, [0]])
    for start, end in spans:
        assert padded[start + 1] == 0 or start == end
        assert padded[end] == 0


def test_loud_segments_would_click_without_polish_and_do_not_with_it():
    # Each ends at its loudest sample.
    segments = [one[: np.abs(one).argmax() + 1] for one in (speech(0.3, 1), speech(0.3, 2))]
    inside = max(np.abs(np.diff(segment)).max() for segment in segments)
    raw, spans = joined(segments, ["a", "b"], raw=True)
    assert abs(raw[spans[0][1] - 1]) > inside
    assert np.abs(np.diff(joined(segments, ["a", "b"])[0])).max() <= inside


def test_raw_is_the_segments_and_200_ms_of_zeros():
    segments = [speech(0.1), 3 * speech(0.1), noise(0.1, 0.1)]
    whole, spans = joined(segments, ["a", "b", "c"], raw=True)
    zeros = np.zeros(4410, np.float32)
    wanted = [segments[0], zeros, segments[1].clip(-1, 1), zeros, segments[2]]
    assert np.array_equal(whole, np.concatenate(wanted))
    assert spans == [(0, 2205), (6615, 8820), (13230, 15435)]


@pytest.mark.parametrize("tail", [0.2, 1.0, 3.0])
def test_a_silent_tail_is_cut_to_a_tenth_of_a_second(tail):
    kept = polish(np.concatenate([speech(0.5), silence(tail)]), RATE)
    assert len(kept) / RATE == pytest.approx(0.6, abs=0.02)


def test_a_whoosh_is_cut_and_the_speech_before_it_is_not():
    spoken = speech(0.5)
    kept = polish(np.concatenate([spoken, noise(0.8, 0.05)]), RATE)
    assert 0.65 < len(kept) / RATE < 0.75
    after = len(spoken) - 200
    assert np.array_equal(kept[200:after], spoken[200:after])


def test_a_whoosh_after_a_pause_goes_altogether():
    kept = polish(np.concatenate([speech(0.5), silence(0.3), noise(0.2, 0.05)]), RATE)
    assert len(kept) / RATE == pytest.approx(0.6, abs=0.02)


@pytest.mark.parametrize(
    "segment",
    [
        speech(0.5),
        fricative_like_end(),
        np.concatenate([speech(0.5), silence(0.08), noise(0.03, 0.05)]),
        np.concatenate([speech(0.5), silence(0.6), speech(0.2)]),
        noise(0.3, 0.05),
        silence(0.5),
        silence(0),
    ],
    ids=["vowel", "s", "t", "second word", "hiss", "silence", "nothing"],
)
def test_what_may_be_speech_is_not_cut(segment):
    assert len(polish(segment, RATE)) == len(segment)


def test_quiet_that_the_segments_bring_counts_as_pause():
    before = polish(np.concatenate([speech(0.5), silence(0.5)]), RATE)
    after = polish(np.concatenate([silence(0.15), speech(0.5)]), RATE)
    assert gap(before, after, RATE, 0.4) / RATE == pytest.approx(0.15, abs=0.03)
    assert gap(before, after, RATE, 0.2) == 0


def test_the_pause_follows_the_text():
    assert pause_after("He left.") == pause_after('"He left!" ') == pause_after("他走了。")
    assert pause_after("He left, ") == pause_after("他走了、")
    assert pause_after("He left.") > pause_after("He left,") > pause_after("He left") > 0
