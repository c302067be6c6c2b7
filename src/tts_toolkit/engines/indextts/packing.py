"""Rows of different lengths end to end, and attention over them."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import torch
from torch.nn.functional import scaled_dot_product_attention

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor


class Packing:
    """Where rows lie end to end. All indexes are int64, on the device.

    With two branches, all rows come a second time for the unconditional one. A row's *tail* is
    what the WaveNet head needs: the target and, before it, as much of the prompt as it sees.

    Args:
        lens: frames of each row, prompt and target.
        prompt_lens: of these, the prompt's; fewer than all.
        branches: 1, or 2 with classifier-free guidance.
        reach: frames that the WaveNet head sees to each side.
        device: of the indexes.
    """

    def __init__(
        self,
        lens: Sequence[int],
        prompt_lens: Sequence[int],
        *,
        branches: int,
        reach: int,
        device: torch.device,
    ) -> None:
        self.branches = branches
        self.lens = list(lens)
        self.prompt_lens = list(prompt_lens)
        self.target_lens = [t - p for t, p in zip(lens, prompt_lens, strict=True)]
        self.tail_lens = [t - max(0, p - reach) for t, p in zip(lens, prompt_lens, strict=True)]
        tail = _ends(lens, self.tail_lens)
        self.target = _ends(lens, self.target_lens).to(device)
        self.tail = tail.to(device)
        total = sum(lens)
        self.tails = torch.cat([tail + branch * total for branch in range(branches)]).to(device)
        self.targets_in_tails = _ends(self.tail_lens * branches, self.target_lens * branches).to(
            device
        )
        self.positions = torch.cat([torch.arange(length) for length in lens] * branches).to(device)
        self.attention = Attention(lens, lens, branches=branches, device=device)
        self.tail_attention = Attention(self.tail_lens, lens, branches=branches, device=device)


class Attention:
    """Softmax attention in which each row sees itself only.

    Args:
        query_lens: frames of each row that ask.
        key_lens: frames of each row that are asked.
        branches: how many times the rows come.
        device: of the tensors that it will get.
        padded: pad the rows to one length rather than call once for each length; by default on
            CUDA.
    """

    def __init__(
        self,
        query_lens: Sequence[int],
        key_lens: Sequence[int],
        *,
        branches: int,
        device: torch.device,
        padded: bool | None = None,
    ) -> None:
        pairs = list(zip(query_lens, key_lens, strict=True)) * branches
        self._runs = [(len(list(run)), *pair) for pair, run in groupby(pairs)]
        if padded is None:
            padded = device.type == "cuda"
        self._padded = padded and len(self._runs) > 1
        if self._padded:
            self._queries, self._answers = _padding([q for q, _ in pairs], device)
            self._keys, _ = _padding([k for _, k in pairs], device)
            lens = torch.tensor([k for _, k in pairs], device=device)
            seen = torch.arange(max(key_lens), device=device)[None] < lens[:, None]
            self._mask = seen[:, None, None]

    def __call__(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Attend.

        Args:
            q: shape (query frames, heads, head dimension), the rows end to end.
            k: shape (key frames, heads, head dimension).
            v: the same.

        Returns:
            Shape (query frames, heads x head dimension).
        """
        if self._padded:
            # A frame that only fills up is a copy of some frame: finite, and masked as a key.
            batch = len(self._mask)
            asked = _heads(q.index_select(0, self._queries), batch)
            keys = _heads(k.index_select(0, self._keys), batch)
            values = _heads(v.index_select(0, self._keys), batch)
            out = scaled_dot_product_attention(asked, keys, values, attn_mask=self._mask)
            return out.transpose(1, 2).flatten(0, 1).index_select(0, self._answers).flatten(1)
        answers, query, key = [], 0, 0
        for count, query_len, key_len in self._runs:
            asking = slice(query, query + count * query_len)
            seen = slice(key, key + count * key_len)
            out = scaled_dot_product_attention(
                _heads(q[asking], count), _heads(k[seen], count), _heads(v[seen], count)
            )
            answers.append(out.transpose(1, 2).flatten(0, 1))
            query, key = asking.stop, seen.stop
        return (answers[0] if len(answers) == 1 else torch.cat(answers)).flatten(1)


def _heads(x: Tensor, batch: int) -> Tensor:
    """Frames of equally long rows, end to end, as attention takes them: heads before frames."""
    return x.view(batch, -1, *x.shape[1:]).transpose(1, 2)


def _ends(lens: Sequence[int], end_lens: Sequence[int]) -> Tensor:
    """Places, where rows of ``lens`` lie end to end, of each row's last frames."""
    places, end = [], 0
    for length, end_len in zip(lens, end_lens, strict=True):
        end += length
        places.append(torch.arange(end - end_len, end))
    return torch.cat(places)


def _padding(lens: Sequence[int], device: torch.device) -> tuple[Tensor, Tensor]:
    """Which frame goes where in a padded batch, and where in it each frame is."""
    longest = max(lens)
    into, out_of, start = [], [], 0
    for row, length in enumerate(lens):
        into.append((start + torch.arange(longest)).clamp(max=start + length - 1))
        out_of.append(row * longest + torch.arange(length))
        start += length
    return torch.cat(into).to(device), torch.cat(out_of).to(device)
