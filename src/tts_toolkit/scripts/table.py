"""Tables: csv and tsv with a header, and LJSpeech's ``id|text`` without one."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tts_toolkit.config import hint
from tts_toolkit.errors import Problem, ScriptError
from tts_toolkit.scripts.fields import FIELDS, Row, read_row
from tts_toolkit.utterance import Source, Utterance

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_SEPARATORS = {"csv": (",", ";", "\t", "|"), "tsv": ("\t",)}
# A cell may hold a chapter; the csv module's own limit is 128 KiB.
_LARGEST_CELL = 1 << 24


@dataclass(frozen=True)
class _Layout:
    """Where a table's fields are: ``places`` gives the field's name for a column, or None."""

    separator: str
    places: tuple[str | None, ...]
    quoted: bool
    has_header: bool


def read_table(
    text: str, file: str, folder: Path, *, kind: str, columns: Mapping[str, str] | None
) -> Iterator[Row]:
    """A row for each row of the table that is not blank.

    Args:
        text: the table.
        file: its name in messages.
        folder: what the paths in it are relative to.
        kind: "csv" or "tsv".
        columns: the table's column for each of our fields; columns not named are then ignored.

    Raises:
        ScriptError: if the table has no column for the text, or no readable header.
    """
    csv.field_size_limit(_LARGEST_CELL)
    layout = _layout(text, file, kind, columns)
    rows = csv.reader(
        io.StringIO(text),  # lines end at \n alone; str.splitlines has ten more ends
        delimiter=layout.separator,
        quoting=csv.QUOTE_MINIMAL if layout.quoted else csv.QUOTE_NONE,
        strict=True,
    )
    start = 0
    while True:
        source = Source(file, start + 1)
        try:
            cells = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            # The reader can't find the next row's start after this, so nothing behind it is judged.
            yield _bad(source, f"is not a readable row: {error} (everything below it is unread)")
            return
        is_header = layout.has_header and start == 0
        start = rows.line_num
        if is_header or not any(cell.strip() for cell in cells):
            continue
        if len(cells) > len(layout.places):
            yield _bad(source, f"has {len(cells)} cells, the header has {len(layout.places)}")
            continue
        fields = {
            name: cell.strip()
            for name, cell in zip(layout.places, cells, strict=False)
            if name and (cell.strip() or name == "text")
        }
        yield read_row(
            {"text": "", **fields} if "text_file" not in fields else fields, source, folder
        )


def _bad(source: Source, reason: str) -> Row:
    return Row(Utterance("", source=source), (Problem(source, "", reason),), ())


def _layout(text: str, file: str, kind: str, columns: Mapping[str, str] | None) -> _Layout:
    first = text.split("\n", 1)[0]
    wanted = {theirs: ours for ours, theirs in (columns or {}).items()}
    headers = {mark: _cells(text, mark) for mark in _SEPARATORS[kind]}
    known = set(wanted) if columns else set(FIELDS)
    separator = max(headers, key=lambda mark: len(known.intersection(headers[mark])))
    header = headers[separator]
    problems = [
        f"--columns: {ours!r} is not a field{hint(ours, FIELDS)}"
        for ours in (columns or {})
        if ours not in FIELDS
    ]
    if columns:
        problems += [
            f"--columns: the table has no column {theirs!r}{hint(theirs, header)}; "
            f"it has {', '.join(header)}"
            for theirs in wanted
            if theirs not in header
        ]
        places = tuple(wanted.get(name) for name in header)
    elif known.isdisjoint(header) and kind == "csv" and "|" in first:
        return _ljspeech(text)
    else:
        places = tuple(name or None for name in header)
    if len(set(header)) < len(header):
        problems.append(f"the header has a column twice: {', '.join(header)}")
    if not problems and not {"text", "text_file"}.intersection(places):
        problems.append(
            f"no column is called text; say which one to read with --columns text=NAME "
            f"(the header has {', '.join(header)})"
        )
    if problems:
        raise ScriptError([Problem(Source(file, 1), "", problem) for problem in problems])
    return _Layout(separator, places, quoted=True, has_header=True)


def _cells(text: str, separator: str) -> list[str]:
    """The header's cells, or nothing if the first row can't be read with this separator."""
    try:
        cells = next(csv.reader(io.StringIO(text), delimiter=separator, strict=True), [])
    except csv.Error:
        return []
    return [cell.strip() for cell in cells]


def _ljspeech(text: str) -> _Layout:
    """LJSpeech's ``id|text`` or ``id|text|normalised text``: what is normalised is what is read."""
    cells = max(line.count("|") for line in text.split("\n")) + 1
    normalised = 3
    places = ("id", None, "text") if cells == normalised else ("id", "text")
    return _Layout("|", places, quoted=False, has_header=False)
