"""Seconds for people."""

from __future__ import annotations


def clock(seconds: float) -> str:
    """As "1:05" or "2:03:09"."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
