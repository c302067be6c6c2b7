"""Ctrl-C: once to stop after what is in flight, twice to stop now."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stop_on_interrupt() -> Iterator[Callable[[], bool]]:
    """Within it the first SIGINT or SIGTERM makes the yielded function true; the next one raises.

    Raises:
        KeyboardInterrupt: on the second signal.
    """
    stopped = False

    def handle(_number: int, _frame: FrameType | None) -> None:
        nonlocal stopped
        if stopped:
            raise KeyboardInterrupt
        stopped = True
        click.echo("\nStopping after what is in flight; once more to stop now.", err=True)

    before = {number: signal.signal(number, handle) for number in _SIGNALS}
    try:
        yield lambda: stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
