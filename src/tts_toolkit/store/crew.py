"""A few threads that work through a list, with the caller free to watch and to leave."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_Item = TypeVar("_Item")

# How often the caller looks, in seconds.
_LOOK_EVERY = 0.1


def work_through(
    items: Sequence[_Item],
    work: Callable[[_Item], None],
    *,
    threads: int,
    watch: Callable[[], None],
    stop: threading.Event,
) -> list[Exception]:
    """Do ``work`` on each item in daemon threads; what they raised, in the order of the items.

    Daemons, since a thread may sit in a read from the network for as long as its timeout: a
    caller who is interrupted leaves at once, and what is on the disk is as good as after a kill.

    Args:
        items: in the order in which they are begun.
        work: called in a thread, and to look at ``stop`` now and then.
        threads: how many at once.
        watch: called in the caller's thread, ten times a second.
        stop: set to begin nothing more; it is set in the end, or if the caller is interrupted.
    """
    left = deque(enumerate(items))
    errors: dict[int, Exception] = {}

    def run() -> None:
        while not stop.is_set():
            try:
                number, item = left.popleft()
            except IndexError:
                return
            try:
                work(item)
            except Exception as error:  # noqa: BLE001 - it is the caller's, who gets it
                errors[number] = error

    crew = [threading.Thread(target=run, daemon=True) for _ in range(min(threads, len(items)))]
    try:
        for thread in crew:
            thread.start()
        for thread in crew:
            while thread.is_alive():
                thread.join(_LOOK_EVERY)
                watch()
    finally:
        stop.set()
    watch()
    return [errors[number] for number in sorted(errors)]
