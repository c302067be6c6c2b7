"""Change of sampling rate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tts_toolkit.clip import Clip

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def resample(clip: Clip, sampling_rate: int) -> Clip:
    """``clip`` at ``sampling_rate`` Hz, by librosa's band-limited ``soxr_hq``; still in [-1, 1]."""
    if clip.sampling_rate == sampling_rate:
        return clip
    import librosa  # noqa: PLC0415 - heavy, and seldom needed

    samples: NDArray[np.float32] = librosa.resample(
        clip.samples, orig_sr=clip.sampling_rate, target_sr=sampling_rate, res_type="soxr_hq"
    )
    return Clip(samples.clip(-1.0, 1.0), sampling_rate)
