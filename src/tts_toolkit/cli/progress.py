"""Progress on stderr: a bar at a terminal, plain lines elsewhere, or JSON for programs."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Any, Protocol

import click

from tts_toolkit.cli.clock import clock

if TYPE_CHECKING:
    from collections.abc import Callable

    from tts_toolkit.job.progress import Progress

# A plain line this often, in seconds: a log of a long run stays readable.
_PLAIN_EVERY = 10.0


class Display(Protocol):
    """Something that shows progress."""

    def __call__(self, progress: Progress) -> None:
        """Show where the run is; failures at once."""

    def close(self) -> None:
        """The run is over."""


def display(kind: str) -> Display:
    """The display called ``kind``; "auto" is a bar at a terminal and plain lines elsewhere."""
    if kind == "auto":
        kind = "bar" if sys.stderr.isatty() else "plain"
    kinds: dict[str, Callable[[], Display]] = {
        "bar": _Bar,
        "plain": _Plain,
        "json": _Json,
        "none": _Silent,
    }
    return kinds[kind]()


class _Silent:
    """Failures only."""

    def __call__(self, progress: Progress) -> None:
        if progress.failure:
            click.echo(str(progress.failure), err=True)

    def close(self) -> None:
        """Nothing is open."""


class _Plain(_Silent):
    """A line every few seconds."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def __call__(self, progress: Progress) -> None:
        super().__call__(progress)
        now = time.monotonic()
        if now - self._last >= _PLAIN_EVERY:
            self._last = now
            left = progress.seconds_left
            click.echo(
                f"{progress.done + progress.failed}/{progress.total} done, "
                f"{progress.failed} failed, {progress.x_realtime:.1f} x realtime"
                + (f", {clock(left)} left" if left is not None else ""),
                err=True,
            )


class _Json(_Silent):
    """One event a line."""

    def __call__(self, progress: Progress) -> None:
        left = progress.seconds_left
        event: dict[str, Any] = {
            "done": progress.done,
            "failed": progress.failed,
            "total": progress.total,
            "x_realtime": round(progress.x_realtime, 2),
            "seconds_left": None if left is None else round(left, 1),
        }
        if progress.failure:
            event["failure"] = str(progress.failure)
        click.echo(json.dumps(event), err=True)


class _Bar:
    """tqdm's."""

    def __init__(self) -> None:
        self._bar: Any = None

    def __call__(self, progress: Progress) -> None:
        from tqdm import tqdm  # noqa: PLC0415 - only at a terminal

        if self._bar is None:
            self._bar = tqdm(total=progress.total, unit="line", dynamic_ncols=True)
        if progress.failure:
            tqdm.write(str(progress.failure), file=sys.stderr)
        self._bar.set_postfix_str(
            f"{progress.failed} failed, {progress.x_realtime:.1f} x realtime", refresh=False
        )
        self._bar.update(progress.done + progress.failed - self._bar.n)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
