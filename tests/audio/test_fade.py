from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tts_toolkit.audio.fade import fade_in, fade_out


@given(st.integers(0, 400), st.sampled_from([0.0, 0.2, 5.0, 20.0, 1e4]), st.integers(0, 9))
def test_a_fade_only_makes_its_end_quieter(length, milliseconds, seed):
    samples = np.random.default_rng(seed).uniform(-1, 1, length).astype(np.float32)
    before = samples.copy()
    faded = fade_in(samples, 8000, milliseconds)
    assert np.array_equal(samples, before)
    assert faded.dtype == np.float32
    assert faded.shape == samples.shape
    assert np.all(np.abs(faded) <= np.abs(samples))
    touched = round(8 * milliseconds)
    assert np.array_equal(faded[touched:], samples[touched:])
    assert np.array_equal(fade_out(samples[::-1], 8000, milliseconds), faded[::-1])


def test_it_rises_from_zero_without_a_corner():
    faded = fade_in(np.ones(1000, np.float32), 1000, 100)
    assert faded[0] == 0
    assert faded[50] == pytest.approx(0.5)
    assert np.all(np.diff(faded[:101]) > 0)
    assert np.abs(np.diff(faded, 2)).max() < 2 * (np.pi / 100) ** 2 / 2
    assert np.all(faded[100:] == 1)


def test_a_clip_shorter_than_the_fade_still_ends_at_zero():
    assert fade_out(np.ones(3, np.float32), 8000, 20)[-1] == 0
    assert fade_out(np.ones(1, np.float32), 8000, 20).tolist() == [0]
