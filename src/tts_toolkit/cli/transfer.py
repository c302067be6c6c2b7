"""Progress of downloads and checks on stderr: a bar in bytes, plain lines, or JSON."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Any

import click

from tts_toolkit.cli.clock import clock

if TYPE_CHECKING:
    from collections.abc import Callable

    from tts_toolkit.store.transfer import Transfer

# A plain line this often, in seconds.
_PLAIN_EVERY = 10.0


class TransferDisplay:
    """Shows how far a download is, and notes in between. Nothing but notes if ``kind`` is none.

    Args:
        kind: "bar", "plain", "json" or "none"; "auto" is a bar at a terminal, else plain.
    """

    def __init__(self, kind: str) -> None:
        if kind == "auto":
            kind = "bar" if sys.stderr.isatty() else "plain"
        self._kind = kind
        self._bar: Any = None
        self._phase = ""
        self._started = self._last = time.monotonic()
        self._done_before = 0

    def __call__(self, transfer: Transfer) -> None:
        """Show where it is."""
        if transfer.phase != self._phase:
            self.close()
            self._phase = transfer.phase
            self._started = self._last = time.monotonic()
            self._done_before = transfer.done
        if transfer.total:
            show: dict[str, Callable[[Transfer], None]] = {
                "bar": self._draw,
                "plain": self._line,
                "json": self._event,
            }
            if self._kind in show:
                show[self._kind](transfer)

    def note(self, line: str) -> None:
        """Print a line, from any thread."""
        if self._kind == "json":
            click.echo(json.dumps({"note": line}), err=True)
        elif self._bar is not None:
            self._bar.write(line, file=sys.stderr)
        else:
            click.echo(line, err=True)

    def close(self) -> None:
        """The phase is over."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _rate(self, transfer: Transfer) -> float:
        """Bytes a second, in this process."""
        seconds = max(time.monotonic() - self._started, 1e-6)
        return max(transfer.done - self._done_before, 0) / seconds

    def _due(self) -> bool:
        now = time.monotonic()
        if now - self._last < _PLAIN_EVERY:
            return False
        self._last = now
        return True

    def _draw(self, transfer: Transfer) -> None:
        from tqdm import tqdm  # noqa: PLC0415 - only at a terminal

        if self._bar is None:
            self._bar = tqdm(
                total=transfer.total,
                initial=transfer.done,
                desc=transfer.phase,
                unit="B",
                unit_scale=True,
                dynamic_ncols=True,
            )
        files = f"{transfer.files_done}/{transfer.files_total} files"
        self._bar.set_postfix_str(files, refresh=False)
        self._bar.update(transfer.done - self._bar.n)

    def _line(self, transfer: Transfer) -> None:
        from tts_toolkit.store.size import in_bytes  # noqa: PLC0415 - with the download

        if not self._due():
            return
        rate = self._rate(transfer)
        left = f", {clock((transfer.total - transfer.done) / rate)} left" if rate else ""
        click.echo(
            f"{transfer.phase}: {in_bytes(transfer.done)} of {in_bytes(transfer.total)}, "
            f"{transfer.files_done}/{transfer.files_total} files, {in_bytes(rate)}/s{left}",
            err=True,
        )

    def _event(self, transfer: Transfer) -> None:
        event = {**vars(transfer), "bytes_per_s": round(self._rate(transfer))}
        click.echo(json.dumps(event), err=True)
