"""What the listening page draws of a clip, kept beside the manifest under the clip's key.

``OUT/.tts-toolkit/waveforms.jsonl`` spares the page from decoding every file again. It is no truth:
what is missing there is taken from the audio.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

BARS = 80
WAVEFORMS = ".tts-toolkit/waveforms.jsonl"
_LEVELS = "0123456789"


@dataclass(frozen=True, slots=True)
class Waveform:
    """A clip's picture.

    Attributes:
        bars: ``BARS`` digits, "0" (silence) to "9" (full scale).
        seconds: computing time that the clip took, in wall seconds; 0 if not known.
    """

    bars: str
    seconds: float

    def to_line(self, key: str) -> str:
        """A line of the file, under the clip's resume key."""
        return json.dumps([key, self.bars, round(self.seconds, 4)]) + "\n"


def draw(samples: NDArray[np.float32], seconds: float = 0.0) -> Waveform:
    """The peaks of ``samples``, shape (T,), float32 in [-1, 1], in ``BARS`` equal parts."""
    import numpy as np  # noqa: PLC0415 - the caller has it already, the command line may not

    if not len(samples):
        return Waveform("0" * BARS, seconds)
    edges = np.linspace(0, len(samples), BARS, endpoint=False).astype(np.int64)
    peaks = np.maximum.reduceat(np.abs(samples), edges)
    # The square root shows quiet speech, as a scale in decibels would.
    levels = np.minimum(np.sqrt(peaks) * len(_LEVELS), len(_LEVELS) - 1).astype(np.int64)
    return Waveform("".join(_LEVELS[level] for level in levels), seconds)


def read_waveforms(folder: Path) -> dict[str, Waveform]:
    """The kept waveforms of an output folder by resume key; torn lines are ignored."""
    found: dict[str, Waveform] = {}
    try:
        file = (folder / WAVEFORMS).open(encoding="utf-8")
    except FileNotFoundError:
        return found
    with file:
        for line in file:
            try:
                key, bars, seconds = json.loads(line)
            except (ValueError, TypeError):
                continue
            found[key] = Waveform(bars, seconds)
    return found
