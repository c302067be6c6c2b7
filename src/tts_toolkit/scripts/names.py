"""File names: inside the output folder, one each, and usable on every system."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from tts_toolkit.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from pathlib import Path

    from tts_toolkit.utterance import Utterance

# Microsoft's "Naming Files, Paths, and Namespaces": device names, with any suffix.
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]) *(\..*)?", re.IGNORECASE)
_DRIVE = re.compile(r"[A-Za-z]:")
_FORBIDDEN = re.compile(r'[<>:"\\|?*\x00-\x1f\x7f\ud800-\udfff]')
# The shortest limits of the common systems in UTF-8: for one name, and (macOS) for a whole path.
_LONGEST = 255
_LONGEST_PATH = 1024


def file_of(utterance: Utterance, suffix: str) -> str:
    """The utterance's audio file, relative to the output folder, with forward slashes."""
    return utterance.output + suffix


def name_problems(
    utterances: Iterable[Utterance], suffix: str, out: Path, inputs: Collection[Path]
) -> Iterator[Problem]:
    """Everything wrong with the names that a run would write.

    Args:
        utterances: with ids and outputs.
        suffix: of the audio files, with its dot.
        out: the output folder (it need not exist).
        inputs: resolved paths of what the run reads.
    """
    root = out.resolve()
    read = {path.relative_to(root).as_posix() for path in inputs if path.is_relative_to(root)}
    ids: dict[str, Utterance] = {}
    files: dict[str, Utterance] = {}
    folders: dict[str, Utterance] = {}
    inside: dict[str, bool] = {}  # of each folder, since asking the disk for each file is slow
    for utterance in utterances:
        file = file_of(utterance, suffix)
        folded, folded_id = _folded(file), _folded(utterance.id)
        reason = _unusable(file)
        if not reason and folded_id in ids:
            reason = _repeats(utterance, ids[folded_id])
        if not reason and folded in files:
            reason = f"would write {file}, and so would {_where(files[folded])}"
        if not reason:
            reason = _nested(file, utterance, files, folders)
        if not reason and file in read:
            reason = f"would write {file} over a file that the script reads"
        parent = file.rpartition("/")[0]
        if not reason and parent not in inside:
            inside[parent] = (root / parent).resolve().is_relative_to(root)
        if not reason and not inside[parent]:
            reason = f"would write {file} outside of {out}: {parent} is a link"
        ids.setdefault(folded_id, utterance)
        files.setdefault(folded, utterance)
        if reason:
            yield Problem(utterance.source, utterance.id, reason)


def stays_inside(file: str) -> bool:
    """Whether a relative path leads nowhere but below the folder that it is relative to."""
    if not file or file[0] in "/\\" or _DRIVE.match(file):
        return False
    return ".." not in file or ".." not in re.split(r"[/\\]", file)


def _unusable(file: str) -> str:
    parts = file.split("/")
    if not stays_inside(file):
        return f"would write {file!r} outside of the output folder"
    if "" in parts or "." in parts:
        return f"{file!r} is not a plain path"
    reason = next(filter(None, map(_unusable_name, parts)), "")
    if not reason and len(file.encode()) > _LONGEST_PATH:
        reason = f"the path {file[:20] + '…'!r} is longer than {_LONGEST_PATH} bytes"
    return reason


def _unusable_name(name: str) -> str:
    """What is wrong with one part of a path."""
    if bad := _FORBIDDEN.search(name):
        return f"the name {name!r} has {bad.group()!r}, which not every system allows"
    if name.startswith("."):
        return f"the name {name!r} starts with a dot, which hides it"
    if _RESERVED.fullmatch(name):
        return f"the name {name!r} is reserved on Windows"
    if name != name.strip() or name.endswith("."):
        return f"the name {name!r} starts or ends with a space or a dot"
    if len(name.encode()) > _LONGEST:
        return f"the name {name[:20] + '…'!r} is longer than {_LONGEST} bytes"
    return ""


def _nested(
    file: str, utterance: Utterance, files: dict[str, Utterance], folders: dict[str, Utterance]
) -> str:
    """Whether one utterance's file would be another one's folder."""
    folded = _folded(file)
    if folded in folders:
        return f"would write {file}, which is the folder of {_where(folders[folded])}"
    parent = file
    while parent := parent.rpartition("/")[0]:
        name = _folded(parent)
        if name in files:
            return f"would write into {parent}, which is the file of {_where(files[name])}"
        folders.setdefault(name, utterance)
    return ""


def _folded(name: str) -> str:
    """One spelling for names that some file system takes for the same."""
    if name.isascii():
        return name.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _repeats(utterance: Utterance, first: Utterance) -> str:
    """That an id is there twice; with both spellings where they differ."""
    spelled = f", spelled {first.id!r}" * (utterance.id != first.id)
    return f"the id {utterance.id!r} is already that of {first.source or 'another'}{spelled}"


def _where(utterance: Utterance) -> str:
    return f"{utterance.source} ({utterance.id})" if utterance.source else utterance.id
