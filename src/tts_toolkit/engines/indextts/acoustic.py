"""Codes into waveforms: codec, length regulator, flow and vocoder, several segments at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from tts_toolkit.engines.indextts.flow import Flow, FlowRow
from tts_toolkit.engines.indextts.vocoder import Vocoder

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from tts_toolkit.engines.indextts.checkpoint import Checkpoint
    from tts_toolkit.engines.indextts.voice import Conditioning

# Mel frames for each frame of the codec's decoder: 22,050 Hz / hop 256 are 86.13 frames a second,
# the codec has 50. ``indextts25`` multiplies by 1.72, and so do we.
_FRAMES = 1.72


@dataclass(frozen=True, eq=False)
class AcousticRow:
    """A segment that has its codes.

    Attributes:
        codes: shape (N,), int64, N at least 1.
        voice: whose.
        duration: factor on its length; below 1 is faster.
        noise: from which its noise is drawn when the row is made.
    """

    codes: Tensor
    voice: Conditioning
    duration: float
    noise: torch.Generator


class Acoustic:
    """The stages behind the GPT.

    Args:
        checkpoint: the modules.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        self._checkpoint = checkpoint
        self._flow = Flow(checkpoint.estimator, dtype=checkpoint.dtype)
        self._vocoder = Vocoder(checkpoint.vocoder)

    @torch.inference_mode()
    def prepare(self, row: AcousticRow) -> FlowRow:
        """What the flow takes; each row by itself, since its normalisation runs over time."""
        checkpoint, voice = self._checkpoint, row.voice
        decoded = checkpoint.codec.decode(row.codes.unsqueeze(0).to(checkpoint.device))
        frames = int(decoded.shape[1] * _FRAMES * row.duration)
        lens = torch.tensor([frames], device=checkpoint.device)
        target = checkpoint.length_regulator(decoded, ylens=lens)
        condition = torch.cat([voice.prompt_condition, target], dim=1)[0]
        # As ``torch.randn`` gives it after ``torch.manual_seed``, on every device.
        noise = torch.randn(1, voice.prompt_mel.shape[1], len(condition), generator=row.noise)
        return FlowRow(condition, voice.prompt_mel[0], voice.style[0], noise[0])

    @torch.inference_mode()
    def render(
        self, rows: Sequence[FlowRow], *, diffusion_steps: int, cfg_rate: float
    ) -> list[NDArray[np.float32]]:
        """Waveforms of shape (T,), float32, at 22,050 Hz."""
        mels = self._flow(rows, diffusion_steps=diffusion_steps, cfg_rate=cfg_rate)
        return [wave.cpu().numpy() for wave in self._vocoder(mels)]
