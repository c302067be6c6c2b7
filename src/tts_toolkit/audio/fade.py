"""Fades: a clip that starts and ends at zero doesn't click."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def fade_in(
    samples: NDArray[np.float32], sampling_rate: int, milliseconds: float
) -> NDArray[np.float32]:
    """A copy that rises from zero along half a cosine.

    Args:
        samples: shape (T,), float32.
        sampling_rate: in Hz.
        milliseconds: how long it rises, at least 0; a shorter clip rises over all of it.

    Returns:
        Shape (T,), float32, nowhere louder than ``samples``; the first sample is 0 if the fade is
        a sample or longer.
    """
    faded = samples.copy()
    length = min(len(samples), round(sampling_rate * milliseconds / 1000))
    faded[:length] *= 0.5 - 0.5 * np.cos(np.pi * np.arange(length, dtype=np.float32) / length)
    return faded


def fade_out(
    samples: NDArray[np.float32], sampling_rate: int, milliseconds: float
) -> NDArray[np.float32]:
    """``fade_in``, the other way round: the last sample is 0."""
    return fade_in(samples[::-1], sampling_rate, milliseconds)[::-1].copy()
