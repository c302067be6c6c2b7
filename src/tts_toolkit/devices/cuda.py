"""Why CUDA can't be had, and what is the matter with each card."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tts_toolkit.devices.dtype import card_dtype, card_lacks
from tts_toolkit.devices.visible import visible_cards

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tts_toolkit.devices.machine import Card, Machine, Version

# The oldest cards that a CUDA major version still builds for, from its release notes.
_OLDEST: Mapping[int, Version] = {11: (3, 5), 12: (5, 0), 13: (7, 5)}
# The oldest driver branch for a CUDA major version, from its release notes.
_DRIVER: Mapping[int, str] = {11: "450", 12: "525", 13: "580"}


@dataclass(frozen=True)
class Judged:
    """A card, and whether it would do.

    Attributes:
        device: "cuda:N", or "" if CUDA does not show it.
        card: the card.
        dtype: in which the model would run there.
        problem: why it would not do, or "".
    """

    device: str
    card: Card
    dtype: str
    problem: str


def why_no_cuda(machine: Machine) -> str:
    """Why no card at all can be used, and what would help; "" if one can."""
    if not machine.torch:
        return "torch is not installed"
    return _why_no_driver(machine) or _why_no_build(machine) or _why_no_card(machine)


def judge_cards(
    machine: Machine, *, needs: Mapping[str, int], dtype: str = "auto"
) -> tuple[Judged, ...]:
    """Every card: those that CUDA shows in its order, then the hidden ones.

    Args:
        machine: whose.
        needs: dtype → bytes that the model needs free; {} for nothing.
        dtype: that is asked for, or "auto" for what suits the card.
    """
    shown = visible_cards(machine)
    judged = []
    for number, card in enumerate(shown):
        kind = card_dtype(card) if dtype == "auto" else dtype
        problem = (
            _too_old(card, machine)
            or card_lacks(card, kind)
            or too_little(card.free, card.total, needs.get(kind, 0))
        )
        judged.append(Judged(f"cuda:{number}", card, kind, problem))
    hidden = [card for card in machine.cards if card not in shown]
    why = "CUDA_VISIBLE_DEVICES hides it"
    if machine.visible_devices is None:
        why = "CUDA shows one MIG instance; choose one with CUDA_VISIBLE_DEVICES"
    return (*judged, *(Judged("", card, card_dtype(card), why) for card in hidden))


def too_little(free: int, total: int, needed: int) -> str:
    """The complaint of too little memory, or ""."""
    if free >= needed:
        return ""
    return (
        f"too little memory: {needed / 1e9:.1f} GB are needed, {free / 1e9:.1f} of "
        f"{total / 1e9:.1f} GB are free"
    )


def _why_no_build(machine: Machine) -> str:
    if machine.torch_cuda is None:
        return (
            f"torch {machine.torch} is built without CUDA; install a build with it "
            "(uv pip install --torch-backend auto torch)"
        )
    return ""


def _why_no_driver(machine: Machine) -> str:
    if machine.nvml == "missing":
        if machine.container:
            return (
                "this container has no GPU: start it with `docker run --gpus all` (the host needs "
                "NVIDIA's driver and its container toolkit)"
            )
        if machine.wsl:
            return "there is no NVIDIA driver: install it in Windows, not in WSL, and restart WSL"
        return "there is no NVIDIA driver on this machine"
    if machine.nvml:
        return f"NVIDIA's driver does not answer ({machine.nvml}); `nvidia-smi` should say the same"
    wanted = machine.torch_cuda
    if wanted and machine.driver_cuda and machine.driver_cuda[0] < wanted[0]:
        return (
            f"the driver {machine.driver} is too old: it runs CUDA {_dotted(machine.driver_cuda)} "
            f"at most, and torch {machine.torch} is built for {_dotted(wanted)}; install a driver "
            f"from {_DRIVER.get(wanted[0], 'a later branch')} on, or a torch for CUDA "
            f"{machine.driver_cuda[0]}"
        )
    return ""


def _why_no_card(machine: Machine) -> str:
    if not machine.cards:
        return "there is a driver, and no NVIDIA GPU" + (
            ": start the container with `docker run --gpus all`" if machine.container else ""
        )
    shown = visible_cards(machine)
    if not shown and machine.visible_devices is not None:
        return (
            f"CUDA_VISIBLE_DEVICES={machine.visible_devices!r} hides all {len(machine.cards)} GPUs"
        )
    if machine.cuda_error:
        return f"the CUDA driver does not start ({machine.cuda_error})"
    if not shown:
        return "CUDA shows none of the GPUs that NVML has"
    return ""


def _too_old(card: Card, machine: Machine) -> str:
    """Whether the installed torch still has code for the card."""
    wanted = machine.torch_cuda
    oldest = _OLDEST.get(wanted[0], (0, 0)) if wanted else (0, 0)
    if card.capability >= oldest:
        return ""
    return (
        f"too old for this torch: it has compute capability {_dotted(card.capability)}, CUDA "
        f"{wanted[0] if wanted else ''} wants {_dotted(oldest)}; install a torch for an older CUDA"
    )


def _dotted(version: Version) -> str:
    return f"{version[0]}.{version[1]}"
