"""Choosing the next code of each row, in the order and with the meaning that transformers has.

Repetition penalty, temperature, top-k, top-p, as ``RepetitionPenaltyLogitsProcessor``,
``TemperatureLogitsWarper``, ``TopKLogitsWarper`` and ``TopPLogitsWarper`` do it one after the
other. The draw is our own: one uniform number a code, from a generator that belongs to the row, so
that neither its neighbours nor its slot decide what a row says.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor


@dataclass(frozen=True)
class Sampling:
    """How a row's codes are chosen; the defaults are IndexTTS's.

    Attributes:
        temperature: above 0; 0 always takes the likeliest code (greedy).
        top_k: keep so many of the likeliest codes; 0 keeps all.
        top_p: keep the likeliest codes that together have this probability; 1 keeps all.
        repetition_penalty: divides the score of codes that the row has already; 1 is none.
        max_codes: cap on a segment's codes; 25 are a second.
    """

    temperature: float = 0.8
    top_k: int = 30
    top_p: float = 0.8
    repetition_penalty: float = 10.0
    max_codes: int = 1500


def uniforms(seed: int, segment: int, count: int) -> Tensor:
    """The numbers that decide a segment's draws.

    Args:
        seed: of the utterance.
        segment: its number in the utterance.
        count: how many.

    Returns:
        Shape (count,), float64, in [0, 1), on the CPU; a prefix of those for a larger count.
    """
    # Hashed together: seed 1, segment 0 has nothing to do with seed 0, segment 1.
    digest = sha256(f"{seed}/{segment}".encode()).digest()
    generator = torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)
    return torch.rand(count, generator=generator, dtype=torch.float64)


@dataclass(frozen=True, eq=False)
class SamplingRows:
    """The parameters of some rows, as tensors: each (B, 1).

    Attributes:
        temperature: float32; 1 where ``greedy``.
        top_k: int64; the size of the vocabulary where nothing is cut.
        top_p: float32.
        repetition_penalty: float32.
        greedy: bool.
        samples: whether any row is not greedy.
        cuts_k: whether any row has a top-k.
        cuts_p: whether any row has a top-p.
    """

    temperature: Tensor
    top_k: Tensor
    top_p: Tensor
    repetition_penalty: Tensor
    greedy: Tensor
    samples: bool
    cuts_k: bool
    cuts_p: bool

    @staticmethod
    def of(rows: Sequence[Sampling], *, vocabulary: int, device: torch.device) -> SamplingRows:
        """Of so many rows, for logits of so many codes."""

        def column(values: list[float], dtype: torch.dtype) -> Tensor:
            return torch.tensor(values, dtype=dtype, device=device).unsqueeze(1)

        top_k = [min(row.top_k, vocabulary) or vocabulary for row in rows]
        return SamplingRows(
            temperature=column([row.temperature or 1.0 for row in rows], torch.float32),
            top_k=column([float(k) for k in top_k], torch.int64),
            top_p=column([row.top_p for row in rows], torch.float32),
            repetition_penalty=column([row.repetition_penalty for row in rows], torch.float32),
            greedy=column([float(not row.temperature) for row in rows], torch.bool),
            samples=any(row.temperature for row in rows),
            cuts_k=any(k < vocabulary for k in top_k),
            cuts_p=any(row.top_p < 1 for row in rows),
        )


def choose_codes(logits: Tensor, seen: Tensor, uniform: Tensor, rows: SamplingRows) -> Tensor:
    """The next code of each row.

    Args:
        logits: shape (B, V), float32.
        seen: shape (B, V), bool: what the repetition penalty counts as said.
        uniform: shape (B,), float64, in [0, 1): a number of each row's own.
        rows: the rows' parameters.

    Returns:
        Shape (B,), int64.
    """
    penalty = rows.repetition_penalty
    penalised = torch.where(logits < 0, logits * penalty, logits / penalty)
    scores = torch.where(seen, penalised, logits)
    likeliest = scores.argmax(dim=-1)
    if not rows.samples:
        return likeliest
    scores = _keep_top_p(_keep_top_k(scores / rows.temperature, rows), rows)
    # The first code at which the summed probability passes the number.
    summed = scores.double().softmax(dim=-1).cumsum(dim=-1)
    drawn = torch.searchsorted(summed, uniform.unsqueeze(1) * summed[:, -1:], right=True)
    # Rounding may leave the last code with nothing beyond it.
    drawn = drawn.clamp(max=scores.shape[-1] - 1).squeeze(1)
    return torch.where(rows.greedy.squeeze(1), likeliest, drawn)


def _keep_top_k(scores: Tensor, rows: SamplingRows) -> Tensor:
    if not rows.cuts_k:
        return scores
    most = int(rows.top_k[rows.top_k < scores.shape[-1]].max()) if rows.cuts_k else 0
    values = scores.topk(most, dim=-1).values
    least = values.gather(1, (rows.top_k - 1).clamp(max=most - 1))
    # What equals the k-th stays too, as transformers has it.
    keeps_all = rows.top_k >= scores.shape[-1]
    return scores.masked_fill((scores < least) & ~keeps_all, -torch.inf)


def _keep_top_p(scores: Tensor, rows: SamplingRows) -> Tensor:
    if not rows.cuts_p:
        return scores
    ordered, order = scores.sort(dim=-1)
    cut = ordered.softmax(dim=-1).cumsum(dim=-1) <= 1 - rows.top_p
    cut[:, -1] = False  # at least one
    cut &= rows.top_p < 1
    return scores.masked_fill(cut.scatter(1, order, cut), -torch.inf)
