"""The signals that ask the process to end."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType


@contextmanager
def signals_counted() -> Iterator[Callable[[], int]]:
    """How often the process was asked to end, in place of an end at once.

    It comes before anything that takes time, or that an end at once would leave behind.
    """
    count = 0

    def handle(_number: int, _frame: FrameType | None) -> None:
        # Nothing else is safe here: the thread that is interrupted may hold any lock.
        nonlocal count
        count += 1

    numbers = [signal.SIGINT, signal.SIGTERM]
    hangup = getattr(signal, "SIGHUP", None)  # Windows has none
    if hangup and signal.getsignal(hangup) != signal.SIG_IGN:  # as nohup leaves it
        numbers.append(hangup)
    before = {number: signal.signal(number, handle) for number in numbers}
    try:
        yield lambda: count
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
