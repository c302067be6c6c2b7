"""Bytes for people."""

from __future__ import annotations


def in_bytes(count: float) -> str:
    """As disks are sold: 7082497624 is "7.1 GB"."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":  # noqa: PLR2004 - SI prefixes
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1000
    raise AssertionError("the last unit takes all")
