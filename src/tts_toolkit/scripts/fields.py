"""A row's fields to an utterance: types, ranges, and files that must be there."""

from __future__ import annotations

import math
import os
import re
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from tts_toolkit.config import LANGUAGES, MAX_SEED
from tts_toolkit.emotion import emotion_vector
from tts_toolkit.errors import OptionError, Problem, ScriptError
from tts_toolkit.rule import hint, unknown
from tts_toolkit.scripts.decode import decode
from tts_toolkit.utterance import Emotion, Source, Utterance

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FIELDS = (
    "id",
    "text",
    "text_file",
    "voice",
    "lang",
    "seed",
    "speed",
    "output",
    "silence_after_ms",
    "emotion_audio",
    "emotion_text",
    "emotion_vector",
    "emotion_weight",
)
_AUDIO_SUFFIXES = frozenset(
    {".wav", ".flac", ".ogg", ".opus", ".mp3", ".m4a", ".aac", ".wma", ".aiff"}
)
_SURROGATE = re.compile(r"[\ud800-\udfff]")


class _WrongError(Exception):
    """One field's value can't be used."""


@dataclass(frozen=True)
class Row:
    """What was read from one row.

    Attributes:
        utterance: the utterance; with empty text if ``problems`` is not empty.
        problems: all that is wrong with the row.
        inputs: the files that it reads.
    """

    utterance: Utterance
    problems: tuple[Problem, ...]
    inputs: tuple[Path, ...]


def looks_like_clip(voice: str) -> bool:
    """Whether a voice is meant as the path of a reference clip rather than as a name."""
    return "/" in voice or "\\" in voice or PurePath(voice).suffix.lower() in _AUDIO_SUFFIXES


def read_row(raw: Mapping[str, Any], source: Source, folder: Path) -> Row:
    """An utterance from a row's raw fields; None and "" count as absent, except as text.

    Args:
        raw: fields by name, with JSON's types or as strings.
        source: where the row stands.
        folder: the script's folder; the paths in the row are relative to it.
    """
    reader = _Reader(raw, folder)
    utterance = Utterance(
        text=reader.text(),
        id=reader.get("id", _name) or "",
        source=source,
        voice=reader.get("voice", reader.voice),
        lang=reader.get("lang", _language),
        seed=reader.get("seed", _seed),
        speed=reader.get("speed", _speed),
        output=reader.get("output", _output) or "",
        silence_after_ms=reader.get("silence_after_ms", _milliseconds),
        emotion=reader.emotion(),
    )
    problems = tuple(Problem(source, utterance.id, text) for text in reader.problems)
    return Row(utterance, problems, tuple(reader.inputs))


class _Reader:
    """One row on its way to an utterance; collects what is wrong instead of stopping."""

    def __init__(self, raw: Mapping[str, Any], folder: Path) -> None:
        given = {name: value for name, value in raw.items() if value is not None}
        self._raw = {name: value for name, value in given.items() if value != "" or name == "text"}
        self._folder = folder
        self.problems = unknown(given, FIELDS, what="field")
        self.problems += [
            f"{name}: {value!r} has half of a surrogate pair, which is no character"
            for name, value in given.items()
            if isinstance(value, str) and _SURROGATE.search(value)
        ]
        self.inputs: list[Path] = []

    def get(self, name: str, convert: Callable[[Any], Any]) -> Any:
        value = self._raw.get(name)
        if value is None:
            return None
        try:
            return convert(value)
        except _WrongError as error:
            self.problems.append(f"{name}: {error}")
            return None

    def text(self) -> str:
        if "text" in self._raw and "text_file" in self._raw:
            self.problems.append("has both text and text_file; keep one")
            return ""
        if "text" in self._raw:
            text = self._raw["text"]
            if not isinstance(text, str):
                self.problems.append(f"text: {text!r} is not a string")
            elif not text.strip():
                self.problems.append("text is empty")
            else:
                return text.strip()
            return ""
        text = self.get("text_file", self._text_of)
        if text is None and "text_file" not in self._raw:
            self.problems.append("has neither text nor text_file")
        return text or ""

    def voice(self, value: Any) -> str:
        name = _name(value)
        return str(self._file(name)) if looks_like_clip(name) else name

    def emotion(self) -> Emotion | None:
        audio = self.get("emotion_audio", lambda value: str(self._file(value)))
        text = self.get("emotion_text", _name)
        vector = self.get("emotion_vector", _vector)
        weight = self.get("emotion_weight", _weight)
        given = [name for name in FIELDS if name.startswith("emotion_") and name in self._raw]
        kinds = [name for name in given if name != "emotion_weight"]
        if len(kinds) > 1:
            self.problems.append(f"has {' and '.join(kinds)}; keep one")
        elif given and not kinds:
            self.problems.append("has emotion_weight without an emotion")
        if audio is None and text is None and vector is None:
            return None
        return Emotion(audio, text, vector, weight)

    def _text_of(self, value: Any) -> str:
        path = self._file(value)
        try:
            text = decode(path.read_bytes(), str(path)).strip()
        except OSError as error:
            raise _WrongError(f"{path} can't be read: {error.strerror}") from None
        except ScriptError as error:
            raise _WrongError(str(error)) from None
        if not text:
            raise _WrongError(f"{path} is empty")
        return text

    def _file(self, value: Any) -> Path:
        name = _name(value)
        if "\0" in name:
            raise _WrongError(f"{name!r} is not a path")
        path = self._folder / os.path.expanduser(name)  # noqa: PTH111 - Path's raises for ~nobody
        try:
            if not path.is_file():
                what = "is a folder" if path.is_dir() else "does not exist"
                raise _WrongError(f"{path} {what} (paths are relative to the script)")
        except OSError as error:
            raise _WrongError(f"{path}: {error.strerror}") from None
        self.inputs.append(path)
        return path


def _name(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise _WrongError(f"{value!r} is not a string")
    return str(value).strip()


def _language(value: Any) -> str:
    code = _name(value).lower()
    if code not in LANGUAGES:
        raise _WrongError(f"{value!r} is not one of {', '.join(LANGUAGES)}{hint(code, LANGUAGES)}")
    return code


def _float(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise _WrongError(f"{value!r} is not a number")
    try:
        number = float(value)
    except (ValueError, OverflowError):
        raise _WrongError(f"{value!r} is not a number") from None
    if not math.isfinite(number):
        raise _WrongError(f"{value!r} is not a finite number")
    return number


def _whole(value: Any, most: int) -> int:
    number = _float(value)
    if not number.is_integer() or not 0 <= number <= most:
        raise _WrongError(f"{value!r} is not a whole number from 0 to {most}")
    return int(number)


def _seed(value: Any) -> int:
    return _whole(value, MAX_SEED)


def _milliseconds(value: Any) -> int:
    return _whole(value, 3_600_000)


def _speed(value: Any) -> float:
    number = _float(value)
    if not 0.25 <= number <= 4.0:  # noqa: PLR2004 - the range is in the message
        raise _WrongError(f"{value!r} is not between 0.25 and 4")
    return number


def _weight(value: Any) -> float:
    number = _float(value)
    if not 0.0 <= number <= 1.0:
        raise _WrongError(f"{value!r} is not between 0 and 1")
    return number


def _vector(value: Any) -> tuple[float, ...]:
    try:
        return emotion_vector(value)
    except OptionError as error:
        raise _WrongError(str(error)) from None


def _output(value: Any) -> str:
    """A path below the output folder, without the suffix of an audio file."""
    name = _name(value)
    suffix = PurePath(name).suffix
    return name[: -len(suffix)] if suffix.lower() in _AUDIO_SUFFIXES else name
