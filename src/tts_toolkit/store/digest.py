"""A sha256 that is made while more comes in."""

from __future__ import annotations

import hashlib
import queue
import threading
from typing import TYPE_CHECKING

from tts_toolkit.store.sha256 import feed

if TYPE_CHECKING:
    from pathlib import Path

# Chunks that wait to be hashed: a few MB, so that memory is flat and neither side waits often.
_AHEAD = 64


class Digest:
    """A sha256 in a thread of its own.

    Python's hashes let other threads run, so that receiving and hashing overlap.
    """

    def __init__(self) -> None:
        self._sha256 = hashlib.sha256()
        self._waiting: queue.Queue[bytes | None] = queue.Queue(_AHEAD)
        self._thread: threading.Thread | None = None

    def read(self, path: Path) -> None:
        """Add the content of a file, before anything else is added."""
        feed(self._sha256, path, lambda _: None)

    def update(self, chunk: bytes) -> None:
        """Add bytes."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, daemon=True)
            self._thread.start()
        self._waiting.put(chunk)

    def hexdigest(self) -> str:
        """Of all that was added, as hex digits."""
        self.close()
        return self._sha256.hexdigest()

    def close(self) -> None:
        """End the thread."""
        if self._thread is not None:
            self._waiting.put(None)
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        while (chunk := self._waiting.get()) is not None:
            self._sha256.update(chunk)
