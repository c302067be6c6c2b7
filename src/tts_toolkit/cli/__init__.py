"""The command line: one command a file, and no logic of its own."""

from __future__ import annotations

import os
import sys

import click

from tts_toolkit import __version__
from tts_toolkit.cli.completion import completion
from tts_toolkit.cli.config import config
from tts_toolkit.cli.devices import devices
from tts_toolkit.cli.doctor import doctor
from tts_toolkit.cli.errors import exit_code_of, show
from tts_toolkit.cli.group import SuggestingGroup
from tts_toolkit.cli.models import models
from tts_toolkit.cli.say import say
from tts_toolkit.cli.serve import serve
from tts_toolkit.cli.synth import synth
from tts_toolkit.cli.voices import voices
from tts_toolkit.cli.warm import warm
from tts_toolkit.config import unknown_variables
from tts_toolkit.errors import StorageError, TTSToolkitError


@click.group(
    cls=SuggestingGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="tts-toolkit")
def cli() -> None:
    """Turn scripts into speech in bulk.

    \b
    tts-toolkit say "Hello there." -o hello.wav
    tts-toolkit synth script.txt -o out/

    What `tts-toolkit config show` lists can also be set in the config file or in the environment:
    --sampling-rate is TTS_TOOLKIT_SAMPLING_RATE.
    """  # noqa: D301 - click wants the character itself
    for line in unknown_variables(os.environ):
        click.echo(f"Warning: {line}", err=True)


for command in (synth, say, serve, voices, models, warm, devices, doctor, config, completion):
    cli.add_command(command)


def main() -> None:
    """Run the command line and exit with its code."""
    try:
        cli.main(prog_name="tts-toolkit", standalone_mode=False)
    except TTSToolkitError as error:
        show(error)
        sys.exit(exit_code_of(error))
    except BrokenPipeError:
        # Whoever read our output has left, as `head` does; the interpreter would complain at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        storage = StorageError(
            f"{error.filename}: {error.strerror}" if error.filename else str(error)
        )
        show(storage)
        sys.exit(exit_code_of(storage))
    except click.exceptions.Abort:
        click.echo("Interrupted.", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
