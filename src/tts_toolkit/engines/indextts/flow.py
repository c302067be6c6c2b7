"""Flow matching over rows of different lengths: each row's mel is what it would be alone.

``indextts25`` integrates one row at a time, and its estimator takes no mask. Here the rows of a
call lie end to end without padding (see ``packing.py``), and what no result depends on is left out:
the prompt's frames of the WaveNet head and of the last attention's queries.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from tts_toolkit.engines.indextts.dit import Dit
from tts_toolkit.engines.indextts.packing import Packing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from indextts25.s2mel.modules.diffusion_transformer import DiT
    from torch import Tensor


@dataclass(frozen=True, eq=False)
class FlowRow:
    """What the flow makes a mel of. T counts the frames of prompt and target, Tp of the prompt.

    Attributes:
        condition: shape (T, 512), float32: the length regulator's output, prompt then target.
        prompt_mel: shape (80, Tp), float32: the reference clip's log-mel; Tp < T.
        style: shape (192,), float32: CAMPPlus's embedding of the reference clip.
        noise: shape (80, T), float32, N(0, 1): where the row's integration starts; the prompt's
            frames of it are not used.
    """

    condition: Tensor
    prompt_mel: Tensor
    style: Tensor
    noise: Tensor


class Flow:
    """The estimator of IndexTTS-2.5 in an Euler loop over many rows.

    Args:
        estimator: in eval mode, its weights float32 and folded, on the device to compute on.
        dtype: of the matrix products; the state, the residual stream and the norms stay float32.

    Raises:
        ModelMissingError: if the estimator is not built as IndexTTS-2.5's is.
    """

    def __init__(self, estimator: DiT, *, dtype: torch.dtype) -> None:
        self._dit = Dit(estimator, dtype=dtype)

    @torch.inference_mode()
    def __call__(
        self, rows: Sequence[FlowRow], *, diffusion_steps: int = 25, cfg_rate: float = 0.7
    ) -> list[Tensor]:
        """The rows' mels, in their order.

        Args:
            rows: any number of any lengths; memory grows with the sum of their frames.
            diffusion_steps: Euler steps, at least 1.
            cfg_rate: weight of classifier-free guidance; 0 computes no unconditional branch.

        Returns:
            Log-mels of shape (80, T - Tp), float32, on the estimator's device.
        """
        if not rows:
            return []
        # Rows of one length lie side by side, so that one attention call takes them all.
        order = sorted(range(len(rows)), key=lambda row: rows[row].condition.shape[0])
        rows = [rows[row] for row in order]
        dit = self._dit
        packing = Packing(
            [row.condition.shape[0] for row in rows],
            [row.prompt_mel.shape[1] for row in rows],
            branches=2 if cfg_rate > 0 else 1,
            reach=dit.reach,
            device=dit.device,
        )
        fixed = dit.embed(
            packing,
            [row.condition for row in rows],
            [row.prompt_mel for row in rows],
            [row.style for row in rows],
        )
        times, steps = euler_times(diffusion_steps)
        modulation = dit.modulate(times.to(dit.device))
        x = torch.cat([row.noise[:, row.prompt_mel.shape[1] :].T for row in rows])
        x = x.to(dit.device, torch.float32)
        for step, width in enumerate(steps):
            velocity = dit(packing, fixed, modulation, step, x)
            if packing.branches > 1:
                conditional, unconditional = velocity.chunk(2)
                velocity = (1.0 + cfg_rate) * conditional - cfg_rate * unconditional
            x = x + width * velocity
        mels = torch.split(x, packing.target_lens)
        done: list[Tensor] = [x] * len(rows)
        for row, mel in zip(order, mels, strict=True):
            done[row] = mel.T.contiguous()
        return done


def euler_times(steps: int) -> tuple[Tensor, list[float]]:
    """Where each Euler step starts and how wide it is, rounded as the oracle rounds.

    Returns:
        Times of shape (steps,), float32, from 0; and the widths.
    """
    grid = torch.linspace(0, 1, steps + 1)
    widths = grid[1:] - grid[:-1]
    times = [grid[0]]
    for width in widths[:-1]:
        times.append(times[-1] + width)
    return torch.stack(times), widths.tolist()


def group_rows(lens: Sequence[int], *, max_waste: float, max_frames: int) -> list[list[int]]:
    """Rows that are worth computing together: of about one length, and few enough for memory.

    Args:
        lens: frames of each row, at least 1.
        max_waste: in a group, the share of frames that padding to its longest row would add to
            all that are computed, in [0, 1).
        max_frames: most frames of a group, padding included; a longer row is a group by itself.

    Returns:
        Indexes into ``lens``, each once; groups and their rows from the shortest to the longest.
    """
    groups: list[list[int]] = []
    frames = 0
    for row in sorted(range(len(lens)), key=lambda row: lens[row]):
        padded = lens[row] * (len(groups[-1]) + 1) if groups else 0
        wasted = padded - frames - lens[row]
        if groups and padded <= max_frames and wasted <= max_waste * padded:
            groups[-1].append(row)
            frames += lens[row]
        else:
            groups.append([row])
            frames = lens[row]
    return groups
