"""Files of the Hugging Face hub, or of a mirror that speaks its protocol.

Addresses, tokens, mirrors (``HF_ENDPOINT``) and metadata are huggingface_hub's. The bytes go into
our own ``.part`` files with Range requests: the hub's client throws a partial file away when its
process dies.
"""

from __future__ import annotations

import random
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from time import time
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

import httpx2
from huggingface_hub import get_hf_file_metadata, hf_hub_url
from huggingface_hub.constants import ENDPOINT
from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled
from huggingface_hub.utils import build_hf_headers, get_session

from tts_toolkit import __version__
from tts_toolkit.errors import DownloadError
from tts_toolkit.store.part import WrongContentError
from tts_toolkit.store.size import in_bytes

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator

    from tts_toolkit.store.catalogue import PublishedFile
    from tts_toolkit.store.part import Part

_LIBRARY = "tts-toolkit"
# What may be over in a moment: timeout, too many requests, and the server's own trouble.
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_SHA256_DIGITS = 64


@dataclass(frozen=True)
class Patience:
    """How long to bear with a bad network.

    Attributes:
        attempts: tries in a row that bring nothing, before giving up.
        first_wait: seconds before the second try; it doubles with each.
        longest_wait: seconds, whatever the server asks for.
        silence: seconds without a byte after which a connection counts as dead.
    """

    attempts: int = 8
    first_wait: float = 1.0
    longest_wait: float = 60.0
    silence: float = 30.0


PATIENCE = Patience()


class _PassingError(Exception):
    """Trouble that a later try may not have; ``wait`` is what the server asks for, in seconds."""

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


