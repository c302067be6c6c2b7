"""``tts-toolkit say``: one line into one file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from tts_toolkit.cli.options import INDEXTTS_OPTIONS, SPEECH_OPTIONS, options
from tts_toolkit.errors import StorageError


def _one_text(_ctx: click.Context, _param: click.Parameter, value: tuple[str, ...]) -> str:
    """The text; several arguments are one that the shell has split."""
    if len(value) > 1:
        raise click.UsageError(f'Put the text in quotes: "{" ".join(value)}"')
    return value[0]


@click.command(short_help="Say one line into a file.")
@click.argument("text", metavar="TEXT", nargs=-1, required=True, callback=_one_text)
@click.option(
    "-o",
    "--output",
    required=True,
    help="Audio file (.wav, .flac, .ogg, .opus, .mp3), or - for a WAV on stdout.",
)
@options(
    *SPEECH_OPTIONS,
    "subtype",
    "sampling_rate",
    *INDEXTTS_OPTIONS,
    "offline",
)
def say(text: str, output: str, **given: Any) -> None:
    """Say TEXT into a file. TEXT may be - for standard input.

    \b
    tts-toolkit say "Hello there." -o hello.wav
    tts-toolkit say "Hello there." -o - | aplay
    """  # noqa: D301 - click wants the character itself
    from tts_toolkit.audio.formats import audio_format  # noqa: PLC0415 - with the next
    from tts_toolkit.scripts.decode import decode  # noqa: PLC0415
    from tts_toolkit.synthesizer import format_of, load  # noqa: PLC0415 - heavy

    target = Path(output)
    name = "wav" if output == "-" else format_of(target)
    if not target.parent.is_dir():
        raise StorageError(f"{output}: can't be written: there is no folder {target.parent}")
    if text == "-":
        text = decode(sys.stdin.buffer.read(), "<stdin>").strip()
    with load(**given) as synth:
        subtype = synth.options.subtype
        rate = synth.options.sampling_rate or synth.info.sampling_rate
        audio_format(name, subtype, rate)  # what it can't have is told before anything is said
        clip = synth.say(text)
        if output == "-":
            sys.stdout.buffer.write(clip.encoded(subtype=subtype))
        else:
            clip.save(target, subtype=subtype)
            click.echo(f"{output}: {clip.duration:.2f} s ({synth.reason})", err=True)
