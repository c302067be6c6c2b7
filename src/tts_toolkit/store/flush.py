"""Getting a file that grows onto the disk while more of it comes."""

from __future__ import annotations

import os
import threading

# Bytes between two requests: at the end little is left to wait for, and a disk likes long writes.
_EVERY = 32 * 1024 * 1024


class Flusher:
    """Has the disk write in the background what the file has so far.

    One fsync at the end would wait for gigabytes, with the network idle.

    Args:
        descriptor: of the open file, which outlives this.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._unwritten = 0
        self._wanted = threading.Event()
        self._over = False
        self._thread: threading.Thread | None = None

    def wrote(self, count: int) -> None:
        """So many bytes were written to the file."""
        self._unwritten += count
        if self._unwritten < _EVERY:
            return
        self._unwritten = 0
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, daemon=True)
            self._thread.start()
        self._wanted.set()

    def close(self) -> None:
        """No more; the descriptor is not used any longer."""
        if self._thread is not None:
            self._over = True
            self._wanted.set()
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        while True:
            self._wanted.wait()
            self._wanted.clear()
            if self._over:
                return
            try:
                os.fsync(self._descriptor)
            except OSError:
                return  # the fsync before the rename meets it, and tells
