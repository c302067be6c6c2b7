"""The decoding step as CUDA graphs: a card gets hundreds of kernels with one launch.

A graph has fixed shapes, so there is one for each pair of a number of rows and a number of
positions, both rounded up; a step takes the smallest that holds it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from tts_toolkit.engines.indextts.gpt import GPT
    from tts_toolkit.engines.indextts.kv_cache import KVCache

    # From work to a replay of it. The work is done again with whatever its tensors then hold.
    Capture = Callable[[Callable[[], None]], Callable[[], None]]

# Attention reads all positions of a graph. Finer steps would read less and be more graphs.
_POSITIONS = 128


def bucket_rows(running: int, slots: int) -> int:
    """Rows of the graph for so many: a power of two, or all slots."""
    return min(1 << (running - 1).bit_length(), slots)


def bucket_positions(positions: int, capacity: int) -> int:
    """Positions of the graph for so many: a multiple of 128, or all that a slot has."""
    return min(-(-positions // _POSITIONS) * _POSITIONS, capacity)


class StepGraphs:
    """``GPT.step`` over a decoder's slots, captured once for each pair of buckets.

    A graph's rows beyond those that run are slots that nobody uses. That harms nobody:

    - What they hold was left by the last segment there, or is zero: a code and a number of codes
      that have embeddings, and a length below the slot's capacity, since a segment ends before its
      slot is full. So every index stays in range.
    - They write into their own slot, in one place, and the next prompt there begins anew.
    - Each attends to one position at least and all that it sees is finite, and no row sees another.

    All that a graph reads and leaves is outside of the graphs' own memory, so they may share that
    and run in any order.

    Args:
        gpt: the model.
        cache: keys and values of the slots.
        codes: shape (slots,), int64: as ``GPT.step`` takes them, and so the others.
        said: shape (slots,), int64.
        lens: shape (slots,), int64.
        capture: how work becomes a graph.
    """

    def __init__(
        self,
        gpt: GPT,
        cache: KVCache,
        codes: Tensor,
        said: Tensor,
        lens: Tensor,
        *,
        capture: Capture,
    ) -> None:
        self._gpt = gpt
        self._cache = cache
        self._codes, self._said, self._lens = codes, said, lens
        self._capture = capture
        self._logits = torch.empty(cache.slots, gpt.vocabulary, device=codes.device)
        self._replays: dict[tuple[int, int], Callable[[], None]] = {}

    def __call__(self, running: int, longest: int) -> Tensor:
        """One step of slots 0 to ``running`` - 1.

        Args:
            running: at least 1.
            longest: the largest of their lengths, before.

        Returns:
            Logits, shape (running, V), float32; the next step overwrites them.
        """
        rows = bucket_rows(running, self._cache.slots)
        upto = bucket_positions(longest + 1, self._cache.shape.capacity)
        if (rows, upto) not in self._replays:
            self._replays[rows, upto] = self._capture(lambda: self._step(rows, upto))
        self._replays[rows, upto]()
        return self._logits[:running]

    def _step(self, rows: int, upto: int) -> None:
        self._logits[:rows] = self._gpt.step(
            self._codes[:rows],
            self._said[:rows],
            self._lens[:rows],
            self._cache,
            longest=upto - 1,
        )


class CudaCapture:
    """Captures work on a card. The graphs share one pool of memory.

    Args:
        device: the card.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self._pool = torch.cuda.graph_pool_handle()

    def __call__(self, work: Callable[[], None]) -> Callable[[], None]:
        """A replay of the work, which must neither wait for the card nor read its results.

        The work is done once, to warm up, so it must not matter if it is done twice.
        """
        with torch.cuda.device(self._device):
            current = torch.cuda.current_stream()
            self._stream.wait_stream(current)
            with torch.cuda.stream(self._stream):
                work()
            current.wait_stream(self._stream)
            graph = torch.cuda.CUDAGraph()
            # Other threads of the process may use the card meanwhile.
            with torch.cuda.graph(
                graph, pool=self._pool, stream=self._stream, capture_error_mode="thread_local"
            ):
                work()
        return graph.replay
