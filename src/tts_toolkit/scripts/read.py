"""Scripts to utterances: files, folders and standard input."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from tts_toolkit.errors import Problem, ScriptError
from tts_toolkit.scripts.decode import decode
from tts_toolkit.scripts.jsonl import read_jsonl
from tts_toolkit.scripts.table import read_table
from tts_toolkit.scripts.txt import read_txt

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tts_toolkit.scripts.fields import Row
    from tts_toolkit.utterance import Utterance

STDIN = "-"
_KINDS = {
    ".txt": "txt",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".tsv": "tsv",
    "": "txt",
}


@dataclass(frozen=True)
class Script:
    """What was read.

    Attributes:
        utterances: in order, numbered from 1, each with an id.
        problems: everything that is wrong with them.
        inputs: the files that were read, resolved: a run may not overwrite them.
    """

    utterances: tuple[Utterance, ...]
    problems: tuple[Problem, ...]
    inputs: frozenset[Path]


@dataclass(frozen=True)
class _Source:
    """One script: its file (None for standard input), and the prefix of its ids."""

    name: str
    path: Path | None
    prefix: str


def read_scripts(
    scripts: Sequence[str | os.PathLike[str]],
    *,
    script_format: str = "auto",
    columns: Mapping[str, str] | None = None,
    stdin: BinaryIO | None = None,
    skip: Path | None = None,
) -> Script:
    """Read scripts into one list of utterances.

    With one script the ids are those of its rows, or their numbers (``000001`` …). With several,
    or with a folder, each script's ids stand below its own name: ``chapter1/000001``.

    Args:
        scripts: files, folders (their .txt, .jsonl, .csv and .tsv files, by name) and "-".
        script_format: "auto" (by suffix; standard input is txt), "txt", "jsonl", "csv" or "tsv".
        columns: see ``read_table``.
        stdin: what "-" reads.
        skip: a folder that a folder of scripts may contain and that is not read: the output.

    Raises:
        ScriptError: if a script can't be read at all, or there is nothing in them.
    """
    sources, problems = _sources(scripts, skip)
    rows: list[tuple[_Source, Row]] = []
    inputs = set()
    for source in sources:
        before = len(rows)
        try:
            rows += ((source, row) for row in _rows(source, script_format, columns, stdin))
            if len(rows) == before:
                reason = f"{source.name}: nothing to say; the script is empty"
                problems.append(Problem(None, "", reason))
        except ScriptError as error:
            problems += error.problems
        if source.path:
            inputs.add(source.path.resolve())
    if problems and not rows:
        raise ScriptError(problems)
    for _, row in rows:
        problems += row.problems
        inputs.update(path.resolve() for path in row.inputs)
    return Script(tuple(_numbered(rows)), tuple(problems), frozenset(inputs))


def _sources(
    scripts: Sequence[str | os.PathLike[str]], skip: Path | None
) -> tuple[list[_Source], list[Problem]]:
    found: list[tuple[str, Path | None, str]] = []
    problems = []
    several = len(scripts) > 1
    for script in scripts:
        name, path = os.fspath(script), Path(script)
        if name == STDIN:
            found.append(("<stdin>", None, "stdin"))
            continue
        kind, reason = _look(name)
        if kind == "folder":
            several = True
            inside = sorted(_scripts_in(path, skip))
            found += (
                (str(file), file, file.relative_to(path).with_suffix("").as_posix())
                for file in inside
            )
            if not inside:
                reason = "no .txt, .jsonl, .csv or .tsv file in this folder"
        elif kind == "file":
            found.append((name, path, path.stem))
        if reason:
            problems.append(Problem(None, "", f"{name}: {reason}"))
    problems += [
        Problem(None, "", f"{name!r}: the file's name is not UTF-8; rename it")
        for name, _, _ in found
        if name != os.fsencode(name).decode("utf-8", "replace")
    ]
    taken: dict[str, int] = {}
    for place, (name, _, prefix) in enumerate(found):
        other = found[taken.setdefault(prefix.casefold(), place)][0]
        if taken[prefix.casefold()] != place:
            reason = (
                f"{name} is given twice"
                if other == name
                else f"{other} and {name} would both write below {prefix}/; rename one"
            )
            problems.append(Problem(None, "", reason))
    return [
        _Source(name, path, f"{prefix}/" if several else "") for name, path, prefix in found
    ], problems


def _look(name: str) -> tuple[str, str]:
    """Whether there is a "file" or a "folder" called ``name``; else "" and why not."""
    path = Path(name)
    try:
        if name and path.is_dir():
            return "folder", ""
        if name and path.exists():
            return "file", ""
    except OSError as error:
        return "", error.strerror or str(error)
    return "", "no such file"


def _scripts_in(folder: Path, skip: Path | None) -> Iterable[Path]:
    avoid = skip.resolve() if skip else None
    for path in folder.rglob("*"):
        if not path.suffix or path.suffix.lower() not in _KINDS or not path.is_file():
            continue
        if any(part.startswith(".") for part in path.relative_to(folder).parts):
            continue
        if avoid is None or avoid not in path.resolve().parents:
            yield path


def _rows(
    source: _Source,
    script_format: str,
    columns: Mapping[str, str] | None,
    stdin: BinaryIO | None,
) -> Iterator[Row]:
    kind = script_format
    suffix = source.path.suffix.lower() if source.path else ".txt"
    if kind == "auto":
        if suffix not in _KINDS:
            reason = (
                f"{source.name}: {suffix} is no script format; "
                "use .txt, .jsonl, .csv, .tsv or --script-format"
            )
            raise ScriptError([Problem(None, "", reason)])
        kind = _KINDS[suffix]
    if columns and kind not in {"csv", "tsv"}:
        raise ScriptError(
            [Problem(None, "", f"{source.name}: --columns is for tables; this is {kind}")]
        )
    text = decode(_bytes(source, stdin), source.name)
    if not text.strip():
        return iter(())
    folder = source.path.parent if source.path else Path()
    if kind == "txt":
        return read_txt(text, source.name, folder)
    if kind == "jsonl":
        return read_jsonl(text, source.name, folder)
    return read_table(text, source.name, folder, kind=kind, columns=columns)


def _bytes(source: _Source, stdin: BinaryIO | None) -> bytes:
    try:
        if source.path is None:
            assert stdin is not None, "standard input was asked for and not handed in"
            return stdin.read()
        return source.path.read_bytes()
    except OSError as error:
        reason = f"{source.name}: can't be read: {error.strerror}"
        raise ScriptError([Problem(None, "", reason)]) from None


def _numbered(rows: Iterable[tuple[_Source, Row]]) -> Iterator[Utterance]:
    counts: dict[str, int] = {}
    for index, (source, row) in enumerate(rows, start=1):
        number = counts[source.name] = counts.get(source.name, 0) + 1
        utterance = row.utterance
        name = utterance.id or utterance.output or f"{number:06}"
        output = utterance.output or name
        yield replace(
            utterance, index=index, id=source.prefix + name, output=source.prefix + output
        )
