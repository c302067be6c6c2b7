"""What was found, for who reads along and for the exit code."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field


@dataclass
class Findings:
    """What was found, printed as it comes."""

    failed: list[str] = field(default_factory=list)

    def check(self, what: str, *, held: bool, detail: object = "") -> None:
        """A promise."""
        shown = f": {detail}" if detail else ""
        sys.stdout.write(f"{'ok    ' if held else 'FAILED'} {what}{shown}\n")
        sys.stdout.flush()
        if not held:
            self.failed.append(what)

    def figure(self, what: str, value: str) -> None:
        """A figure without a bar."""
        sys.stdout.write(f"       {what}: {value}\n")
        sys.stdout.flush()
