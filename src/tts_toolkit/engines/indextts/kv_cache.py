"""Keys and values of the rows that decode, in slots of one size."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class CacheShape:
    """Of what one slot holds.

    Attributes:
        layers: of the transformer.
        heads: of each layer.
        head_dim: numbers a head has for a position.
        capacity: positions in a slot: the longest prompt and the codes after it.
    """

    layers: int
    heads: int
    head_dim: int
    capacity: int

    def slot_bytes(self, dtype: torch.dtype) -> int:
        """Memory of one slot in bytes: keys and values of every layer."""
        numbers = 2 * self.layers * self.heads * self.head_dim * self.capacity
        return numbers * dtype.itemsize


class KVCache:
    """Preallocated keys and values; each slot is filled from its position 0.

    Rows are aligned at their beginning, so that a position is the same wherever the row stands and
    whatever its neighbours are. It begins as zeros: what lies beyond a row's end is masked, and a
    mask times not-a-number is not a number.

    Args:
        shape: of a slot.
        slots: how many.
        dtype: of keys and values.
        device: where they are.
    """

    def __init__(
        self, shape: CacheShape, slots: int, *, dtype: torch.dtype, device: torch.device
    ) -> None:
        self.shape = shape
        self.slots = slots
        size = (slots, shape.heads, shape.capacity, shape.head_dim)
        self._keys = [_zeros(size, dtype, device) for _ in range(shape.layers)]
        self._values = [_zeros(size, dtype, device) for _ in range(shape.layers)]

    def write_prompt(self, layer: int, slot: int, keys: Tensor, values: Tensor) -> None:
        """Fill a slot from its beginning.

        Args:
            layer: of the transformer.
            slot: to fill.
            keys: shape (heads, T, head_dim).
            values: the same.
        """
        length = keys.shape[1]
        self._keys[layer][slot, :, :length] = keys
        self._values[layer][slot, :, :length] = values

    def append(
        self, layer: int, lens: Tensor, keys: Tensor, values: Tensor, *, upto: int
    ) -> tuple[Tensor, Tensor]:
        """Add one position to slots 0 to B - 1 and return what these slots hold.

        Args:
            layer: of the transformer.
            lens: shape (B,), int64: how many positions each slot has, before.
            keys: shape (B, heads, head_dim).
            values: the same.
            upto: positions to return; at least the longest slot with its new one.

        Returns:
            Keys and values, each (B, heads, upto, head_dim); beyond a row's end they are anything.
        """
        rows = torch.arange(len(lens), device=lens.device)
        self._keys[layer][rows, :, lens] = keys
        self._values[layer][rows, :, lens] = values
        count = len(lens)
        return self._keys[layer][:count, :, :upto], self._values[layer][:count, :, :upto]

    def move(self, source: int, target: int, length: int) -> None:
        """Copy a slot's first positions into another slot."""
        for tensors in (self._keys, self._values):
            for tensor in tensors:
                tensor[target, :, :length] = tensor[source, :, :length]


def _zeros(size: tuple[int, ...], dtype: torch.dtype, device: torch.device) -> Tensor:
    if device.type != "cpu":
        return torch.zeros(size, dtype=dtype, device=device)
    # numpy takes zeroed pages from the system, which cost nothing until they are written, so a
    # slot costs what its row is long; torch would write zeros into all of them.
    count = math.prod(size) * dtype.itemsize
    return torch.from_numpy(np.zeros(count, dtype=np.uint8)).view(dtype).view(size)