class Hub:
    """The hub as a source of files.

    Args:
        endpoint: of a mirror; by default what huggingface_hub has (``HF_ENDPOINT``).
        patience: with a bad network.
        note: told in a line what is tried again, and why; from any thread.
    """

    def __init__(
        self,
        *,
        endpoint: str | None = None,
        patience: Patience | None = None,
        note: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._endpoint = endpoint
        self._patience = patience or PATIENCE
        self._note = note

    def fetch(self, part: Part, stop: threading.Event) -> None:
        """Bring a part to its full size, from where it is.

        Raises:
            WrongContentError: if the server's file is not the published one.
            DownloadError: if the server refuses, or the network does not get better.
            StorageError: if the disk does not take it.
        """
        file = part.file
        url = hf_hub_url(
            file.repository, file.name, revision=file.revision, endpoint=self._endpoint
        )
        in_vain = 0
        while part.size < file.size and not stop.is_set():
            before = part.size
            try:
                self._more(part, url, stop)
            except _PassingError as error:
                in_vain = 1 if part.size > before else in_vain + 1
                if in_vain >= self._patience.attempts:
                    raise DownloadError(
                        f"{file.path}: {error} ({url}); tried {in_vain} times in vain. "
                        "What has come is kept, and the same command goes on"
                    ) from error
                wait = self._wait(in_vain, error.wait)
                self._note(f"{file.path}: {error}; again in {wait:.1f} s")
                stop.wait(wait)

    def _wait(self, in_vain: int, asked: float | None) -> float:
        wait = self._patience.first_wait * 2 ** (in_vain - 1)
        if asked is not None:
            wait = max(wait, asked)
        # A little more for some than for others, so that many clients don't come back at once.
        return float(min(wait, self._patience.longest_wait) * random.uniform(1, 1.2))  # noqa: S311

    def _more(self, part: Part, url: str, stop: threading.Event) -> None:
        """One request for what is still to come."""
        file = part.file
        location = self._locate(file, url)
        headers = {"Accept-Encoding": "identity", "Range": f"bytes={part.size}-"}
        # The token is for the hub; where the hub sends us, the address itself is the permission.
        token = None if _origin(location) == _origin(url) else False
        headers |= build_hf_headers(token=token, library_name=_LIBRARY, library_version=__version__)
        if part.size == 0:
            del headers["Range"]
        with (
            _trouble(file),
            get_session().stream(
                "GET", location, headers=headers, timeout=self._patience.silence
            ) as response,
        ):
            if response.status_code == httpx2.codes.RANGE_NOT_SATISFIABLE:
                raise WrongContentError(f"{file.path}: the server's file is shorter than published")
            if response.status_code >= httpx2.codes.BAD_REQUEST:
                raise _refusal(file, location, response)
            self._check_length(part, response)
            for chunk in response.iter_bytes():
                # Before it is written: the lock may be somebody else's by now.
                if stop.is_set():
                    return
                part.write(chunk)
        if part.size < file.size:
            raise _PassingError("the server ended early")

    def _locate(self, file: PublishedFile, url: str) -> str:
        """Where the bytes are; what the server says of the file is compared with the catalogue."""
        with _trouble(file):
            try:
                found = get_hf_file_metadata(
                    url,
                    timeout=self._patience.silence,
                    library_name=_LIBRARY,
                    library_version=__version__,
                )
            except HfHubHTTPError as error:
                raise _refusal(file, url, error.response) from error
        if found.size is not None and found.size != file.size:
            raise _wrong_length(file, found.size)
        # Large files have their sha256 as ETag, small ones another hash.
        etag = found.etag or ""
        if len(etag) == _SHA256_DIGITS and etag != file.sha256:
            raise WrongContentError(
                f"{file.path}: the server's file has sha256 {etag[:12]}…, "
                f"published is {file.sha256[:12]}…"
            )
        return urljoin(url, found.location)

    @staticmethod
    def _check_length(part: Part, response: httpx2.Response) -> None:
        """Begin again where the server does; refuse a file of another length before it comes."""
        if response.status_code == httpx2.codes.PARTIAL_CONTENT:
            range_, _, total = response.headers.get("Content-Range", "").partition("/")
            if range_.partition("-")[0] != f"bytes {part.size}":
                part.restart()
                raise _PassingError("the server sent another range than the one asked for")
        else:
            part.restart()
            total = response.headers.get("Content-Length", "")
            if response.headers.get("Content-Encoding", "identity") != "identity":
                total = ""
        if total.isdigit() and int(total) != part.file.size:
            raise _wrong_length(part.file, int(total))


@contextmanager
def _trouble(file: PublishedFile) -> Iterator[None]:
    """What the network does to a request, as our errors."""
    try:
        yield
    except httpx2.TimeoutException as error:
        raise _PassingError("the server was silent for too long") from error
    except (httpx2.NetworkError, httpx2.RemoteProtocolError, httpx2.ProxyError) as error:
        raise _PassingError(f"the connection broke ({error})") from error
    except OfflineModeIsEnabled as error:
        raise DownloadError(f"{file.path}: HF_HUB_OFFLINE is set") from error
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise DownloadError(f"{file.path}: {error}") from error


def _refusal(file: PublishedFile, url: str, response: httpx2.Response) -> Exception:
    """The error for a status of 400 and more."""
    code = response.status_code
    if code in _PASSING:
        return _PassingError(
            f"the server answers {code} {response.reason_phrase}",
            _retry_after(response.headers.get("Retry-After", "")),
        )
    if code in {401, 403}:
        what = (
            "the server wants a token, or one with more rights: `hf auth login`, or the "
            "environment variable HF_TOKEN"
        )
    elif code in {404, 410}:
        what = "the server has no such file; a mirror (HF_ENDPOINT) may lack it"
    else:
        what = "the server refuses"
    return DownloadError(f"{file.path}: {code} {response.reason_phrase}: {what} ({url})")


def _retry_after(header: str) -> float | None:
    """Seconds that a server asks for: a number, or a date."""
    if header.isdigit():
        return float(header)
    try:
        return max(0.0, parsedate_to_datetime(header).timestamp() - time())
    except ValueError:
        return None


def _wrong_length(file: PublishedFile, size: int) -> WrongContentError:
    return WrongContentError(
        f"{file.path}: the server's file is of {size} bytes, published are {file.size} "
        f"({in_bytes(file.size)})"
    )


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port


def reach() -> str:
    """Ask the hub (or its mirror) for nothing, to see whether it answers: where, and what it said.

    Raises:
        DownloadError: if it does not.
    """
    try:
        response = get_session().head(ENDPOINT, timeout=PATIENCE.silence)
    except OfflineModeIsEnabled as error:
        raise DownloadError("not asked: HF_HUB_OFFLINE is set") from error
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise DownloadError(f"{ENDPOINT} does not answer ({error})") from error
    return f"{ENDPOINT} answers ({response.status_code})"
