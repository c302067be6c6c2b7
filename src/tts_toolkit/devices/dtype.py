"""Which number format suits which hardware."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tts_toolkit.devices.machine import Card, Cpu, Version

# Compute capabilities, from NVIDIA's table of arithmetic instructions. bfloat16 has units of its
# own from Ampere on; before, it is emulated and slower than float32. float16 is fast from Pascal's
# P100 and from Volta on; the other Pascal cards make it at a 64th of float32's speed.
_BFLOAT16_FROM: Version = (8, 0)
_FLOAT16_FROM: Version = (7, 0)
_FLOAT16_TOO: frozenset[Version] = frozenset({(6, 0)})


def card_dtype(card: Card) -> str:
    """The format for a CUDA card that was asked for none."""
    if card.capability >= _BFLOAT16_FROM:
        return "bfloat16"
    if _has_float16(card.capability):
        return "float16"
    return "float32"


def cpu_dtype(cpu: Cpu) -> str:
    """The format for a processor that was asked for none."""
    return "bfloat16" if cpu.bfloat16 else "float32"


def common_dtype(cards: tuple[Card, ...]) -> str:
    """The format for cards that work on one script: the best that all of them have."""
    kinds = {card_dtype(card) for card in cards}
    if kinds == {"bfloat16"}:
        return "bfloat16"
    # What has bfloat16 has float16 as well.
    return "float32" if "float32" in kinds else "float16"


def card_lacks(card: Card, dtype: str) -> str:
    """Why a card should not be asked for a format, or ""."""
    major, minor = card.capability
    if dtype == "bfloat16" and card.capability < _BFLOAT16_FROM:
        return (
            f"it only emulates bfloat16 (compute capability {major}.{minor}; 8.0 has it); "
            f"use --dtype {card_dtype(card)}"
        )
    if dtype == "float16" and not _has_float16(card.capability):
        return f"it has no fast float16 (compute capability {major}.{minor}); use --dtype float32"
    return ""


def _has_float16(capability: Version) -> bool:
    return capability >= _FLOAT16_FROM or capability in _FLOAT16_TOO
