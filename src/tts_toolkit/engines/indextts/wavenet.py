"""The WaveNet head of the flow's estimator, over rows that lie end to end.

A convolution of it pads by *reflection*: a row alone sees its own first and last frames mirrored.
So each row has a margin on both sides, and before every convolution the margins are filled with
what the row alone would see there. Then one matrix product over windows convolves all rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from indextts25.s2mel.modules.wavenet import WN
    from torch import Tensor


def reflected(index: int, length: int, pad: int) -> int | None:
    """The frame that a row alone sees at ``index``, beyond one of its ends.

    Args:
        index: in [-pad, 0) or [length, length + pad).
        length: the row's frames, at least 1.
        pad: frames of padding on each side.

    Returns:
        A frame's index in [0, length), or None where zero is seen: a row that is too short to be
        reflected is lengthened by zeros first.
    """
    lengthened = max(length, pad + 1)
    if length <= index < lengthened:
        return None
    frame = -index if index < 0 else 2 * (lengthened - 1) - index
    return frame if frame < length else None


class Margins:
    """Where rows lie in the head's buffer and what belongs beside them.

    Args:
        lens: frames of each row.
        pads: padding of each convolution.
        device: of the indexes.

    Attributes:
        widest: the largest padding: the margin on each side of a row.
        size: the buffer's rows without the row of zeros that comes last.
        frames: shape (sum of lens,), int64: each frame's place in the buffer.
    """

    def __init__(self, lens: Sequence[int], pads: Sequence[int], device: torch.device) -> None:
        self.widest = max(pads)
        starts = []
        start = self.widest
        for length in lens:
            starts.append(start)
            start += length + 2 * self.widest
        self.size = start - self.widest
        self.frames = torch.cat(
            [torch.arange(at, at + length) for at, length in zip(starts, lens, strict=True)]
        ).to(device)
        self._edges: dict[int, tuple[Tensor, Tensor]] = {}
        for pad in set(pads):
            into, out_of = [], []
            for at, length in zip(starts, lens, strict=True):
                for index in (*range(-pad, 0), *range(length, length + pad)):
                    frame = reflected(index, length, pad)
                    into.append(at + index)
                    out_of.append(self.size if frame is None else at + frame)
            self._edges[pad] = (
                torch.tensor(into, dtype=torch.int64, device=device),
                torch.tensor(out_of, dtype=torch.int64, device=device),
            )

    def fill(self, buffer: Tensor, pad: int) -> None:
        """Write the margins for a convolution that pads by ``pad``."""
        into, out_of = self._edges[pad]
        buffer.index_copy_(0, into, buffer.index_select(0, out_of))


class WaveNet:
    """The stack of gated convolutions.

    Args:
        wavenet: ``DiT.wavenet``, float32.
        dtype: of the matrix products.

    Attributes:
        pads: padding of each convolution, in frames.
        reach: how far a frame of the output sees in the input, in frames.
    """

    def __init__(self, wavenet: WN, *, dtype: torch.dtype) -> None:
        self._dtype = dtype
        self._width: int = wavenet.hidden_channels
        self._gates = wavenet.cond_layer.conv.conv
        convolutions = [layer.conv.conv for layer in wavenet.in_layers]
        self._dilations = [layer.dilation[0] for layer in convolutions]
        self._kernels = [layer.kernel_size[0] for layer in convolutions]
        self.pads = [
            dilation * (kernel - 1) // 2
            for dilation, kernel in zip(self._dilations, self._kernels, strict=True)
        ]
        self.reach = sum(self.pads)
        self._inner_bias = [layer.bias for layer in convolutions]
        # A window of frames is a row, frame after frame, so the taps come before the channels.
        self._inner = [
            layer.weight.detach().permute(0, 2, 1).flatten(1).to(dtype).t()
            for layer in convolutions
        ]
        outer = [layer.conv.conv for layer in wavenet.res_skip_layers]
        self._outer = [layer.weight.detach()[:, :, 0].to(dtype).t() for layer in outer]
        self._outer_bias = [layer.bias.detach().to(dtype) for layer in outer]

    def gates(self, timestep: Tensor) -> list[Tensor]:
        """What the timestep adds in each layer, with the layer's bias: (steps, 1024) each.

        Args:
            timestep: shape (steps, 512), float32.
        """
        gates = torch.nn.functional.linear(timestep, self._gates.weight[:, :, 0], self._gates.bias)
        return [
            (gate + bias).to(self._dtype)
            for gate, bias in zip(gates.chunk(len(self._inner), 1), self._inner_bias, strict=True)
        ]

    def __call__(self, x: Tensor, margins: Margins, gates: Sequence[Tensor]) -> Tensor:
        """Run the stack.

        Args:
            x: shape (frames, 512), float32: the rows end to end.
            margins: of those rows.
            gates: each layer's, shape (1024,), of this step.

        Returns:
            Shape (frames, 512), float32.
        """
        width, widest = self._width, margins.widest
        buffer = x.new_zeros(margins.size + 1, width)
        buffer.index_copy_(0, margins.frames, x)
        # Frames and margins alike: a margin's results are never looked at.
        inside = buffer[widest : margins.size - widest]
        skipped = torch.zeros_like(inside)
        last = len(self._inner) - 1
        for layer, gate in enumerate(gates):
            pad = self.pads[layer]
            margins.fill(buffer, pad)
            source = buffer.to(self._dtype)
            windows = source.as_strided(
                (len(inside), self._kernels[layer], width),
                (width, self._dilations[layer] * width, 1),
                (widest - pad) * width,
            ).reshape(len(inside), -1)
            mixed = torch.addmm(gate, windows, self._inner[layer])
            active = mixed[:, :width].tanh().mul_(mixed[:, width:].sigmoid_())
            out = torch.addmm(self._outer_bias[layer], active, self._outer[layer])
            if layer < last:
                inside += out[:, :width]
                skipped += out[:, width:]
            else:
                skipped += out
        return skipped.index_select(0, margins.frames - widest)
