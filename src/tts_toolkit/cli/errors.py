"""Errors as the person at the terminal sees them, and the exit code of each."""

from __future__ import annotations

import click

from tts_toolkit.errors import (
    DownloadError,
    MissingError,
    ScriptError,
    StorageError,
    TTSToolkitError,
    UsageError,
    UtteranceError,
)

INTERRUPTED = 130
_CODES: tuple[tuple[type[TTSToolkitError], int], ...] = (
    (UtteranceError, 1),
    (UsageError, 2),
    (MissingError, 3),
    (StorageError, 4),
    (DownloadError, 4),
)


def exit_code_of(error: TTSToolkitError) -> int:
    """The exit code of an error; the table is in the README's command reference."""
    return next(code for kind, code in _CODES if isinstance(error, kind))


def show(error: TTSToolkitError) -> None:
    """Print an error to stderr: a script's problems a line each, then how many there are."""
    if isinstance(error, ScriptError):
        for problem in error.problems:
            click.echo(str(problem), err=True)
        count = len(error.problems)
        click.echo(f"Error: {count} problem{'s' * (count > 1)}; nothing was started.", err=True)
        return
    click.echo(f"Error: {error}", err=True)
