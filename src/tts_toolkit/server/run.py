"""A server from its start to its end: the port, the signals, the exit."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import time
from contextlib import contextmanager
from logging.config import dictConfig
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from tts_toolkit.engines.choose import choose
from tts_toolkit.engines.request import check_options
from tts_toolkit.errors import OptionError
from tts_toolkit.server.extra import require_extra

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    import uvicorn
    from fastapi import FastAPI

    from tts_toolkit.config import Options
    from tts_toolkit.server.settings import ServerSettings
    from tts_toolkit.server.speaker import Speaker

# Seconds from a signal until what is not finished is given up, and then until the exit. Whoever
# sends SIGTERM waits ten seconds by custom, and then sends SIGKILL.
_PATIENCE = 6.0
_LAST_WORDS = 1
_LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "loggers": {
        "tts_toolkit": {"handlers": ["stderr"], "level": "INFO"},
        "uvicorn.error": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        "uvicorn.access": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
    },
}


def run_server(
    options: Options, settings: ServerSettings, *, say: Callable[[str], None] = lambda _: None
) -> None:
    """Serve until SIGTERM or SIGINT; what has a place by then is finished.

    Args:
        options: of every request that does not say otherwise.
        settings: where it listens, and whom it serves.
        say: told where it listens and with which engine.

    Raises:
        OptionError: if an option can't be honoured, or the port not be had.
        MissingError: if the model, the device or the extra is not here.
    """
    require_extra()
    from tts_toolkit.server.app import create_app  # noqa: PLC0415 - the extra

    dictConfig(_LOGGING)
    choice = choose(options)
    check_options(options, choice.spec)
    with (
        bound(settings) as listening,
        TemporaryDirectory(prefix="tts-toolkit-voices-") as folder,
        _signals_counted() as asked,
    ):
        app, speaker = create_app(choice.spec, options, settings, Path(folder))
        host, port = listening.getsockname()[:2]
        address = f"[{host}]" if ":" in host else host
        say(f"http://{address}:{port} ({choice.reason})")
        asyncio.run(serving(app, speaker, asked).serve(sockets=[listening]))
    if speaker.error:
        raise speaker.error
    if speaker.alive:
        # It is in a step that no one can interrupt, and native code that runs on while the
        # interpreter is taken down crashes. Nothing is left to lose.
        sys.stderr.flush()
        os._exit(0)


@contextmanager
def bound(settings: ServerSettings) -> Iterator[socket.socket]:
    """A socket at the address of the settings.

    Raises:
        OptionError: if it can't be had.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, protocol)
    except OSError as error:
        raise OptionError(f"--host {settings.host}: {error.strerror}") from error
    with listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind(address)
        except OSError as error:
            raise OptionError(
                f"--host {settings.host} --port {settings.port}: {error.strerror}"
            ) from error
        yield listening


@contextmanager
def _signals_counted() -> Iterator[Callable[[], int]]:
    """How often the process was asked to end, in place of an end at once."""
    count = 0

    def handle(_number: int, _frame: FrameType | None) -> None:
        # Nothing else is safe here: the thread that is interrupted may hold any lock.
        nonlocal count
        count += 1

    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, handle) for number in numbers}
    try:
        yield lambda: count
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def serving(app: FastAPI, speaker: Speaker, asked: Callable[[], int] = int) -> uvicorn.Server:
    """The HTTP server around an app, not started.

    Args:
        app: the app.
        speaker: drives its engine.
        asked: how often it was asked to end: once to finish what has a place, twice to end now.
    """
    import uvicorn  # noqa: PLC0415 - the extra

    class Server(uvicorn.Server):
        """Finishes what has a place; uvicorn alone would raise the signal again at the end."""

        _deadline = 0.0

        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield  # they are counted already

        async def on_tick(self, counter: int) -> bool:
            now = time.monotonic()
            if asked() and not self._deadline:
                self._deadline = now + _PATIENCE
                speaker.drain()
            if speaker.error or asked() > 1 or (self._deadline and speaker.idle):
                self.should_exit = True
            elif self._deadline and now > self._deadline:
                speaker.stop()
                self.should_exit = True
            return await super().on_tick(counter)

    return Server(
        uvicorn.Config(
            app,
            loop="asyncio",
            http="h11",
            ws="none",
            lifespan="on",
            log_config=None,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=_LAST_WORDS,
        )
    )
