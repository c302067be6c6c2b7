"""The manifest: one row of truth for each utterance, and the journal that it grows from.

``manifest.jsonl`` is append-only while a run goes on: a torn last line is ignored, and the last
row of an id wins. At the end it is rewritten in the script's order, with ``metadata.jsonl`` beside
it for ``datasets.load_dataset("audiofolder", …)``. Rows stay on disk; what is held in memory is one
small ``Entry`` for each.
"""

from __future__ import annotations

import errno
import json
import os
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, BinaryIO

from tts_toolkit.scripts.names import stays_inside

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import TracebackType

    from typing_extensions import Self

SCHEMA = 1
_TEXT, _NUMBER = (str,), (int, float)
_KINDS: tuple[tuple[str, tuple[type, ...]], ...] = (
    ("id", _TEXT),
    ("index", (int, type(None))),
    ("source", (dict,)),
    ("status", _TEXT),
    ("text", _TEXT),
    ("text_spoken", _TEXT),
    ("voice", _TEXT),
    ("voice_sha256", _TEXT),
    ("lang", _TEXT),
    ("file", (str, type(None))),
    ("duration_s", _NUMBER),
    ("sampling_rate", (int,)),
    ("seed", (int,)),
    ("speed", _NUMBER),
    ("engine", _TEXT),
    ("model", _TEXT),
    ("model_revision", _TEXT),
    ("key", _TEXT),
    ("segments", (list,)),
    ("peak", _NUMBER),
    ("error", (dict, type(None))),
    ("warnings", (list,)),
    ("attempts", (list,)),
    ("check", (dict,)),
    ("cue", (dict,)),
)
MANIFEST = "manifest.jsonl"
METADATA = "metadata.jsonl"


@dataclass(frozen=True)
class ManifestRow:
    """What is known of one utterance. No absolute paths, no times of day.

    Attributes:
        id: unique in the folder.
        index: place in the script from 1; None once the script no longer has it.
        source: ``{"file", "line"}`` in the script.
        status: "ok" or "failed".
        text: as in the script.
        text_spoken: as the engine read it, with times, dates and units written out.
        voice: name, or file name of the reference clip.
        voice_sha256: hex digest of the voice's content.
        lang: language code.
        file: audio file, relative to the folder; None if failed.
        duration_s: length in seconds.
        sampling_rate: of the file, in Hz.
        seed: that it was made with.
        speed: that it was made with.
        engine: that made it.
        model: the engine's weights.
        model_revision: what pins them.
        key: the resume key: the same key is the same audio.
        segments: ``[{"text", "start_s", "end_s"}]``.
        peak: largest absolute sample, in [0, 1].
        error: ``{"type", "message"}`` if failed.
        warnings: what the listener should know.
        attempts: filled by later versions.
        check: filled by later versions.
        cue: ``{"silence_after_ms"}`` where the script asks for silence.
    """

    id: str
    index: int | None
    source: dict[str, Any]
    status: str
    text: str
    text_spoken: str
    voice: str
    voice_sha256: str
    lang: str
    file: str | None
    duration_s: float
    sampling_rate: int
    seed: int
    speed: float
    engine: str
    model: str
    model_revision: str
    key: str
    segments: list[dict[str, Any]]
    peak: float
    error: dict[str, str] | None = None
    warnings: list[str] = field(default_factory=list)
    attempts: list[dict[str, Any]] = field(default_factory=list)
    check: dict[str, Any] = field(default_factory=dict)
    cue: dict[str, Any] = field(default_factory=dict)

    def to_line(self) -> bytes:
        """The row as a line of the manifest."""
        fields = {"schema": SCHEMA, **vars(self)}  # asdict would copy every list
        return json.dumps(fields, ensure_ascii=False).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> ManifestRow | None:
        """The inverse of ``to_line``; None for a line that is not a whole row."""
        try:
            value = json.loads(line)
            if value.pop("schema") != SCHEMA:
                return None
            row = cls(**value)
            # Anybody can have edited the file.
            for name, kinds in _KINDS:
                if not isinstance(value[name], kinds):
                    return None
        except (ValueError, TypeError, AttributeError, KeyError):
            return None
        return row if row.file is None or stays_inside(row.file) else None


