import itertools
import os
from pathlib import Path

import pytest

from tts_toolkit.job import moves
from tts_toolkit.manifest import MANIFEST


class KilledError(BaseException):
    """Stands for a SIGKILL: nothing catches it."""


def lay(folder):
    """An output folder whose moves are about to begin."""
    state = folder / ".tts-toolkit"
    state.mkdir(parents=True)
    for name in ("1", "2", "3", "sub/4"):
        path = folder / f"{name}.wav"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"audio {name}")
    (folder / MANIFEST).write_text("old")
    (state / moves.NEXT_MANIFEST).write_text("new")
    return folder


@pytest.fixture
def folder(tmp_path):
    return lay(tmp_path / "out")


PLAN = [("1.wav", "2.wav"), ("2.wav", "3.wav"), ("3.wav", "1.wav"), ("sub/4.wav", "deep/er/4.wav")]
AFTER = {"1.wav": "audio 3", "2.wav": "audio 1", "3.wav": "audio 2", "deep/er/4.wav": "audio sub/4"}


def audio(folder):
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*.wav")}


def test_a_ring_of_names_and_a_change_of_folder(folder):
    moves.begin_moves(folder, folder / ".tts-toolkit", PLAN, [])
    assert audio(folder) == AFTER
    assert (folder / MANIFEST).read_text() == "new"
    assert not (folder / "sub").exists()
    assert list((folder / ".tts-toolkit").iterdir()) == []


def test_what_is_dropped_goes_even_where_its_name_is_taken(folder):
    moves.begin_moves(folder, folder / ".tts-toolkit", [("1.wav", "2.wav")], ["2.wav"])
    assert audio(folder) == {"2.wav": "audio 1", "3.wav": "audio 3", "sub/4.wav": "audio sub/4"}


def die_before(step, patch):
    """Every change to the disk is a step; the one numbered ``step`` does not happen."""
    taken = itertools.count()

    def counted(original):
        def call(path, *args, **how):
            if next(taken) == step:
                raise KilledError
            return original(path, *args, **how)

        return call

    for name in ("replace", "unlink", "touch", "mkdir", "rmdir"):
        patch.setattr(Path, name, counted(getattr(Path, name)))
    for name in ("rename", "replace"):
        patch.setattr(os, name, counted(getattr(os, name)))


def test_killed_at_any_step_it_goes_on_and_loses_nothing(tmp_path, monkeypatch):
    before = audio(lay(tmp_path / "before"))
    for step in itertools.count():
        folder = lay(tmp_path / str(step))
        state = folder / ".tts-toolkit"
        try:
            with monkeypatch.context() as patch:
                die_before(step, patch)
                moves.begin_moves(folder, state, PLAN, [])
        except KilledError:
            moves.finish_moves(folder, state)
        else:
            break
        if (folder / MANIFEST).read_text() == "new":
            assert audio(folder) == AFTER, step
            assert list(state.iterdir()) == []
        else:
            assert audio(folder) == before, step
    assert step > 15
