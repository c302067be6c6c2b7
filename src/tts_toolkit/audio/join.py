"""Segments become one clip: their tails trimmed, natural pauses between them, no clicks.

What is measured: level and spectral flatness in windows of 20 ms every 10 ms. Levels are relative
to the segment's loud windows (the 95th percentile). Flatness is the geometric over the arithmetic
mean of the power spectrum from 300 to 8000 Hz: 0.56 for white noise, mostly under 0.1 for vowels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tts_toolkit.audio.fade import fade_in, fade_out

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Seconds between what is heard of two segments. People pause under 0.2 s inside a sentence and
# 0.2 to 1 s between sentences (Campione and Véronis 2002, silent pauses in five languages).
_SENTENCE_PAUSE = 0.4
_CLAUSE_PAUSE = 0.2
_WORD_PAUSE = 0.06
_SENTENCE_ENDS = tuple(".!?…。！？؟।")  # noqa: RUF001 - full-width marks, on purpose
_CLAUSE_ENDS = tuple(",;:，、；：،؛—–-")  # noqa: RUF001 - the same
_CLOSERS = "\"'”’»)]）」』"  # noqa: RUF001 - the same

# What the oracle puts between segments.
_RAW_PAUSE = 0.2

# Hz: below is hum, above is not in every recording.
_BAND = (300.0, 8000.0)
_WINDOW = 0.020
_HOP = 0.010
# 45 dB below speech is a quiet room's noise; a segment under -60 dBFS has no speech to measure by.
_QUIET = 10 ** (-45 / 20)
_SILENT = 10 ** (-60 / 20)
# Of the quiet at the end this much stays: rooms and voices die away in about a tenth of a second.
_KEEP = 0.1
# A run of noise at the end is a whoosh when it is longer than any final fricative (about 0.3 s in
# slow speech); then 0.2 s stay, for it may have begun as one. After a pause that is longer than the
# closure of a stop (about 0.1 s), noise is a whoosh however short it is, and none of it stays.
_NOISY = 0.3
_WHOOSH = 0.35
_FRICATIVE = 0.2
_CLOSURE = 0.15
_FADE_IN_MS = 5.0
_FADE_OUT_MS = 20.0


@dataclass(frozen=True, eq=False)
class Joined:
    """A segment in its place.

    Attributes:
        samples: shape (T,), float32, in [-1, 1]: the pause before it, then the segment.
        start: where the segment starts in the clip, in samples.
        end: where it ends.
    """

    samples: NDArray[np.float32]
    start: int
    end: int


class Joiner:
    """Puts segments behind each other, one by one, so that the first can be heard at once.

    Args:
        sampling_rate: of all, in Hz.
        raw: as ``indextts25`` does it: segments untouched, 200 ms of zeros between them. Otherwise
            each is polished, and the pause is one that fits what was said before it.
    """

    def __init__(self, sampling_rate: int, *, raw: bool) -> None:
        self._rate = sampling_rate
        self._raw = raw
        self._length = 0
        self._before: tuple[NDArray[np.float32], str] | None = None

    def add(self, samples: NDArray[np.float32], text: str) -> Joined:
        """The next segment.

        Args:
            samples: shape (T,), float32; what lies outside [-1, 1] saturates.
            text: that it says.
        """
        segment = samples.clip(-1.0, 1.0) if self._raw else polish(samples, self._rate)
        zeros = self._pause(segment)
        self._before = (segment, text)
        start = self._length + zeros
        self._length = start + len(segment)
        joined = np.concatenate([np.zeros(zeros, np.float32), segment])
        return Joined(joined, start, self._length)

    def _pause(self, segment: NDArray[np.float32]) -> int:
        if self._before is None:
            return 0
        if self._raw:
            return int(self._rate * _RAW_PAUSE)
        before, text = self._before
        return gap(before, segment, self._rate, pause_after(text))


def pause_after(text: str) -> float:
    """The pause that follows a segment's text, in seconds, by the mark that it ends with."""
    end = text.rstrip().rstrip(_CLOSERS)
    if end.endswith(_SENTENCE_ENDS):
        return _SENTENCE_PAUSE
    return _CLAUSE_PAUSE if end.endswith(_CLAUSE_ENDS) else _WORD_PAUSE


