"""Emotions as weights: what a user writes into the eight numbers that IndexTTS takes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from difflib import get_close_matches

from tts_toolkit.errors import OptionError

# IndexTTS's eight, in its order.
EMOTIONS = (
    *("happy", "angry", "sad", "afraid"),
    *("disgusted", "melancholic", "surprised", "calm"),
)
# Above this sum IndexTTS's emotion vector drowns the voice; upstream's page does not allow it.
MOST_TOGETHER = 0.8
# 0.1 + 0.7 is a little more than 0.8.
_ROUNDING = 1e-9


def emotion_vector(raw: object) -> tuple[float, ...]:
    """Eight weights from what a user wrote.

    Args:
        raw: eight numbers, as a list or with commas between them; or some by name, as a mapping or
            as in "happy=0.4,calm=0.2", the others being 0.

    Returns:
        A weight for each of ``EMOTIONS``, in [0, 1], at most 0.8 together.

    Raises:
        OptionError: if it is none of that; the message does not say where it was written.
    """
    numbers = _named(raw) if _has_names(raw) else _listed(raw)
    if sum(numbers) > MOST_TOGETHER + _ROUNDING:
        raise OptionError(f"the numbers add up to {sum(numbers):g}, more than {MOST_TOGETHER}")
    return numbers


def _has_names(raw: object) -> bool:
    return (isinstance(raw, Mapping) and bool(raw)) or (isinstance(raw, str) and "=" in raw)


def _named(raw: object) -> tuple[float, ...]:
    if isinstance(raw, Mapping):
        pairs = [(str(name), value) for name, value in raw.items()]
    else:
        pairs = [(part.partition("=")[0], part.partition("=")[2]) for part in str(raw).split(",")]
    found = dict.fromkeys(EMOTIONS, 0.0)
    for name, value in pairs:
        known = name.strip().lower()
        if known not in found:
            near = get_close_matches(known, EMOTIONS, n=1)
            meant = f'. Did you mean "{near[0]}"?' if near else ""
            raise OptionError(f"{name.strip()!r} is not one of {', '.join(EMOTIONS)}{meant}")
        found[known] = _weight(value)
    return tuple(found.values())


def _listed(raw: object) -> tuple[float, ...]:
    parts = raw.split(",") if isinstance(raw, str) else raw
    if not isinstance(parts, list | tuple) or len(parts) != len(EMOTIONS):
        raise OptionError(f"{raw!r} is not {len(EMOTIONS)} numbers, nor names as in happy=0.4")
    return tuple(_weight(part) for part in parts)


def _weight(raw: object) -> float:
    wrong = OptionError(f"{raw!r} is not a number")
    if isinstance(raw, bool) or not isinstance(raw, str | int | float):
        raise wrong
    try:
        number = float(raw)
    except (ValueError, OverflowError):
        raise wrong from None
    if not math.isfinite(number):
        raise OptionError(f"{raw!r} is not a finite number")
    if not 0.0 <= number <= 1.0:
        raise OptionError(f"{raw!r} is not between 0 and 1")
    return number
