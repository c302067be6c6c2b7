"""Files of ModelScope, through its own library (the extra ``modelscope``)."""

from __future__ import annotations

import logging
import shutil
from typing import TYPE_CHECKING

from tts_toolkit.errors import DownloadError, MissingError, StorageError
from tts_toolkit.store.models import STAGING
from tts_toolkit.store.part import WrongContentError

if TYPE_CHECKING:
    import threading

    from tts_toolkit.store.part import Part


class ModelScope:
    """ModelScope as a source of files.

    Its repositories have commits of their own, so the newest is asked for; what comes is held
    against the same sha256 as what comes from the hub.

    Args:
        endpoint: of a mirror; by default what its library has (``MODELSCOPE_ENDPOINT``).

    Raises:
        MissingError: if its library is not installed.
    """

    def __init__(self, *, endpoint: str | None = None) -> None:
        try:
            from modelscope_hub import HubApi  # noqa: PLC0415 - an extra
        except ImportError as error:
            raise MissingError(
                "--source modelscope needs its library: pip install 'tts-toolkit[modelscope]'"
            ) from error
        # It reports each retry as a warning of its own; what comes of them we report ourselves.
        logging.getLogger("modelscope_hub").setLevel(logging.ERROR)
        self._api = HubApi(endpoint=endpoint)

    def fetch(self, part: Part, _stop: threading.Event) -> None:
        """Bring a part to its full size. Its library keeps what came in a folder beside it.

        Raises:
            WrongContentError: if the server's file is not the published one.
            DownloadError: if the server refuses, or the network does not get better.
            StorageError: if the disk does not take it.
        """
        from modelscope_hub.errors import FileIntegrityError, HubError  # noqa: PLC0415 - an extra

        file = part.file
        staging = part.path.with_suffix(STAGING)
        try:
            came = self._api.download_file(
                file.modelscope,
                "model",
                file.name,
                local_dir=staging,
                expected_sha256=file.sha256,
                file_size=file.size,
            )
        except FileIntegrityError as error:
            raise WrongContentError(f"{file.path}: {_first_line(error)}") from error
        except HubError as error:
            raise DownloadError(
                f"{file.path}: ModelScope's {file.modelscope}: {_first_line(error)}"
            ) from error
        except OSError as error:
            # requests' errors are OSErrors, too, of no system call.
            if error.errno is None:
                raise DownloadError(f"{file.path}: ModelScope: {error}") from error
            raise StorageError(f"{error.filename or staging}: {error.strerror}") from error
        part.adopt(came)
        shutil.rmtree(staging, ignore_errors=True)


def _first_line(error: Exception) -> str:
    """What went wrong; the lines below it are about the request."""
    return str(error).partition("\n")[0]
