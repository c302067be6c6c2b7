from __future__ import annotations

import numpy as np
import pytest

from tts_toolkit.audio.resample import resample
from tts_toolkit.clip import Clip

RATES = [8000, 16_000, 22_050, 44_100, 48_000]


@pytest.mark.parametrize("rate", RATES)
def test_length_pitch_and_loudness_are_kept(rate, tone):
    clip = Clip(tone(24_000, seconds=1.0), 24_000)
    other = resample(clip, rate)
    assert other.sampling_rate == rate
    assert other.samples.dtype == np.float32
    assert abs(len(other.samples) - len(clip.samples) * rate / 24_000) <= 1
    assert other.duration == pytest.approx(clip.duration, abs=2 / rate)
    spectrum = np.abs(np.fft.rfft(other.samples))
    assert np.argmax(spectrum) * rate / len(other.samples) == pytest.approx(440, abs=1.5)
    loudness = [np.sqrt(np.mean(one.samples**2)) for one in (clip, other)]
    assert loudness[1] == pytest.approx(loudness[0], rel=0.01)


def test_there_and_back_is_the_same_wave(tone):
    clip = Clip(tone(24_000), 24_000)
    back = resample(resample(clip, 48_000), 24_000)
    assert len(back.samples) == len(clip.samples)
    assert np.abs(back.samples - clip.samples).max() < 1e-3


def test_what_the_new_rate_can_not_hold_is_filtered_and_not_folded_back():
    high = np.sin(2 * np.pi * 10_000 * np.arange(24_000) / 24_000).astype(np.float32)
    assert np.abs(resample(Clip(high, 24_000), 8000).samples[400:-400]).max() < 0.01


def test_overshoot_stays_in_range():
    square = np.where(np.arange(24_000) // 50 % 2, 1.0, -1.0).astype(np.float32)
    assert np.abs(resample(Clip(square, 24_000), 48_000).samples).max() == 1.0


def test_the_same_rate_is_the_same_clip(tone):
    clip = Clip(tone(24_000), 24_000)
    assert resample(clip, 24_000) is clip
