"""Audio as a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Clip:
    """A mono recording.

    Attributes:
        samples: shape (T,), float32, in [-1, 1].
        sampling_rate: samples a second, in Hz.
    """

    samples: NDArray[np.float32]
    sampling_rate: int

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.sampling_rate

    @property
    def peak(self) -> float:
        """Largest absolute sample, in [0, 1]; 0 for an empty clip."""
        if not len(self.samples):
            return 0.0
        return float(max(self.samples.max(), -self.samples.min()))
