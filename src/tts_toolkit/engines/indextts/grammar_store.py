"""Compiled grammars on disk: pickles, so only from a folder that nobody else can write to."""

from __future__ import annotations

import hashlib
import logging
import os
import pickle
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from tts_toolkit.errors import StorageError

_LOG = logging.getLogger(__name__)
_ROOT = 0
_OTHERS = stat.S_IWGRP | stat.S_IWOTH
_DIGEST = hashlib.sha256().digest_size


def trusted(entry: os.stat_result) -> bool:
    """Whether only this user and root can have written the file or folder.

    Unpickling runs what the pickle says, so a pickle of another user's would run as us.
    """
    if not hasattr(os, "geteuid"):  # Windows: a user's folders are the user's own
        return True
    return entry.st_uid in {_ROOT, os.geteuid()} and not entry.st_mode & _OTHERS


def private(folder: Path) -> bool:
    """Make the folder for this user alone if it is not there; whether it can be trusted.

    Raises:
        StorageError: naming the folder, if it is not there and can't be made.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        return trusted(folder.stat())
    except OSError as error:
        raise StorageError(f"{folder}: no place for grammars: {error.strerror}") from error


def load(path: Path) -> Any:
    """What ``save`` put there, or None if there is nothing that can be trusted and is whole."""
    try:
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            # Through the folder's descriptor: the one looked at is the one read from, even if
            # somebody who can write to a folder above swaps it meanwhile.
            file: IO[bytes] = open(  # noqa: SIM115 - closed by the `with` below
                path.name, "rb", opener=lambda name, flags: os.open(name, flags, dir_fd=folder)
            )
            with file:
                if not (trusted(os.fstat(folder)) and trusted(os.fstat(file.fileno()))):
                    _LOG.warning("%s: others can write here, so it is not read", path)
                    return None
                data = file.read()
        finally:
            os.close(folder)
    except OSError:
        return None
    if hashlib.sha256(data[_DIGEST:]).digest() != data[:_DIGEST]:
        _LOG.warning("%s: damaged, so it is made again", path)
        return None
    return pickle.loads(data[_DIGEST:])  # noqa: S301 - trusted and whole, see above


def save(path: Path, value: object) -> None:
    """Write ``value`` whole or not at all, for ``load``.

    Raises:
        StorageError: naming the path, if the system says no or others could write there.
    """
    if not private(path.parent):
        raise StorageError(
            f"{path.parent}: other users can write to this folder, so grammars are not kept in "
            f"it: chmod go-w it if it is yours, or set TTS_TOOLKIT_HOME to another"
        )
    body = pickle.dumps(value)
    try:
        descriptor, part = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(hashlib.sha256(body).digest())
                file.write(body)
            # Two processes that start together each replace it with the same thing.
            Path(part).replace(path)
        except OSError:
            Path(part).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise StorageError(f"{path}: can't be written: {error.strerror}") from error
