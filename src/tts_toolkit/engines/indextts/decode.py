"""Text into codes, many segments at once: a row that is done leaves, the next takes its place."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch

from tts_toolkit.engines.indextts.graphs import CudaCapture, StepGraphs
from tts_toolkit.engines.indextts.kv_cache import KVCache
from tts_toolkit.engines.indextts.memory import room_for
from tts_toolkit.engines.indextts.sampling import Sampling, SamplingRows, choose_codes, uniforms
from tts_toolkit.engines.indextts.scheduler import Scheduler

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from torch import Tensor

    from tts_toolkit.engines.indextts.gpt import GPT, Prompt

# Token 1 fills transformers' fake prompt ids, which its repetition penalty counts as said.
_FAKE_ID = 1


@dataclass(frozen=True, eq=False)
class DecodeRequest:
    """A segment that wants codes.

    Attributes:
        key: the caller's own.
        prompt: what it is made from.
        sampling: how its codes are chosen.
        seed: of the utterance.
        segment: its number in the utterance, from 0.
    """

    key: Any
    prompt: Prompt
    sampling: Sampling
    seed: int
    segment: int


@dataclass(frozen=True, eq=False)
class Decoded:
    """A segment's codes.

    Attributes:
        request: that they answer.
        codes: shape (N,), int64, on the CPU, without the stop code.
        capped: whether the cap on codes ended it.
    """

    request: DecodeRequest
    codes: Tensor
    capped: bool


@dataclass(eq=False)
class _Row:
    request: DecodeRequest
    length: int
    codes: list[int] = field(default_factory=list)


class Decoder:
    """A batch that goes on for as long as there are segments.

    Args:
        gpt: the model.
        slots: how many segments decode at once, at most.
        most_tokens: text tokens of the longest segment.
        most_codes: cap on the codes of any segment.
        graphs: whether steps are replayed as CUDA graphs, where there is CUDA.

    Raises:
        DeviceMissingError: if there is no memory for so many slots.
    """

    def __init__(
        self, gpt: GPT, *, slots: int, most_tokens: int, most_codes: int, graphs: bool = False
    ) -> None:
        self._gpt = gpt
        self._captures = graphs and gpt.device.type == "cuda"
        self._most_codes = min(most_codes, gpt.most_codes)
        self._most_tokens = min(most_tokens, gpt.most_tokens)
        self._scheduler: Scheduler[_Row] = Scheduler(slots)
        self._parameters: SamplingRows | None = None
        self._allocate(slots)

    @property
    def free(self) -> int:
        """Slots that neither decode nor are spoken for by a waiting segment."""
        return max(0, self._scheduler.free - self._scheduler.waiting)

    @property
    def active(self) -> int:
        """Segments that decode."""
        return len(self._scheduler.active)

    @property
    def decoding(self) -> list[DecodeRequest]:
        """The segments that decode, by their slots."""
        return [row.request for row in self._scheduler.active]

    @property
    def slots(self) -> int:
        """Segments that decode at once, at most."""
        return self._scheduler.limit

    @property
    def idle(self) -> bool:
        """Whether there is nothing to do."""
        return not self._scheduler.active and not self._scheduler.waiting

    def add(self, requests: Iterable[DecodeRequest]) -> None:
        """Queue segments.

        Raises:
            ValueError: for a text of more tokens than a slot is made for.
        """
        rows = []
        for request in requests:
            if len(request.prompt.tokens) > self._most_tokens:
                raise ValueError(f"{len(request.prompt.tokens)} tokens do not fit into a slot")
            rows.append(_Row(request, 0))
        self._scheduler.add(rows)

    def bytes_of(self, request: DecodeRequest) -> int:
        """Keys and values of a slot that would just hold this segment."""
        shape = self._gpt.cache_shape(
            most_tokens=len(request.prompt.tokens),
            most_codes=min(request.sampling.max_codes, self._most_codes),
        )
        return shape.slot_bytes(self._gpt.dtype)

    def cancel(self, unwanted: Callable[[DecodeRequest], bool]) -> None:
        """Forget segments, waiting or decoding."""
        self._scheduler.drop_waiting(lambda row: unwanted(row.request))
        for slot in reversed(range(len(self._scheduler.active))):
            if unwanted(self._scheduler.active[slot].request):
                self._leave(slot)

    @torch.inference_mode()
    def step(self) -> list[Decoded]:
        """One code for every row that decodes; the segments that ended with it."""
        running = len(self._scheduler.active)
        logits = []
        if running:
            logits.append(self._advance(running))
        admitted = self._scheduler.admit()
        if admitted:
            logits.append(self._begin(admitted))
        if not logits:
            return []
        return self._take(torch.cat(logits))

    def halve(self) -> int:
        """After running out of memory: half as many slots, and every row begins again.

        Returns:
            The slots from now on.

        Raises:
            DeviceMissingError: if there is no memory for these either.
        """
        slots = max(1, self._scheduler.limit // 2)
        self._scheduler.restart(slots)
        self._parameters = None
        del self._graphs, self._cache  # before their successors ask for memory
        self._allocate(slots)
        return slots

    def _allocate(self, slots: int) -> None:
        gpt, device = self._gpt, self._gpt.device
        shape = gpt.cache_shape(most_tokens=self._most_tokens, most_codes=self._most_codes)
        with room_for(
            f"keys and values of {slots} segments at once",
            slots * shape.slot_bytes(gpt.dtype),
            device,
            "set a smaller --batch-size, --max-codes or --segment-tokens, or another --dtype",
        ):
            self._cache = KVCache(shape, slots, dtype=gpt.dtype, device=device)
            # By slot: the state of its row that a step needs on the device.
            self._seen = torch.zeros(slots, gpt.vocabulary, dtype=torch.bool, device=device)
            self._uniform = torch.zeros(slots, self._most_codes, dtype=torch.float64, device=device)
            self._codes = torch.zeros(slots, dtype=torch.int64, device=device)
            self._said = torch.zeros(slots, dtype=torch.int64, device=device)
            self._lens = torch.zeros(slots, dtype=torch.int64, device=device)
            self._graphs = self._step_graphs() if self._captures else None

    def _step_graphs(self) -> StepGraphs:
        state = (self._codes, self._said, self._lens)
        return StepGraphs(self._gpt, self._cache, *state, capture=CudaCapture(self._gpt.device))

    def _advance(self, running: int) -> Tensor:
        """Logits of the rows in slots 0 to ``running`` - 1, after their last codes."""
        longest = max(row.length for row in self._scheduler.active)
        if self._graphs is not None:
            logits = self._graphs(running, longest)
        else:
            logits = self._gpt.step(
                self._codes[:running],
                self._said[:running],
                self._lens[:running],
                self._cache,
                longest=longest,
            )
        self._lens[:running] += 1
        for row in self._scheduler.active:
            row.length += 1
        return logits

    def _begin(self, admitted: list[tuple[int, _Row]]) -> Tensor:
        """Logits of the first codes of new rows."""
        embedded = [self._gpt.embed(row.request.prompt) for _, row in admitted]
        slots = [slot for slot, _ in admitted]
        logits = self._gpt.prefill(embedded, slots, self._cache)
        for (slot, row), prompt in zip(admitted, embedded, strict=True):
            row.length = len(prompt)
            row.codes.clear()
            self._lens[slot] = row.length
            self._said[slot] = 0
            self._seen[slot] = False
            self._seen[slot, [_FAKE_ID, self._gpt.start_code]] = True
            if row.request.sampling.temperature:
                drawn = uniforms(row.request.seed, row.request.segment, self._most_codes)
                self._uniform[slot] = drawn.to(self._uniform.device)
        self._parameters = None
        return logits

    def _take(self, logits: Tensor) -> list[Decoded]:
        """Choose each row's next code, and let go of the rows that it ends."""
        rows = self._scheduler.active
        count = len(rows)
        if self._parameters is None:
            self._parameters = SamplingRows.of(
                [row.request.sampling for row in rows],
                vocabulary=self._gpt.vocabulary,
                device=logits.device,
            )
        drawn = self._uniform[:count].gather(1, self._said[:count, None]).squeeze(1)
        codes = choose_codes(logits, self._seen[:count], drawn, self._parameters)
        self._codes[:count] = codes
        self._said[:count] += 1
        self._seen[:count].scatter_(1, codes.unsqueeze(1), value=True)
        ended = []
        for slot, code in enumerate(codes.tolist()):
            row = rows[slot]
            stops = code == self._gpt.stop_code
            if not stops:
                row.codes.append(code)
            cap = min(row.request.sampling.max_codes, self._most_codes)
            if stops or len(row.codes) >= cap:
                made = torch.tensor(row.codes, dtype=torch.int64)
                ended.append((slot, Decoded(row.request, made, capped=not stops)))
        for slot, _ in reversed(ended):
            self._leave(slot)
        return [decoded for _, decoded in ended]

    def _leave(self, slot: int) -> None:
        moved_from = self._scheduler.leave(slot).moved_from
        if moved_from is not None:
            length = self._scheduler.active[slot].length
            self._cache.move(moved_from, slot, length)
            for state in (self._seen, self._uniform, self._codes, self._said, self._lens):
                state[slot] = state[moved_from]
        self._parameters = None
