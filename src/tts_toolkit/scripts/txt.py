"""Plain text: one utterance a line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tts_toolkit.scripts.fields import Row, read_row
from tts_toolkit.utterance import Source

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def read_txt(text: str, file: str, folder: Path) -> Iterator[Row]:
    """A row for each line of ``text`` that is not blank."""
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield read_row({"text": line}, Source(file, number), folder)
