"""``tts-toolkit serve``: speech over HTTP."""

from __future__ import annotations

import os
from typing import Any

import click

from tts_toolkit.cli.options import INDEXTTS_OPTIONS, SPEECH_OPTIONS, options
from tts_toolkit.server.signals import signals_counted

_KEY = "TTS_TOOLKIT_API_KEY"


@click.command(short_help="Serve speech over HTTP, as OpenAI's API has it.")
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Address to listen on.", metavar="HOST"
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=5124,
    show_default=True,
    help="Port to listen on; 0 is one that is free.",
    metavar="N",
)
@click.option(
    "--api-key",
    # Not by envvar: click takes an empty variable for none, and this one is a lock.
    default=lambda: os.environ.get(_KEY),
    show_default=False,
    help="Bearer token that each request has to bring; better as TTS_TOOLKIT_API_KEY, which no "
    "list of processes shows.",
    metavar="TOKEN",
)
@click.option("--no-auth", is_flag=True, help="Let everybody in who can reach it.")
@click.option(
    "--allow-host",
    "allow_hosts",
    multiple=True,
    help="Without a key, answer to this name too (may be repeated).",
    metavar="NAME",
)
@click.option(
    "--queue",
    type=click.IntRange(1, 10_000),
    default=64,
    show_default=True,
    help="Requests that may wait; one more is told to come again.",
    metavar="N",
)
@options(
    *SPEECH_OPTIONS,
    "workers",
    "batch_size",
    *INDEXTTS_OPTIONS,
    "offline",
)
def serve(
    host: str,
    port: int,
    api_key: str | None,
    *,
    no_auth: bool,
    allow_hosts: tuple[str, ...],
    queue: int,
    **given: Any,
) -> None:
    """Answer POST /v1/audio/speech, GET /health and some more, and show a page to speak with.

    It needs the extra "server": pip install 'tts-toolkit[server]'. SIGTERM or Ctrl-C finishes what
    was asked for, and exits with 0.

    \b
    tts-toolkit serve
    TTS_TOOLKIT_API_KEY=… tts-toolkit serve --host 0.0.0.0
    """  # noqa: D301 - click wants the character itself
    # Before all else: until then a signal would end it as one that it does not know.
    with signals_counted() as asked:
        from tts_toolkit.config import resolve  # noqa: PLC0415 - with the next
        from tts_toolkit.server.run import run_server  # noqa: PLC0415 - heavy
        from tts_toolkit.server.settings import ServerSettings  # noqa: PLC0415 - with the last
        from tts_toolkit.store.paths import config_file  # noqa: PLC0415

        settings = ServerSettings(host, port, api_key, no_auth, queue, allow_hosts)
        run_server(
            resolve(given, config_file=config_file()),
            settings,
            asked=asked,
            say=lambda line: click.echo(line, err=True),
        )
