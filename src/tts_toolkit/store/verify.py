"""Reading a model's files and comparing them with what was published."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tts_toolkit.errors import StorageError
from tts_toolkit.store.catalogue import find_model
from tts_toolkit.store.crew import work_through
from tts_toolkit.store.models import download_command, model_folder
from tts_toolkit.store.sha256 import sha256_of
from tts_toolkit.store.transfer import Tally, Transfer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tts_toolkit.store.catalogue import PublishedFile

# More would not be faster: a disk, or the memory bus, is the limit by then.
_THREADS = 4


@dataclass(frozen=True)
class Verification:
    """What reading a model's files has shown.

    Attributes:
        folder: of the model.
        right: files that are byte for byte as published.
        wrong: files that are there and are not.
        missing: files that are not there.
        command: what brings them.
    """

    folder: Path
    right: tuple[PublishedFile, ...]
    wrong: tuple[PublishedFile, ...]
    missing: tuple[PublishedFile, ...]
    command: str

    @property
    def ok(self) -> bool:
        """Whether every file is right."""
        return not self.wrong and not self.missing

    @property
    def problem(self) -> str:
        """What is the matter, and what to do; "" if nothing is."""
        if self.ok:
            return ""
        what = []
        if self.missing:
            what.append(f"{len(self.missing)} missing")
        if self.wrong:
            what.append(f"{len(self.wrong)} wrong")
        force = " --force" if self.wrong else ""
        return f"{self.folder}: {' and '.join(what)}; to mend it: {self.command}{force}"


def verify_model(
    name: str,
    folder: Path | None = None,
    *,
    on_progress: Callable[[Transfer], None] = lambda _: None,
) -> Verification:
    """Read every file of a model and compare its size and sha256 with the published ones.

    Args:
        name: of the model.
        folder: where it is, if not in the store.
        on_progress: told about ten times a second how far it is.

    Raises:
        OptionError: for an unknown model.
        StorageError: if a file can't be read.
    """
    model = find_model(name)
    where = model_folder(model, folder)
    command = download_command(name, folder)
    return check_files(model.files, where, command=command, on_progress=on_progress)


def check_files(
    files: Sequence[PublishedFile],
    folder: Path,
    *,
    command: str,
    on_progress: Callable[[Transfer], None] = lambda _: None,
) -> Verification:
    """As ``verify_model``, of some files of a model."""
    here = [file for file in files if (folder / file.path).is_file()]
    # A file of another size is wrong without being read.
    to_read = [file for file in here if (folder / file.path).stat().st_size == file.size]
    tally = Tally("check", sum(file.size for file in to_read), len(to_read))
    wrong = {file.path for file in here} - {file.path for file in to_read}

    def read(file: PublishedFile) -> None:
        path = folder / file.path
        try:
            digest = sha256_of(path, tally.add)
        except OSError as error:
            raise StorageError(f"{path}: can't be read: {error.strerror}") from error
        if digest != file.sha256:
            wrong.add(file.path)
        tally.file_done()

    errors = work_through(
        sorted(to_read, key=lambda file: -file.size),
        read,
        threads=_THREADS,
        watch=lambda: on_progress(tally.now()),
        stop=threading.Event(),
    )
    if errors:
        raise errors[0]
    return Verification(
        folder,
        tuple(file for file in here if file.path not in wrong),
        tuple(file for file in here if file.path in wrong),
        tuple(file for file in files if file not in here),
        command,
    )
