"""A file on its way: its bytes so far under a name of their own, hashed as they come."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, BinaryIO

from tts_toolkit.errors import DownloadError, StorageError
from tts_toolkit.store.digest import Digest
from tts_toolkit.store.flush import Flusher
from tts_toolkit.store.models import part_path
from tts_toolkit.store.size import in_bytes

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Self

    from tts_toolkit.store.catalogue import PublishedFile
    from tts_toolkit.store.transfer import Tally


class WrongContentError(DownloadError):
    """What came is not what was published."""


class Part:
    """The ``.part`` file of a published file, open for more.

    A process that dies leaves it, and the next one goes on at its end. It gets the file's own name
    only once its size and sha256 are right and it is on the disk.

    Args:
        file: what it is to become.
        folder: of the model.
        tally: counts what is here, and what comes.

    Raises:
        StorageError: if it can't be written.
    """

    def __init__(self, file: PublishedFile, folder: Path, tally: Tally) -> None:
        self.file = file
        self.target = folder / file.path
        self.path = part_path(file, folder)
        self._tally = tally
        try:
            self.target.parent.mkdir(parents=True, exist_ok=True)
            self._out: BinaryIO = self.path.open("ab")
            self.size = self.path.stat().st_size
            self._digest = Digest()
            self._tally.add(self.size)
            # What an earlier process left is read once, so that the end need not read it all.
            self._digest.read(self.path)
            self._flusher = Flusher(self._out.fileno())
        except OSError as error:
            raise _no_room(self.path, error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._digest.close()
        self._flusher.close()
        self._out.close()

    def restart(self) -> None:
        """Forget what is here."""
        try:
            self._out.truncate(0)
        except OSError as error:
            raise _no_room(self.path, error) from error
        self._tally.add(-self.size)
        self.size = 0
        self._digest.close()
        self._digest = Digest()

    def discard(self) -> None:
        """Delete it."""
        self.restart()
        self.path.unlink()

    def adopt(self, whole: Path) -> None:
        """Take a file that something else has fetched; it is moved, and read once."""
        self.restart()
        self._flusher.close()
        try:
            self._out.close()
            whole.replace(self.path)
            self._out = self.path.open("ab")
            self._flusher = Flusher(self._out.fileno())
            self.size = self.path.stat().st_size
            self._tally.add(self.size)
            self._digest.read(self.path)
        except OSError as error:
            raise _no_room(self.path, error) from error

    def write(self, chunk: bytes) -> None:
        """Add bytes at its end.

        Raises:
            WrongContentError: if it gets longer than the published file.
            StorageError: if the disk does not take it.
        """
        if self.size + len(chunk) > self.file.size:
            raise WrongContentError(
                f"{self.file.path}: more came than the {in_bytes(self.file.size)} published"
            )
        try:
            self._out.write(chunk)
        except OSError as error:
            raise _no_room(self.path, error) from error
        self._digest.update(chunk)
        self._flusher.wrote(len(chunk))
        self.size += len(chunk)
        self._tally.add(len(chunk))

    def finish(self) -> None:
        """Give it the file's own name.

        Raises:
            WrongContentError: if it is not the published file.
            StorageError: if the disk does not take it.
        """
        digest = self._digest.hexdigest()
        if self.size != self.file.size or digest != self.file.sha256:
            raise WrongContentError(
                f"{self.file.path}: what came has sha256 {digest[:12]}…, "
                f"published is {self.file.sha256[:12]}…"
            )
        try:
            self._out.flush()
            # On the disk before it has its name: a power cut leaves a part, or all of it.
            os.fsync(self._out.fileno())
            self.path.replace(self.target)
            for other in self.target.parent.glob(f"{self.target.name}.*.part"):
                other.unlink()  # of another revision
        except OSError as error:
            raise _no_room(self.target, error) from error
        self._tally.file_done()


def _no_room(path: Path, error: OSError) -> StorageError:
    return StorageError(
        f"{path}: {error.strerror}; what has come is kept, and the same command goes on"
    )
