"""What values an option takes: the same for a flag, the environment, a file and an argument."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from tts_toolkit.device import is_device
from tts_toolkit.emotion import emotion_vector
from tts_toolkit.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


@dataclass(frozen=True)
class Rule:
    """What values an option takes, and the help that it shows.

    Attributes:
        help: one line.
        kind: "text", "path", "int", "float", "flag", "device", "columns" or "vector".
        choices: the words that it takes, beside what ``kind`` allows.
        least: smallest number.
        most: largest number.
        short: its one-letter flag.
    """

    help: str
    kind: str = "text"
    choices: tuple[str, ...] = ()
    least: float | None = None
    most: float | None = None
    short: str | None = None


def check(raw: object, rule: Rule) -> object:
    """``raw`` (a string, or a value that already has its type) as ``rule`` wants it.

    Raises:
        OptionError: if it can't be; the message does not name the option.
    """
    if rule.kind in {"int", "float"}:
        return _number(raw, rule)
    if rule.kind in _PARSERS:
        return _PARSERS[rule.kind](raw)
    if not isinstance(raw, str) or not raw:
        raise OptionError(f"{raw!r} is not a word")
    if rule.kind == "device":
        if not is_device(raw):
            raise OptionError(f"{raw!r} is not a device; use {rule.help}")
    elif rule.choices and raw not in rule.choices:
        raise OptionError(
            f"{raw!r} is not one of {', '.join(rule.choices)}{hint(raw, rule.choices)}"
        )
    return raw


def hint(word: str, known: Iterable[str]) -> str:
    """'. Did you mean "…"?' for the nearest known word, or nothing."""
    spelling = {one.lower(): one for one in known}
    near = get_close_matches(word.lower(), list(spelling), n=1, cutoff=0.6)
    return f'. Did you mean "{spelling[near[0]]}"?' if near else ""


def unknown(names: Iterable[str], known: Iterable[str], *, what: str) -> list[str]:
    """A line for each of ``names`` that is not known."""
    known = list(known)
    return [f"unknown {what} {name!r}{hint(name, known)}" for name in names if name not in known]


def _path(raw: object) -> Path:
    if not isinstance(raw, str | Path) or not str(raw) or "\0" in str(raw):
        raise OptionError(f"{raw!r} is not a path")
    return Path(raw)


def _flag(raw: object) -> bool:
    words = {"1": True, "true": True, "yes": True, "on": True}
    words |= {"0": False, "false": False, "no": False, "off": False, "": False}
    if isinstance(raw, bool):
        return raw
    word = str(raw).strip().lower()
    if word not in words:
        raise OptionError(f"{raw!r} is not yes or no")
    return words[word]


def _columns(raw: object) -> dict[str, str]:
    if isinstance(raw, Mapping):
        pairs = [(str(ours), str(theirs)) for ours, theirs in raw.items()]
    else:
        pairs = []
        for pair in str(raw).split(","):
            ours, separator, theirs = pair.partition("=")
            if not separator or not ours.strip() or not theirs.strip():
                raise OptionError(f"{pair!r} is not FIELD=COLUMN, as in text=Line,voice=Character")
            pairs.append((ours.strip(), theirs.strip()))
    for names in zip(*pairs, strict=True):
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice:
            raise OptionError(f"{twice!r} is there twice")
    return dict(pairs)


def _number(raw: object, rule: Rule) -> object:
    if raw in rule.choices:
        return raw
    also = f", or {' or '.join(rule.choices)}" if rule.choices else ""
    name = "a whole number" if rule.kind == "int" else "a number"
    wrong = OptionError(f"{raw!r} is not {name}{also}")
    if isinstance(raw, bool) or not isinstance(raw, str | int | float):
        raise wrong
    try:
        value = float(raw)
        if rule.kind == "int":
            value = int(raw)
    except (ValueError, OverflowError):
        raise wrong from None
    if rule.kind == "int" and value != float(raw):
        raise wrong
    if not (rule.least is None or rule.most is None or rule.least <= value <= rule.most):
        raise OptionError(f"{raw} is not between {rule.least:.10g} and {rule.most:.10g}{also}")
    return value


_PARSERS: dict[str, Callable[[object], object]] = {
    "flag": _flag,
    "columns": _columns,
    "path": _path,
    "vector": emotion_vector,
}
