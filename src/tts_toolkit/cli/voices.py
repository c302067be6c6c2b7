"""``tts-toolkit voices``: the builtin engine's voices, and getting more of them."""

from __future__ import annotations

from typing import Any

import click

from tts_toolkit.cli.group import SuggestingGroup
from tts_toolkit.cli.options import options


@click.group(
    cls=SuggestingGroup, invoke_without_command=True, short_help="List voices, or get more."
)
@click.pass_context
def voices(ctx: click.Context) -> None:
    """List the voices of the builtin engine.

    IndexTTS takes any clip as a voice: --voice me.wav.
    """
    if not ctx.invoked_subcommand:
        ctx.invoke(list_)


@voices.command("list")
def list_() -> None:
    """List the voices, as `tts-toolkit voices` alone does."""
    from tts_toolkit.store.voices import voices as all_voices  # noqa: PLC0415 - heavy

    for voice in all_voices():
        here = "here" if voice.installed else f"tts-toolkit voices download {voice.name}"
        click.echo(f"{voice.name:8} {voice.accent:9} {voice.gender:7} {here}")


@voices.command()
@click.argument("name")
@options("offline")
def download(name: str, **given: Any) -> None:
    """Download the voice NAME (8 MB) and check it."""
    from tts_toolkit.config import resolve  # noqa: PLC0415 - with the next
    from tts_toolkit.store.paths import config_file  # noqa: PLC0415
    from tts_toolkit.store.voices import download_voice  # noqa: PLC0415 - heavy

    chosen = resolve(given, config_file=config_file())
    click.echo(download_voice(name, offline=chosen.offline))
