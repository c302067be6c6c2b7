"""Names of devices."""

from __future__ import annotations

import re

_DEVICE = re.compile(r"auto|cpu|mps|cuda(:(\d+|all))?")


def is_device(name: str) -> bool:
    """Whether ``name`` is a device's name: auto, cpu, mps, cuda, cuda:N or cuda:all."""
    return _DEVICE.fullmatch(name) is not None
