"""Which segment decodes in which slot, and when: plain bookkeeping, without torch.

Slots 0 to ``active - 1`` are in use, without gaps, so that a step works on one block. When a
row leaves, the last row moves into its slot and the next segment takes the end.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_Item = TypeVar("_Item")


@dataclass(frozen=True)
class Leaving:
    """What freeing a slot did.

    Attributes:
        slot: the one that was freed.
        moved_from: the slot whose row has to be moved into it, or None if it was the last.
    """

    slot: int
    moved_from: int | None


class Scheduler(Generic[_Item]):
    """Segments waiting, and segments in slots.

    Args:
        slots: how many segments decode at once, at most.
    """

    def __init__(self, slots: int) -> None:
        if slots < 1:
            raise ValueError(f"{slots} slots")
        self._limit = slots
        self._waiting: deque[_Item] = deque()
        self._rows: list[_Item] = []

    @property
    def active(self) -> tuple[_Item, ...]:
        """The segments in slots, by their slots."""
        return tuple(self._rows)

    @property
    def waiting(self) -> int:
        """How many segments have no slot yet."""
        return len(self._waiting)

    @property
    def limit(self) -> int:
        """How many segments decode at once, at most."""
        return self._limit

    @property
    def free(self) -> int:
        """How many slots are not in use."""
        return max(0, self._limit - len(self._rows))

    def add(self, items: Iterable[_Item]) -> None:
        """Queue segments, in order."""
        self._waiting.extend(items)

    def admit(self) -> list[tuple[int, _Item]]:
        """Give free slots to waiting segments, in order; the new rows with their slots."""
        admitted = []
        while self._waiting and self.free:
            item = self._waiting.popleft()
            admitted.append((len(self._rows), item))
            self._rows.append(item)
        return admitted

    def leave(self, slot: int) -> Leaving:
        """Free a slot; if another row has to take its place, say which."""
        last = len(self._rows) - 1
        moved = self._rows.pop()
        if slot == last:
            return Leaving(slot, None)
        self._rows[slot] = moved
        return Leaving(slot, last)

    def restart(self, slots: int) -> None:
        """Take every row's slot away and use so many from now on; the rows are the next to come."""
        self._waiting.extendleft(reversed(self._rows))
        self._rows.clear()
        self._limit = max(1, slots)

    def drop_waiting(self, unwanted: Callable[[_Item], bool]) -> None:
        """Forget waiting segments."""
        self._waiting = deque(item for item in self._waiting if not unwanted(item))