@dataclass(frozen=True, slots=True)
class Entry:
    """A row's place in the manifest, and what decides whether its audio can be used again."""

    id: str
    key: str
    file: str | None
    offset: int


def read_rows(folder: str | os.PathLike[str]) -> Iterator[ManifestRow]:
    """The rows of a folder's manifest, the last of each id, in the order of their first lines.

    A folder without a manifest has none.
    """
    path = Path(folder)
    return rows_of(path, read_entries(path).values())


def rows_of(folder: Path, entries: Iterable[Entry]) -> Iterator[ManifestRow]:
    """The rows of some entries of a folder's manifest, in their order."""
    file = None
    try:
        for entry in entries:
            file = file or (folder / MANIFEST).open("rb")
            yield row_at(file, entry)
    finally:
        if file:
            file.close()


def read_entries(folder: Path) -> dict[str, Entry]:
    """An entry for each id of a folder's manifest; nothing if there is none."""
    entries: dict[str, Entry] = {}
    try:
        file = (folder / MANIFEST).open("rb")
    except FileNotFoundError:
        return entries
    with file:
        offset = 0
        for line in file:
            row = ManifestRow.from_line(line) if line.endswith(b"\n") else None
            if row:
                entries[row.id] = Entry(row.id, row.key, row.file, offset)
            offset += len(line)
    return entries


def row_at(file: BinaryIO, entry: Entry) -> ManifestRow:
    """An entry's row, from the open manifest that it was read from."""
    file.seek(entry.offset)
    row = ManifestRow.from_line(file.readline())
    assert row, "the manifest changed while it was locked"
    return row


def write_rows(path: Path, rows: Iterable[ManifestRow]) -> dict[str, Entry]:
    """Write a manifest under its temporary name and wait until the disk has it; its entries."""
    entries = {}
    with path.open("wb") as file:
        offset = 0
        for row in rows:
            line = row.to_line()
            file.write(line)
            entries[row.id] = Entry(row.id, row.key, row.file, offset)
            offset += len(line)
        file.flush()
        os.fsync(file.fileno())
    return entries


def with_metadata(path: Path, rows: Iterable[ManifestRow]) -> Iterator[ManifestRow]:
    """The rows as they are, and on the way ``metadata.jsonl`` under its temporary name.

    That is what Hugging Face datasets wants: the ok rows with their ``file_name``.
    """
    with path.open("wb") as file:
        for row in rows:
            yield row
            if row.file is None:
                continue
            fields = {
                "file_name": row.file,
                "id": row.id,
                "text": row.text,
                "voice": row.voice,
                "lang": row.lang,
                "duration_s": row.duration_s,
                "seed": row.seed,
                "speed": row.speed,
                "engine": row.engine,
            }
            file.write(json.dumps(fields, ensure_ascii=False).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def portable(file: str) -> str:
    """A script's name for a row: as given if it is relative and stays below, else its last part."""
    path = PurePosixPath(file.replace("\\", "/"))
    return path.name if path.is_absolute() or ".." in path.parts or ":" in file else str(path)


class Journal:
    """The manifest while a run goes on: rows are added at its end, each with one write."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / MANIFEST
        self._file = self._path.open("ab+", buffering=0)
        self._drop_torn_line()

    def append(self, row: ManifestRow) -> Entry:
        """Add a row. What it speaks of has to be on disk already.

        Raises:
            OSError: as the system says; the row is then not in the journal.
        """
        offset = self._file.seek(0, os.SEEK_END)
        line = row.to_line()
        written = self._file.write(line)
        if written != len(line):  # a full disk takes a part without an error
            self._file.truncate(offset)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._path))
        return Entry(row.id, row.key, row.file, offset)

    def sync(self) -> None:
        """Wait until the disk has every row."""
        os.fsync(self._file.fileno())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def _drop_torn_line(self) -> None:
        """Cut what a killed run left half written, so that the next row starts on its own line."""
        size = end = self._file.seek(0, os.SEEK_END)
        while end:
            start = max(0, end - 4096)
            self._file.seek(start)
            block = self._file.read(end - start)
            newline = block.rfind(b"\n")
            if newline >= 0:
                end = start + newline + 1
                break
            end = start
        if end != size:
            self._file.truncate(end)
