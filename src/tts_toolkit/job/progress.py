"""How far a run is, and what it came to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from tts_toolkit.errors import Problem


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    Attributes:
        total: utterances that it makes.
        done: of these, made.
        failed: of these, failed.
        audio_s: audio made so far, in seconds.
        wall_s: time since the first was started, in seconds.
        failure: the utterance that has just failed, or None.
    """

    total: int
    done: int
    failed: int
    audio_s: float
    wall_s: float
    failure: Problem | None = None

    @property
    def x_realtime(self) -> float:
        """Audio seconds a wall second; 0 before the first clip."""
        return self.audio_s / self.wall_s if self.wall_s else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Wall seconds until the end at the pace so far; None before the first result."""
        finished = self.done + self.failed
        return (self.total - finished) * self.wall_s / finished if finished else None


@dataclass(frozen=True)
class RunReport:
    """What a run came to.

    Attributes:
        out: the output folder.
        engine: that spoke.
        reason: why that engine.
        total: utterances of the script.
        made: clips made by this run.
        kept: clips that were there already.
        renamed: clips that were there under another name.
        failed: utterances that this run could not make.
        waiting: utterances without a clip that this run was not asked for, or did not come to.
        stale: clips that the script no longer has.
        pruned: clips deleted by ``--prune``.
        audio_s: audio made, in seconds.
        wall_s: time that making took, in seconds.
        interrupted: whether it was stopped before its end.
        dry_run: whether it only says what it would do.
        failures: where, which and why.
        to_make: ids of what is to be made (in a dry run).
        to_rename: (old file, new file) for each clip to be renamed (in a dry run).
    """

    out: Path
    engine: str
    reason: str
    total: int
    made: int
    kept: int
    renamed: int
    failed: int
    waiting: int
    stale: int
    pruned: int
    audio_s: float
    wall_s: float
    interrupted: bool = False
    dry_run: bool = False
    failures: tuple[Problem, ...] = ()
    to_make: tuple[str, ...] = ()
    to_rename: tuple[tuple[str, str], ...] = ()

    @property
    def x_realtime(self) -> float:
        """Audio seconds made a wall second; 0 if nothing was made."""
        return self.audio_s / self.wall_s if self.wall_s else 0.0

    @property
    def exit_code(self) -> int:
        """0 all done, 1 some utterances failed, 130 interrupted."""
        if self.interrupted:
            return 130
        return 1 if self.failed else 0

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON's types, without the plan of a dry run."""
        counts = ("total", "made", "kept", "renamed", "failed", "waiting", "stale", "pruned")
        return {
            "out": str(self.out),
            "engine": self.engine,
            **{name: getattr(self, name) for name in counts},
            "audio_s": round(self.audio_s, 3),
            "wall_s": round(self.wall_s, 3),
            "x_realtime": round(self.x_realtime, 2),
            "interrupted": self.interrupted,
            "dry_run": self.dry_run,
            "failures": [
                {
                    "file": failure.source.file if failure.source else None,
                    "line": failure.source.line if failure.source else None,
                    "id": failure.id,
                    "reason": failure.reason,
                }
                for failure in self.failures
            ],
        }
