"""How far a transfer is, counted by several threads and told by one."""

from __future__ import annotations

import threading
from dataclasses import dataclass


@dataclass(frozen=True)
class Transfer:
    """How far a download or a check of a model is.

    Attributes:
        phase: "check" while files that are here are read, "download" while others are fetched.
        done: bytes, those of earlier runs included.
        total: bytes.
        files_done: files that are finished.
        files_total: of this phase.
    """

    phase: str
    done: int
    total: int
    files_done: int
    files_total: int


class Tally:
    """Counts bytes and files; any thread may add, and take back what was wrong."""

    def __init__(self, phase: str, total: int, files_total: int) -> None:
        self._phase = phase
        self._total = total
        self._files_total = files_total
        self._lock = threading.Lock()
        self._done = 0
        self._files_done = 0

    def add(self, count: int) -> None:
        """Count bytes (negative: bytes that have to come again)."""
        with self._lock:
            self._done += count

    def file_done(self) -> None:
        """Count a file."""
        with self._lock:
            self._files_done += 1

    def now(self) -> Transfer:
        """How far it is."""
        with self._lock:
            return Transfer(
                self._phase, self._done, self._total, self._files_done, self._files_total
            )
