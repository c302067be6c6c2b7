"""Linear maps of a few rows at a time, which is what a decoding step consists of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor, nn
    from transformers.pytorch_utils import Conv1D

# With up to so many rows the weights are the large factor. On two cores with AVX2, 16 rows took
# half of the time the other way round (0.22 and 0.43 s a step), and 4 a third of it.
_FEW_ROWS = 64


class Projection:
    """``x @ weight + bias``.

    A processor's matrix product is made for a left factor with many rows: of ``few rows x weight``
    it reads the weights at a fraction of its bandwidth. So there the product of few rows is
    computed the other way round, ``weight' x rows'``, which needs ``weight'`` row by row in memory.

    Args:
        weight: shape (out, in).
        bias: shape (out,).
    """

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        self._weight = weight
        self._bias = bias
        self._swaps = weight.device.type == "cpu" and weight.dtype == torch.float32

    @staticmethod
    def of_linear(layer: nn.Linear) -> Projection:
        """Of torch's layer."""
        return Projection(layer.weight, layer.bias)

    @staticmethod
    def of_conv1d(layer: Conv1D) -> Projection:
        """Of transformers' ``Conv1D``, whose weight is (in, out).

        On a processor the layer's weight is laid out anew, in the layer too, so that it is in
        memory once.
        """
        if layer.weight.device.type == "cpu":
            layer.weight.data = layer.weight.data.t().contiguous().t()
        return Projection(layer.weight.t(), layer.bias)

    def __call__(self, x: Tensor) -> Tensor:
        """Of x, shape (..., in); the result is (..., out)."""
        rows = x.numel() // x.shape[-1]
        if not self._swaps or rows > _FEW_ROWS:
            return functional.linear(x, self._weight, self._bias)
        flat = x.reshape(rows, -1)
        out = torch.addmm(self._bias.unsqueeze(1), self._weight, flat.t())
        return out.t().contiguous().view(*x.shape[:-1], -1)
