"""Memory: what things take, how it is shared out, and what is said when there is none left."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from tts_toolkit.devices.host import read_cpu
from tts_toolkit.errors import DeviceMissingError, EngineError, ModelMissingError

if TYPE_CHECKING:
    from collections.abc import Iterator

# Mel frames for which a row of the flow is counted: a prompt of 5 s and 6 s of speech.
ROW_FRAMES = 1000
# Of what is free once the weights are loaded, these shares may be keys and values, and rows of the
# flow. The rest is for the vocoder, for reference clips, and for what the estimates miss.
_CACHE_SHARE = 0.4
_FLOW_SHARE = 0.3
# What a mel frame takes in the flow, in bytes, with guidance and at the published widths. Measured
# on a processor, with rows of 300 to 4000 frames, 1 to 4 at a time, 43 % of them prompt: 82 kB are
# alive at once in float32 and 68 in bfloat16 (torch.profiler), and the process grows by 89 to 146
# (peak resident memory), since its allocator leaves gaps. This is about the most that was seen.
_FLOW_FRAME = 150_000
# How torch, its allocators, CUDA's libraries and the system say it, in lower case. Only the
# allocator of a card has an error class for it.
_SAID = ("out of memory", "can't allocate memory", "cannot allocate memory", "alloc_failed")


@dataclass(frozen=True)
class Plan:
    """How much goes on at once.

    Attributes:
        slots: segments that decode together.
        flow_rows: segments of ``ROW_FRAMES`` that go through the flow together.
    """

    slots: int
    flow_rows: int


def plan(
    free: int, *, slot_bytes: int, most_slots: int, most_rows: int, slots: int | None = None
) -> Plan:
    """Share out memory. There is one slot and one row at least, whether they fit or not.

    Args:
        free: what can be had once the weights are loaded, in bytes.
        slot_bytes: keys and values of a slot.
        most_slots: beyond these more slots gain little.
        most_rows: beyond these more rows gain little.
        slots: what the user asked for, which is taken as it is.
    """
    fitting = int(free * _CACHE_SHARE) // slot_bytes
    rows = int(free * _FLOW_SHARE) // flow_bytes(ROW_FRAMES)
    return Plan(
        slots=slots or max(1, min(most_slots, fitting)), flow_rows=max(1, min(most_rows, rows))
    )


def flow_bytes(frames: int) -> int:
    """About what the flow needs for a row of so many mel frames, prompt included, in bytes."""
    return frames * _FLOW_FRAME


def free_memory(device: torch.device) -> int:
    """What can be had on the device, in bytes; of the machine's, within the container's limit."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    return read_cpu().free


def out_of_memory(error: BaseException | None) -> bool:
    """Whether there was no memory left, on a card or in the machine; also if it is the cause."""
    while error is not None:
        if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
            return True
        if any(said in str(error).lower() for said in _SAID):
            return True
        error = error.__cause__
    return False


def shortage(said: str, doing: str, advice: str, device: torch.device) -> EngineError:
    """What to tell of an utterance that memory did not suffice for.

    Args:
        said: by torch.
        doing: what was being done and what it needs.
        advice: options to change, separated by commas.
        device: where; a card's user is told of the processor too.
    """
    elsewhere = "" if device.type == "cpu" else ", or --device cpu"
    return EngineError(f"out of memory {doing}; try {advice}{elsewhere} ({said})")


def gigabytes(size: int) -> str:
    """A size in bytes, for people: "0.40 GB"."""
    return f"{size / 1e9:.2f} GB"


def first_line(error: BaseException) -> str:
    """What an error's first cause says, without torch's advice in the lines behind."""
    while error.__cause__ is not None:
        error = error.__cause__
    return str(error).strip().partition("\n")[0] or type(error).__name__


@contextmanager
def room_for(what: str, needed: int, device: torch.device, advice: str) -> Iterator[None]:
    """Allocate something that everything else depends on.

    Only what the allocator refuses is refused: a processor's pages cost nothing until they are
    written, so what is free says little of what can be had.

    Args:
        what: in the plural, for the message.
        needed: bytes that it takes, or an estimate.
        device: where.
        advice: what to do if it does not fit.

    Raises:
        DeviceMissingError: if there is not enough memory: what is needed, what was free, and what
            to do.
    """
    free = 0
    try:
        free = free_memory(device)  # which a card may have no memory for either
        yield
    except (MemoryError, RuntimeError, ModelMissingError) as error:
        if not out_of_memory(error):
            raise
        raise DeviceMissingError(
            f"{what} need {gigabytes(needed)}, and {gigabytes(free)} are free on {device}: "
            f"{advice} ({first_line(error)})"
        ) from error
