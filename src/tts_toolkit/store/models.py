"""What of each model is on this machine."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tts_toolkit.errors import ModelMissingError, StorageError, UsageError
from tts_toolkit.store.catalogue import Model, PublishedFile, catalogue, find_model
from tts_toolkit.store.paths import home
from tts_toolkit.store.size import in_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

# Where ModelScope's library keeps what it has of a file.
STAGING = ".modelscope"
_LOCK = ".download.lock"


@dataclass(frozen=True)
class ModelState:
    """A model on this machine, judged by the names and sizes of its files.

    Attributes:
        model: from the catalogue.
        folder: where it is, or would be.
        missing: files that are not there, or not of the published size.
        bytes_here: of it on the disk, finished or not.
    """

    model: Model
    folder: Path
    missing: tuple[PublishedFile, ...]
    bytes_here: int

    @property
    def state(self) -> str:
        """One of "installed", "partial" and "not here"."""
        if not self.missing:
            return "installed"
        return "partial" if self.bytes_here else "not here"


def model_folder(model: Model, given: Path | None = None) -> Path:
    """Where a model is: the given folder, or its own in the store."""
    return given or home() / "models" / model.folder


def part_path(file: PublishedFile, folder: Path) -> Path:
    """Where an unfinished file is.

    Its hash is in the name, so that another revision never goes on with it.
    """
    target = folder / file.path
    return target.with_name(f"{target.name}.{file.sha256[:12]}.part")


def state_of(model: Model, folder: Path | None = None) -> ModelState:
    """What of a model is here. Looks at names and sizes only; ``verify_model`` reads it all."""
    where = model_folder(model, folder)
    missing, here = [], 0
    for file in model.files:
        found = _size(where / file.path)
        if found != file.size:
            missing.append(file)
            here += _size(part_path(file, where)) or 0
        here += found or 0
    return ModelState(model, where, tuple(missing), here)


def models() -> list[ModelState]:
    """The state of every model in the catalogue, in the store."""
    return [state_of(model) for model in catalogue().values()]


def require_model(name: str, folder: Path | None = None) -> Path:
    """The folder of a model that is complete: in a folder of the user's, or in the store.

    Only names are looked at, since a fine-tuned model has other sizes.

    Raises:
        ModelMissingError: with every missing file and where it comes from.
    """
    model = find_model(name)
    where = model_folder(model, folder)
    # A file of no bytes is what a copy that failed leaves.
    missing = [file for file in model.files if not _size(where / file.path) and file.size]
    if not missing:
        return where
    command = download_command(name, folder)
    if len(missing) == len(model.files):
        what = f"{model.title} is not {f'in {folder}' if folder else 'on this machine'}"
        raise ModelMissingError(f"{what}; get it ({in_bytes(model.size)}) with: {command}")
    lines = [
        f"  {file.path} ({in_bytes(file.size)}) from {file.repository} at {file.revision[:7]}"
        for file in missing
    ]
    raise ModelMissingError(
        "\n".join(
            [
                f"{model.title}: of {len(model.files)} files {len(missing)} missing in {where}:",
                *lines,
                f"get them with: {command}",
            ]
        )
    )


def download_command(name: str, folder: Path | None) -> str:
    """What brings a model into a folder."""
    return f"tts-toolkit models download {name}" + (f" --dir {folder}" if folder else "")


def remove_model(name: str, folder: Path | None = None) -> int:
    """Delete a model's files, finished or not, and nothing else; the bytes that were freed.

    Raises:
        OptionError: for an unknown model.
        UsageError: while a download is writing there.
        StorageError: if a file can't be deleted.
    """
    model = find_model(name)
    where = model_folder(model, folder)
    if not where.is_dir():
        return 0
    freed = 0
    with locked(where):
        for file in model.files:
            target = where / file.path
            for path in (target, *target.parent.glob(f"{target.name}.*.part")):
                freed += _delete(path)
            for staging in target.parent.glob(f"{target.name}.*{STAGING}"):
                freed += sum(_delete(path) for path in staging.rglob("*"))
                shutil.rmtree(staging, ignore_errors=True)
    (where / _LOCK).unlink(missing_ok=True)
    for below in sorted({path.parent for path in _paths(model, where)}, reverse=True):
        _remove_empty(below, where)
    return freed


@contextmanager
def locked(folder: Path, *, wait: Callable[[], None] | None = None) -> Iterator[None]:
    """Hold the folder's lock.

    Args:
        folder: of a model.
        wait: called once if another process has the lock, which is then waited for. Without it
            that is an error.

    Raises:
        UsageError: if another process has the lock and it is not to be waited for.
        StorageError: if the folder can't be written.
    """
    from filelock import FileLock, Timeout  # noqa: PLC0415 - only where something is changed

    lock = FileLock(folder / _LOCK)
    try:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            if wait is None:
                raise UsageError(f"{folder}: a download is writing there; wait for it") from None
            wait()
            lock.acquire()
    except OSError as error:
        raise StorageError(f"{folder}: can't be written: {error.strerror}") from error
    try:
        yield
    finally:
        lock.release()


def _paths(model: Model, folder: Path) -> list[Path]:
    return [folder / file.path for file in model.files]


def _size(path: Path) -> int | None:
    """Of a file in bytes, or None where there is none."""
    try:
        return path.stat().st_size if path.is_file() else None
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror}") from error


def _delete(path: Path) -> int:
    size = _size(path)
    if size is None:
        return 0
    try:
        path.unlink()
    except OSError as error:
        raise StorageError(f"{path}: can't be deleted: {error.strerror}") from error
    return size


def _remove_empty(folder: Path, top: Path) -> None:
    """Delete a folder, and those above it up to ``top``, as far as they are empty."""
    for one in (folder, *folder.parents):
        if not one.is_dir() or any(one.iterdir()):
            return
        one.rmdir()
        if one == top:
            return
