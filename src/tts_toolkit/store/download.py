"""Bringing a model to this machine, exactly as published."""

from __future__ import annotations

import shutil
import threading
from typing import TYPE_CHECKING, Protocol

from tts_toolkit.errors import DownloadError, OptionError, StorageError
from tts_toolkit.store.catalogue import find_model
from tts_toolkit.store.crew import work_through
from tts_toolkit.store.models import download_command, locked, model_folder, part_path
from tts_toolkit.store.part import Part, WrongContentError
from tts_toolkit.store.size import in_bytes
from tts_toolkit.store.transfer import Tally, Transfer
from tts_toolkit.store.verify import Verification, check_files

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tts_toolkit.store.catalogue import Model, PublishedFile
    from tts_toolkit.store.hub import Patience

_AT_ONCE = 4


class Source(Protocol):
    """Where files come from."""

    def fetch(self, part: Part, stop: threading.Event, /) -> None:
        """Bring a part to its full size, or raise."""


def download_model(
    name: str,
    folder: Path | None = None,
    *,
    source: str = "huggingface",
    offline: bool = False,
    accept_license: bool = False,
    force: bool = False,
    endpoint: str | None = None,
    patience: Patience | None = None,
    on_progress: Callable[[Transfer], None] = lambda _: None,
    on_note: Callable[[str], None] = lambda _: None,
    on_license: Callable[[Model], bool] = lambda _: False,
) -> Path:
    """Bring a model to this machine; what is here and right is kept.

    Each file has its name only when its size and sha256 are as published. What a run that was
    killed has of a file is gone on with.

    Args:
        name: of the model.
        folder: where it goes, if not in the store.
        source: "huggingface" (or its mirror), or "modelscope".
        offline: never use the network.
        accept_license: whether the model's licence is accepted.
        force: replace files that are here and are not as published.
        endpoint: of a mirror of the source.
        patience: with a bad network (Hugging Face).
        on_progress: told about ten times a second how far it is.
        on_note: told in a line what is tried again or waited for, from any thread.
        on_license: asked whether the licence is accepted, if ``accept_license`` does not say so.

    Returns:
        The folder.

    Raises:
        OptionError: for an unknown model, or if its licence is not accepted.
        DownloadError: if it can't be had; every file that failed is in it.
        MissingError: if the source needs a library that is not here.
        StorageError: if the disk is full or read-only, or has other files under their names.
    """
    model = find_model(name)
    where = model_folder(model, folder)
    command = download_command(name, folder)
    found = check_files(model.files, where, command=command, on_progress=on_progress)
    _refuse_wrong(found, force=force)
    if found.ok:
        return where
    to_come = _to_come(found)
    if offline:
        raise DownloadError(
            f"{model.title} is not complete, and offline is set. Bring from another machine into "
            f"{where}: {', '.join(file.path for file in to_come)}"
        )
    if not accept_license and not on_license(model):
        raise OptionError(f"{model.notice}\nRead it, and say that you accept it: --accept-license")
    origin = _source(source, endpoint=endpoint, patience=patience, note=on_note)
    try:
        where.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"{error.filename}: {error.strerror}") from error
    with locked(where, wait=lambda: on_note("another download is under way here; waiting for it")):
        # It may have brought some of them.
        found = check_files(to_come, where, command=command, on_progress=on_progress)
        _refuse_wrong(found, force=force)
        if not found.ok:
            _fetch(_to_come(found), where, origin, on_progress=on_progress, on_note=on_note)
    return where


def _to_come(found: Verification) -> tuple[PublishedFile, ...]:
    return (*found.missing, *found.wrong)


def _refuse_wrong(found: Verification, *, force: bool) -> None:
    if found.wrong and not force:
        names = ", ".join(file.path for file in found.wrong)
        raise StorageError(
            f"{found.folder} has files that are not the published ones: {names}. Move them away, "
            "or replace them with --force"
        )


def _source(
    name: str,
    *,
    endpoint: str | None,
    patience: Patience | None,
    note: Callable[[str], None],
) -> Source:
    if name == "modelscope":
        from tts_toolkit.store.modelscope import ModelScope  # noqa: PLC0415 - an extra

        return ModelScope(endpoint=endpoint)
    from tts_toolkit.store.hub import Hub  # noqa: PLC0415 - brings the HTTP client

    return Hub(endpoint=endpoint, patience=patience, note=note)


def _fetch(
    files: Sequence[PublishedFile],
    folder: Path,
    source: Source,
    *,
    on_progress: Callable[[Transfer], None],
    on_note: Callable[[str], None],
) -> None:
    _check_room(files, folder)
    tally = Tally("download", sum(file.size for file in files), len(files))
    stop = threading.Event()

    def bring(file: PublishedFile) -> None:
        try:
            with Part(file, folder, tally) as part:
                _bring(part, source, stop, on_note)
        except StorageError:
            stop.set()  # the others would meet the same disk
            raise

    errors = work_through(
        sorted(files, key=lambda file: -file.size),
        bring,
        threads=_AT_ONCE,
        watch=lambda: on_progress(tally.now()),
        stop=stop,
    )
    for error in errors:
        if not isinstance(error, DownloadError):
            raise error
    if errors:
        raise DownloadError("\n".join(map(str, errors))) from errors[0]


def _bring(
    part: Part, source: Source, stop: threading.Event, on_note: Callable[[str], None]
) -> None:
    """Fetch a part and finish it; what is not as published is fetched once more, then refused."""
    try:
        _bring_once(part, source, stop)
    except WrongContentError as error:
        on_note(f"{error}; once more from the beginning")
        part.restart()
    else:
        return
    try:
        _bring_once(part, source, stop)
    except WrongContentError as error:
        part.discard()
        raise WrongContentError(
            f"{error}; twice, so it is refused. Try later, or another source or mirror"
        ) from error


def _bring_once(part: Part, source: Source, stop: threading.Event) -> None:
    source.fetch(part, stop)
    if not stop.is_set():
        part.finish()


def _check_room(files: Sequence[PublishedFile], folder: Path) -> None:
    """Refuse before anything comes, if the disk can't hold it."""
    here = 0
    for file in files:
        part = part_path(file, folder)
        here += part.stat().st_size if part.is_file() else 0
    needed = sum(file.size for file in files) - here
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise StorageError(
            f"{folder}: {in_bytes(needed)} are still to come, and {in_bytes(free)} are free. "
            "Make room, or choose another folder with TTS_TOOLKIT_HOME or --dir"
        )