def polish(samples: NDArray[np.float32], sampling_rate: int) -> NDArray[np.float32]:
    """A segment without its silent or whooshing tail, faded in over 5 ms and out over 20 ms.

    Args:
        samples: shape (T,), float32; what lies outside [-1, 1] saturates.
        sampling_rate: in Hz.

    Returns:
        Shape (at most T,), float32, in [-1, 1]; its first and last samples are 0.
    """
    kept = samples[: _speech_end(samples, sampling_rate)].clip(-1.0, 1.0)
    return fade_out(fade_in(kept, sampling_rate, _FADE_IN_MS), sampling_rate, _FADE_OUT_MS)


def gap(
    before: NDArray[np.float32], after: NDArray[np.float32], sampling_rate: int, pause: float
) -> int:
    """Samples of zeros that make the quiet between two polished segments ``pause`` seconds long."""
    loud_before = np.flatnonzero(_levels(before, sampling_rate))
    loud_after = np.flatnonzero(_levels(after, sampling_rate))
    hop = round(sampling_rate * _HOP)
    quiet = 0
    if len(loud_before):
        quiet += max(0, len(before) - (int(loud_before[-1]) + 1) * hop)
    if len(loud_after):
        quiet += int(loud_after[0]) * hop
    return max(0, round(sampling_rate * pause) - quiet)


def _windows(samples: NDArray[np.float32], sampling_rate: int) -> NDArray[np.float32]:
    """Shape (ceil(T / hop), window): the window that starts at each hop, zeros beyond the end."""
    hop, width = round(sampling_rate * _HOP), round(sampling_rate * _WINDOW)
    count = -(-len(samples) // hop)
    padded = np.pad(samples, (0, count * hop + width - len(samples)))
    return np.lib.stride_tricks.sliding_window_view(padded, width)[: count * hop : hop]


def _levels(samples: NDArray[np.float32], sampling_rate: int) -> NDArray[np.float64]:
    """Each window's level over the loud windows' level, 0 where it is quiet: shape (windows,)."""
    if not len(samples):
        return np.zeros(0)
    windows = _windows(samples, sampling_rate).astype(np.float64)
    levels = np.sqrt(np.mean(windows**2, axis=1))
    loud = np.percentile(levels, 95)
    if loud < _SILENT:
        return np.zeros(len(levels))
    return np.where(levels < _QUIET * loud, 0.0, levels / loud)


def _flatness(windows: NDArray[np.float32], sampling_rate: int) -> NDArray[np.float64]:
    """Spectral flatness of each window: shape (windows,), in [0, 1]."""
    shaped = windows * np.hanning(windows.shape[1])
    power = np.abs(np.fft.rfft(shaped, axis=1)) ** 2
    hertz = np.fft.rfftfreq(windows.shape[1], 1 / sampling_rate)
    band = power[:, (hertz >= _BAND[0]) & (hertz <= _BAND[1])] + 1e-12
    return np.asarray(np.exp(np.mean(np.log(band), axis=1)) / np.mean(band, axis=1))


def _speech_end(samples: NDArray[np.float32], sampling_rate: int) -> int:
    """Where what should be kept ends, in samples; all of a segment without speech."""
    heard = _levels(samples, sampling_rate) > 0
    loud = np.flatnonzero(heard)
    if not len(loud):
        return len(samples)
    hop = round(sampling_rate * _HOP)
    end = int(loud[-1]) + 1
    noisy = _flatness(_windows(samples, sampling_rate), sampling_rate) > _NOISY
    noise = end
    while noise and noisy[noise - 1] and heard[noise - 1]:
        noise -= 1
    quiet = noise
    while quiet and not heard[quiet - 1]:
        quiet -= 1
    if quiet and noise < end and (noise - quiet) * _HOP >= _CLOSURE:
        end = quiet
    elif noise and (end - noise) * _HOP > _WHOOSH:
        return noise * hop + round(sampling_rate * _FRICATIVE)
    return min(len(samples), end * hop + round(sampling_rate * _KEEP))
