"""A server from its start to its end: the port, the signals, the exit."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from contextlib import contextmanager
from ipaddress import ip_address
from logging.config import dictConfig
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from tts_toolkit.engines.choose import choose
from tts_toolkit.engines.request import check_options
from tts_toolkit.errors import EngineError, OptionError
from tts_toolkit.server.descriptors import most_at_once
from tts_toolkit.server.extra import require_extra

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fastapi import FastAPI

    from tts_toolkit.config import Options
    from tts_toolkit.server.server import Server
    from tts_toolkit.server.settings import ServerSettings
    from tts_toolkit.server.speaker import Speaker

# Seconds for the replies that are under way when the server ends.
_LAST_WORDS = 1
_IPV4 = 4
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
    options: Options,
    settings: ServerSettings,
    *,
    asked: Callable[[], int],
    say: Callable[[str], None] = lambda _: None,
) -> None:
    """Serve until it is asked to end; what has a place by then is finished.

    Args:
        options: of every request that does not say otherwise.
        settings: where it listens, and whom it serves.
        asked: how often it was asked to end: once to finish what has a place, twice to end now.
        say: told where it listens and with which engine.

    Raises:
        OptionError: if an option can't be honoured, or the port not be had.
        MissingError: if the model, the device or the extra is not here.
        EngineError: if the engine has died.
    """
    require_extra()
    from tts_toolkit.server.app import create_app  # noqa: PLC0415 - the extra

    dictConfig(_LOGGING)
    choice = choose(options)
    check_options(options, choice.spec)
    if asked():
        return
    with (
        bound(settings) as listening,
        TemporaryDirectory(prefix="tts-toolkit-voices-") as folder,
    ):
        app, speaker = create_app(choice.spec, options, settings, Path(folder))
        host, port = listening.getsockname()[:2]
        say(first_line(host, port, choice.reason))
        server = serving(app, speaker, asked)
        asyncio.run(server.serve(sockets=[listening]))
    if speaker.error:
        raise speaker.error
    if server.gave_up:
        raise EngineError("the engine has died, and the server ends; it has to be started again")
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
    except UnicodeError as error:  # an empty part, or one of more than 63 letters
        raise OptionError(f"--host {settings.host}: not a host's name") from error
    with listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind(address)
        except OSError as error:
            raise OptionError(
                f"--host {settings.host} --port {settings.port}: {error.strerror}"
            ) from error
        yield listening


def first_line(host: str, port: int, reason: str) -> str:
    """Where to click, and why this engine: programs read the address, up to the space.

    Args:
        host: the address that the server listens on.
        port: of it.
        reason: why this engine.
    """
    where = ip_address(host)
    elsewhere = ""
    if where.is_unspecified:
        # No browser goes to all addresses.
        where = ip_address("127.0.0.1" if where.version == _IPV4 else "::1")
        elsewhere = ", on all addresses of this machine"
    name = str(where) if where.version == _IPV4 else f"[{where}]"
    return f"http://{name}:{port} ({reason}){elsewhere}"


def serving(app: FastAPI, speaker: Speaker, asked: Callable[[], int] = int) -> Server:
    """The HTTP server around an app, not started.

    Args:
        app: the app.
        speaker: drives its engine.
        asked: how often it was asked to end.
    """
    import uvicorn  # noqa: PLC0415 - the extra

    from tts_toolkit.server.connection import Connection  # noqa: PLC0415 - the extra
    from tts_toolkit.server.server import Server  # noqa: PLC0415 - the extra

    config = uvicorn.Config(
        app,
        loop="asyncio",
        http=Connection,
        ws="none",
        lifespan="on",
        log_config=None,
        server_header=False,
        proxy_headers=False,
        backlog=most_at_once(),
        timeout_graceful_shutdown=_LAST_WORDS,
    )
    return Server(config, speaker, asked)
