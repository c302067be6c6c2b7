"""The output folder: locked for one run, and written to in whole files."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from itertools import count
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from tts_toolkit.audio.write import write_synced
from tts_toolkit.errors import OutputInUseError, StorageError, UsageError
from tts_toolkit.job.moves import NEXT_MANIFEST, finish_moves

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

STATE = ".tts-toolkit"
_PARTS = "parts"
_LOCK = "lock"
_FINISHED = "finished"


class OutputFolder:
    """A folder that a run may write to; everything that is not finished lives in ``STATE``.

    Attributes:
        path: the folder.
        state: its subfolder for our own files.
        finished: a file that is there while manifest, metadata and page agree.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.state = path / STATE
        self._parts = self.state / _PARTS
        self._numbers = count()
        self.finished = self.state / _FINISHED

    def check(self) -> None:
        """Refuse a path on which no folder can be.

        Raises:
            UsageError: if it is a file, or below one.
            StorageError: if the system can't say.
        """
        with storage_errors(self.path, kept=False):
            found = next((one for one in (self.path, *self.path.parents) if one.exists()), None)
            if found and not found.is_dir():
                raise UsageError(f"{found} is a file; the output has to be a folder")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder: make it, mend what a killed run left, and keep other runs out.

        Raises:
            OutputInUseError: if another run has it.
            StorageError: if it can't be made or written.
        """
        with storage_errors(self.path, kept=False):
            self.state.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.state / _LOCK)
            try:
                lock.acquire(timeout=0)
            except Timeout:
                raise OutputInUseError(
                    f"{self.path} is in use by another run; wait for it, or choose another folder"
                ) from None
        try:
            with storage_errors(self.path):
                self._mend()
            yield
        finally:
            lock.release()

    def store(self, file: str, data: bytes) -> None:
        """Write a file whole or not at all. Threads may call it at the same time.

        Raises:
            StorageError: naming the file.
        """
        target = self.path / file
        with storage_errors(target):
            part = self._parts / f"{next(self._numbers)}"
            write_synced(part, data)
            target.parent.mkdir(parents=True, exist_ok=True)
            part.replace(target)

    def _mend(self) -> None:
        finish_moves(self.path, self.state)
        shutil.rmtree(self._parts, ignore_errors=True)
        self._parts.mkdir(exist_ok=True)
        for stale in (*self.state.glob("*.part"), self.state / NEXT_MANIFEST):
            stale.unlink(missing_ok=True)


@contextmanager
def storage_errors(path: Path, *, kept: bool = True) -> Iterator[None]:
    """Turn what the system says of files into a ``StorageError`` that names one.

    Args:
        path: named where the system names none.
        kept: whether to say that what is finished is kept.

    Raises:
        StorageError: for any OSError.
    """
    try:
        yield
    except OSError as error:
        where = error.filename or path
        advice = "; what is finished is kept, and the same command goes on from there" * kept
        raise StorageError(f"{where}: {error.strerror or error}{advice}") from error


def files_present(folder: Path, files: Iterable[str]) -> Collection[str]:
    """Those of ``files`` (relative to ``folder``) that are there, inside of it, and not empty.

    One look at each folder instead of one at each file: ten thousand files take milliseconds.
    """
    wanted: dict[str, set[str]] = {}
    for file in files:
        wanted.setdefault(str(PurePosixPath(file).parent), set()).add(file)
    present: set[str] = set()
    root = folder.resolve()
    for parent, names in wanted.items():
        if not (root / parent).resolve().is_relative_to(root):
            continue  # a link: what is behind it is not ours to rename or delete
        try:
            entries = os.scandir(folder / parent)
        except (FileNotFoundError, NotADirectoryError):
            continue
        prefix = "" if parent == "." else f"{parent}/"
        with entries:
            present.update(
                prefix + entry.name
                for entry in entries
                if prefix + entry.name in names and entry.is_file() and entry.stat().st_size
            )
    return present
