"""Renaming clips so that a kill at any moment loses none of them.

A shift by one (a line inserted at the top) renames every file onto its neighbour's name. So each is
first set aside under a number, then all get their new names; ``moves.json`` says which, and the
next start goes on from whatever it finds.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tts_toolkit.audio.write import write_synced
from tts_toolkit.manifest import MANIFEST

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_MOVES = "moves.json"
_SET_ASIDE = "moves.set-aside"
_STAGE = "moving"
NEXT_MANIFEST = "manifest.next"


def begin_moves(
    out: Path, state: Path, moves: Sequence[tuple[str, str]], dropped: Sequence[str]
) -> None:
    """Rename and delete audio files, and put ``state/manifest.next`` in the manifest's place.

    Args:
        out: the output folder.
        state: its folder for our own files, where ``manifest.next`` is ready.
        moves: (file, new file), relative to ``out``.
        dropped: files to delete.

    Raises:
        OSError: as the system says; ``finish_moves`` goes on later.
    """
    _clean(state)
    content = json.dumps({"moves": moves, "dropped": dropped}).encode()
    part = state / f"{_MOVES}.part"
    write_synced(part, content)
    part.replace(state / _MOVES)
    finish_moves(out, state)


def finish_moves(out: Path, state: Path) -> None:
    """Carry out the moves that were begun, if there are any; as often as need be."""
    plan = state / _MOVES
    if not plan.exists():
        _clean(state)
        return
    content = json.loads(plan.read_bytes())
    moves: list[tuple[str, str]] = content["moves"]
    stage, aside = state / _STAGE, state / _SET_ASIDE
    stage.mkdir(exist_ok=True)
    if not aside.exists():
        for number, (file, _) in enumerate(moves):
            # Gone from its place means set aside before a kill.
            with suppress(FileNotFoundError):
                os.rename(f"{out}/{file}", f"{stage}/{number}")  # noqa: PTH104 - see below
        for file in content["dropped"]:
            (out / file).unlink(missing_ok=True)
        aside.touch()
    for parent in {target.rpartition("/")[0] for _, target in moves}:
        (out / parent).mkdir(parents=True, exist_ok=True)
    for number, (_, target) in enumerate(moves):
        with suppress(FileNotFoundError):
            # Ten thousand Path objects would take longer than the renames themselves.
            os.replace(f"{stage}/{number}", f"{out}/{target}")  # noqa: PTH105
    # Gone means that the kill came after this line.
    with suppress(FileNotFoundError):
        (state / NEXT_MANIFEST).replace(out / MANIFEST)
    remove_empty_parents(out, [file for file, _ in moves] + content["dropped"])
    plan.unlink()
    _clean(state)


def _clean(state: Path) -> None:
    """Without ``moves.json`` the rest means nothing, and would mislead the next moves."""
    (state / _SET_ASIDE).unlink(missing_ok=True)
    with suppress(FileNotFoundError):
        (state / _STAGE).rmdir()


def remove_empty_parents(out: Path, files: Iterable[str]) -> None:
    """Remove the folders of ``files`` below ``out`` that have nothing left in them."""
    parents = {file.rpartition("/")[0] for file in files} - {""}
    folders = {Path(parent) for parent in parents}
    folders |= {above for folder in folders for above in folder.parents} - {Path()}
    for folder in sorted(folders, key=lambda folder: len(folder.parts), reverse=True):
        with suppress(OSError):  # not empty, or gone already
            (out / folder).rmdir()
