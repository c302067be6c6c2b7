"""Tables: csv and tsv with a header, and LJSpeech's ``id|text`` without one."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tts_toolkit.errors import Problem, ScriptError
from tts_toolkit.rule import hint, unknown
from tts_toolkit.scripts.fields import FIELDS, Row, read_row
from tts_toolkit.utterance import Source, Utterance

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_SEPARATORS = {"csv": (",", ";", "\t", "|"), "tsv": ("\t",)}
# A cell may hold a chapter; the csv module's own limit is 128 KiB.
_LARGEST_CELL = 1 << 24
# LJSpeech's metadata has no header; where it has a normalised text, that is what is read.
_LJSPEECH = {2: ("id", "text"), 3: ("id", None, "text")}


@dataclass(frozen=True)
class _Layout:
    """Where a table's fields are.

    Attributes:
        separator: between cells.
        places: the field of each column; None for one that is not read, "" for one without a name.
        quoted: whether quotes hold a cell together.
        has_header: whether the first row names the columns.
    """

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
    header_is_due = layout.has_header
    start = 0
    while True:
        source = Source(file, start + 1)
        try:
            cells = [cell.strip() for cell in next(rows)]
        except StopIteration:
            return
        except csv.Error as error:
            # The reader can't find the next row's start after this, so nothing behind it is judged.
            yield _bad(source, f"is not a readable row: {error}; perhaps a quote is not closed")
            return
        start = rows.line_num
        if not any(cells):
            continue
        if header_is_due:
            header_is_due = False
            continue
        wrong = _misfit(cells, layout)
        yield _bad(source, wrong) if wrong else read_row(_fields(cells, layout), source, folder)


def _misfit(cells: list[str], layout: _Layout) -> str:
    """Why a row does not fit the table's columns, or ""."""
    wanted = len(layout.places)
    if not layout.has_header and len(cells) != wanted:
        return f"has {len(cells)} cells, the first row has {wanted}"
    if len(cells) > wanted:
        return f"has {len(cells)} cells, the header has {wanted}"
    lost = [cell for cell, place in zip(cells, layout.places, strict=False) if cell and place == ""]
    return f"has {lost[0]!r} in a column without a name" if lost else ""


def _fields(cells: list[str], layout: _Layout) -> dict[str, str]:
    fields = {name: cell for name, cell in zip(layout.places, cells, strict=False) if name and cell}
    return fields if "text_file" in fields else {"text": "", **fields}


def _bad(source: Source, reason: str) -> Row:
    return Row(Utterance("", source=source), (Problem(source, "", reason),), ())


def _layout(text: str, file: str, kind: str, columns: Mapping[str, str] | None) -> _Layout:
    first = next(filter(str.strip, text.split("\n")), "")
    wanted = {theirs: ours for ours, theirs in (columns or {}).items()}
    headers = {mark: _header(text, mark) for mark in _SEPARATORS[kind]}
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
    elif kind == "csv" and known.isdisjoint(header) and first.count("|") + 1 in _LJSPEECH:
        places = _LJSPEECH[first.count("|") + 1]
        return _Layout("|", places, quoted=False, has_header=False)
    else:
        problems += [
            f"{reason} (name the columns to read with --columns, and the others are left alone)"
            for reason in unknown(filter(None, header), FIELDS, what="column")
        ]
        places = tuple(header)
    read = dict.fromkeys(name for name, place in zip(header, places, strict=True) if place)
    problems += [f"has the column {name!r} twice" for name in read if header.count(name) > 1]
    if not header:
        problems = ["the header is not a readable row; perhaps it has a quote that is not closed"]
    elif not {"text", "text_file"}.intersection(columns or header):
        listed = ", ".join(header)
        reason = f"no column is the text; say which with --columns text=NAME (there are {listed})"
        problems = [*problems, reason] if columns else [reason]
    if problems:
        line = text[: text.index(first)].count("\n") + 1
        raise ScriptError([Problem(Source(file, line), "", problem) for problem in problems])
    return _Layout(separator, places, quoted=True, has_header=True)


def _header(text: str, separator: str) -> list[str]:
    """The cells of the first row that is not blank, or nothing if they can't be read like this."""
    rows = csv.reader(io.StringIO(text), delimiter=separator, strict=True)
    try:
        return next((cells for row in rows if any(cells := [cell.strip() for cell in row])), [])
    except csv.Error:
        return []
