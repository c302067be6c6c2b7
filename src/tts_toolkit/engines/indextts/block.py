"""One transformer block of the flow's estimator, frame by frame: all of it but attention."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn.functional import linear, silu

if TYPE_CHECKING:
    from indextts25.s2mel.modules.gpt_fast.model import TransformerBlock
    from torch import Tensor


class Block:
    """One transformer block's weights, in the dtype of the products."""

    def __init__(self, block: TransformerBlock, dtype: torch.dtype) -> None:
        attention, feed_forward = block.attention, block.feed_forward
        self._heads: int = attention.n_head
        self._in = attention.wqkv.weight.detach().to(dtype)
        self._gate = feed_forward.w1.weight.detach().to(dtype)
        self._up = feed_forward.w3.weight.detach().to(dtype)
        self.out = attention.wo.weight.detach().to(dtype)
        self.down = feed_forward.w2.weight.detach().to(dtype)
        if block.uvit_skip_connection:
            width = self.out.shape[0]
            skip = block.skip_in_linear
            self._own, self._skipped = skip.weight.detach().to(dtype).split(width, dim=1)
            self._merge_bias = skip.bias.detach()

    def merge(self, x: Tensor, skipped: Tensor) -> Tensor:
        """What an earlier layer handed on, mixed in: (frames, 512), float32."""
        merged = plus_product(self._merge_bias.expand_as(x), x, self._own)
        return plus_product(merged, skipped, self._skipped)

    def project(self, x: Tensor, rotation: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values: (frames, heads, head dimension) each."""
        q, k, v = linear(x, self._in).chunk(3, dim=1)
        return self._rotated(q, rotation), self._rotated(k, rotation), self._split(v)

    def project_queries(self, x: Tensor, rotation: Tensor) -> Tensor:
        """The same, queries only."""
        return self._rotated(linear(x, self._in[: x.shape[1]]), rotation)

    def project_keys(self, x: Tensor, rotation: Tensor) -> tuple[Tensor, Tensor]:
        """The same, keys and values only."""
        k, v = linear(x, self._in[x.shape[1] :]).chunk(2, dim=1)
        return self._rotated(k, rotation), self._split(v)

    def gated(self, x: Tensor) -> Tensor:
        """The inside of the feed-forward: (frames, 1536)."""
        return silu(linear(x, self._gate), inplace=True).mul_(linear(x, self._up))

    def _split(self, x: Tensor) -> Tensor:
        return x.view(len(x), self._heads, -1)

    def _rotated(self, x: Tensor, rotation: Tensor) -> Tensor:
        """Rotary positions: neighbouring channels are one complex number; float32 inside."""
        pairs = torch.view_as_complex(x.float().view(len(x), self._heads, -1, 2))
        return torch.view_as_real(pairs.mul_(rotation)).flatten(2).to(x.dtype)


def plus_product(x: Tensor, factor: Tensor, weight: Tensor) -> Tensor:
    """``x + factor @ weight.T``; x and the result float32, the product in the weight's dtype."""
    if weight.dtype == torch.float32:
        return torch.addmm(x, factor, weight.t())
    return x + linear(factor.to(weight.dtype), weight)
