"""File descriptors: how many connections may have one, and what is said when there are none."""

from __future__ import annotations

import errno
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from tts_toolkit.server.limits import MOST_CONNECTIONS

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

_NONE_LEFT = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
# Seconds until it is said again.
_PAUSE = 60.0
# Connections that asyncio accepts at a time: it counts none before all of them are there.
_MOST_AT_ONCE = 100
_log = logging.getLogger(__name__)


def most_connections() -> int:
    """How many connections may be open: half of the descriptors are for files and children."""
    return min(MOST_CONNECTIONS, _descriptors() // 2)


def most_at_once() -> int:
    """How many may be accepted at a time, some of which are then one too many."""
    return max(1, min(_MOST_AT_ONCE, _descriptors() // 16))


def _descriptors() -> int:
    """How many the process may have."""
    with suppress(ImportError):  # Windows: it has no such limit
        import resource  # noqa: PLC0415 - see above

        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft != resource.RLIM_INFINITY:
            return soft
    return 2 * MOST_CONNECTIONS


class Shortage:
    """A handler of asyncio's complaints: that there is no descriptor is said once a minute.

    asyncio says it for each connection that it can't accept, and tries again each second.
    """

    def __init__(self) -> None:
        self._quiet_until = 0.0

    def __call__(self, loop: AbstractEventLoop, context: dict[str, Any]) -> None:
        """Take a complaint, as ``loop.set_exception_handler`` has it."""
        error = context.get("exception")
        if not (isinstance(error, OSError) and error.errno in _NONE_LEFT):
            loop.default_exception_handler(context)
        elif loop.time() >= self._quiet_until:
            self._quiet_until = loop.time() + _PAUSE
            _log.error("a connection could not be accepted: %s (ulimit -n)", error.strerror)
