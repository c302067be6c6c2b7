"""Hashing files in pieces, several at a time."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# A piece is small enough for the processor's cache, and large enough that Python is not noticed.
PIECE = 1 << 18


def feed(digest: hashlib._Hash, path: Path, on_bytes: Callable[[int], None]) -> None:
    """Add the content of a file to ``digest``; ``on_bytes`` gets the size of each piece."""
    buffer = bytearray(PIECE)
    view = memoryview(buffer)
    with path.open("rb", buffering=0) as file:
        while count := file.readinto(buffer):
            digest.update(view[:count])
            on_bytes(count)


def sha256_of(path: Path, on_bytes: Callable[[int], None] = lambda _: None) -> str:
    """The sha256 of a file, as hex digits."""
    digest = hashlib.sha256()
    feed(digest, path, on_bytes)
    return digest.hexdigest()
