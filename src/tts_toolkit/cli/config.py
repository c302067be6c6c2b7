"""``tts-toolkit config``: what is set, and where."""

from __future__ import annotations

import click

from tts_toolkit.cli.group import SuggestingGroup
from tts_toolkit.config import settings
from tts_toolkit.store.paths import config_file


@click.group(cls=SuggestingGroup, short_help="Show the options that are set, and where.")
def config() -> None:
    """Options come from the command line, the environment, the config file and the defaults.

    The first of these that has one wins. The config file is YAML with the options' names:

    \b
    voice: heart
    format: flac
    """  # noqa: D301 - click wants the character itself


@config.command()
def show() -> None:
    """Print every option with its value and where that comes from."""
    for setting in settings({}, config_file=config_file()):
        value = "" if setting.value is None else str(setting.value)
        if isinstance(setting.value, bool):
            value = value.lower()  # as YAML writes it
        click.echo(f"{setting.name:18} {value:14} {setting.origin}")


@config.command()
def path() -> None:
    """Print where the config file is (or would be)."""
    click.echo(config_file())
