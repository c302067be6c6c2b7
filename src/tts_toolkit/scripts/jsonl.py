"""JSON Lines: one object a line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tts_toolkit.errors import Problem
from tts_toolkit.scripts.fields import Row, read_row
from tts_toolkit.utterance import Source, Utterance

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class _RepeatedError(Exception):
    """An object has the same field twice."""


def read_jsonl(text: str, file: str, folder: Path) -> Iterator[Row]:
    """A row for each line of ``text`` that is not blank."""
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        source = Source(file, number)
        fields, reason = _object(line)
        if reason:
            yield Row(Utterance("", source=source), (Problem(source, "", reason),), ())
        else:
            yield read_row(fields, source, folder)


def _object(line: str) -> tuple[dict[str, Any], str]:
    """The line's object, or an empty one and what is wrong with it."""
    try:
        value = json.loads(line, object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        return {}, f"is not JSON: {error.msg} at column {error.colno}"
    except _RepeatedError as error:
        return {}, f"has the field {error} twice"
    except RecursionError:
        return {}, "is not JSON that can be read: nested too deep"
    except ValueError as error:  # a number of more digits than Python converts
        return {}, f"is not JSON that can be read: {error}"
    if not isinstance(value, dict):
        return {}, 'is not a JSON object such as {"text": "Hello."}'
    return value, ""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, value in pairs:
        if name in fields:
            raise _RepeatedError(repr(name))
        fields[name] = value
    return fields
