"""A model of four small files, for tests of downloads."""

from __future__ import annotations

import random

_DICE = random.Random(0)
FILES = {
    ("owner/model", "large.bin"): _DICE.randbytes(300_000),
    ("owner/model", "config.yaml"): b"version: 2.5\n",
    ("owner/model", "empty.txt"): b"",
    ("other/part", "hf_cache/sub/small.bin"): _DICE.randbytes(7_000),
}
LARGE = FILES["owner/model", "large.bin"]


def whole(folder):
    """Whether the folder has the toy's files, and nothing but a lock beside them."""
    found = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".download.lock"
    }
    return found == {name: content for (_, name), content in FILES.items()}
