"""Which device a model runs on, and why: a pure function of a description of the machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tts_toolkit.devices.cuda import Judged, judge_cards, too_little, why_no_cuda
from tts_toolkit.devices.dtype import common_dtype, cpu_dtype
from tts_toolkit.errors import DeviceMissingError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tts_toolkit.devices.machine import Machine


@dataclass(frozen=True)
class DeviceChoice:
    """The device of a run.

    Attributes:
        devices: "cpu", "mps" or "cuda:N", as torch takes them; several for cuda:all.
        dtype: "float32", "bfloat16" or "float16"; the same on all of them.
        reason: one line for the user.
        warnings: what may go worse than expected.
    """

    devices: tuple[str, ...]
    dtype: str
    reason: str
    warnings: tuple[str, ...] = ()


def choose_device(
    wish: str, machine: Machine, *, needs: Mapping[str, int], dtype: str = "auto"
) -> DeviceChoice:
    """The device for a model.

    ``auto`` is the CUDA card with the most free memory that can hold the model, then Apple's GPU,
    then the processor.

    Args:
        wish: auto, cpu, mps, cuda, cuda:N or cuda:all.
        machine: what there is.
        needs: dtype → bytes that the model needs free on its device.
        dtype: auto, float32, bfloat16 or float16.

    Raises:
        DeviceMissingError: if the wish can't be had, with the reason and what would help.
    """
    if wish == "cpu":
        return _cpu(machine, "asked for", needs, dtype)
    if wish == "mps":
        return _mps(machine, "asked for", dtype)
    missing = why_no_cuda(machine)
    judged = () if missing else judge_cards(machine, needs=needs, dtype=dtype)
    cards = [one for one in judged if one.device]
    if wish == "auto":
        return _auto(machine, cards, missing or _complaints(cards), needs, dtype)
    if missing:
        raise DeviceMissingError(f"--device {wish}: {missing}")
    if wish == "cuda:all":
        return _all(machine, cards, needs, dtype)
    return _numbered(wish, cards) if wish != "cuda" else _roomiest(cards)


def _auto(
    machine: Machine, cards: Sequence[Judged], why_not: str, needs: Mapping[str, int], dtype: str
) -> DeviceChoice:
    if any(not one.problem for one in cards):
        return _roomiest(cards)
    if machine.mps:
        return _mps(machine, "this Mac's GPU", dtype)
    return _cpu(machine, why_not, needs, dtype)


def _numbered(wish: str, cards: Sequence[Judged]) -> DeviceChoice:
    for one in cards:
        if one.device == wish:
            if one.problem:
                raise DeviceMissingError(f"--device {wish}: {one.card.name}: {one.problem}")
            return DeviceChoice((wish,), one.dtype, f"{wish} ({one.card.name}): asked for")
    there = ", ".join(f"{one.device} ({one.card.name})" for one in cards)
    raise DeviceMissingError(f"--device {wish}: there is no such GPU; there are {there}")


def _roomiest(cards: Sequence[Judged]) -> DeviceChoice:
    good = [one for one in cards if not one.problem]
    if not good:
        raise DeviceMissingError(f"--device cuda: {_complaints(cards)}")
    best = max(good, key=lambda one: one.card.free)  # the first of equals
    free = f"{best.card.free / 1e9:.1f} GB free"
    why = f"most free memory of {len(good)} that can hold it, {free}" if len(good) > 1 else free
    return DeviceChoice((best.device,), best.dtype, f"{best.device} ({best.card.name}): {why}")


def _all(
    machine: Machine,
    cards: Sequence[Judged],
    needs: Mapping[str, int],
    dtype: str,
) -> DeviceChoice:
    """Every card that can hold the model, in one dtype: a clip must not depend on its card."""
    if dtype == "auto":
        dtype = common_dtype(tuple(one.card for one in cards))
        judged = judge_cards(machine, needs=needs, dtype=dtype)
        cards = [one for one in judged if one.device]
    good = [one for one in cards if not one.problem]
    if not good:
        raise DeviceMissingError(f"--device cuda:all: {_complaints(cards)}")
    left_out = [one for one in cards if one.problem]
    return DeviceChoice(
        tuple(one.device for one in good),
        dtype,
        f"{len(good)} of {len(cards)} GPUs: {', '.join(one.device for one in good)}",
        tuple(f"{one.device} ({one.card.name}) is left out: {one.problem}" for one in left_out),
    )


def _mps(machine: Machine, why: str, dtype: str) -> DeviceChoice:
    if not machine.mps:
        raise DeviceMissingError("--device mps: this is no Mac with Apple's own processor")
    return DeviceChoice(("mps",), "float32" if dtype == "auto" else dtype, f"mps: {why}")


def _cpu(machine: Machine, why: str, needs: Mapping[str, int], dtype: str) -> DeviceChoice:
    cpu = machine.cpu
    if dtype == "float16":
        raise DeviceMissingError(
            f"--dtype float16: the processor computes in float32{' or bfloat16' * cpu.bfloat16}; "
            f"use --dtype {cpu_dtype(cpu)}, or a GPU"
        )
    kind = cpu_dtype(cpu) if dtype == "auto" else dtype
    warnings = []
    if kind == "bfloat16" and not cpu.bfloat16:
        warnings.append("this processor has no bfloat16 of its own: float32 is as fast or faster")
    little = too_little(cpu.free, cpu.total, needs.get(kind, 0))
    if little:
        warnings.append(f"{little}: the run may be killed")
    return DeviceChoice(("cpu",), kind, f"cpu: {why}", tuple(warnings))


def _complaints(cards: Sequence[Judged]) -> str:
    return "; ".join(f"{one.device} ({one.card.name}): {one.problem}" for one in cards)
