"""One worker against hibari called directly: the same sentences, one process each.

Each round runs both, and each with a script of one line too, whose median time is the start-up. The
ratio is hibari's time over ours: 1 is as fast, 0.9 costs a ninth more. It is taken of each round's
pair, so that a machine that is slow for a while is slow for both; which goes first takes turns. A
run that other processes disturbed is done again.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from functools import partial
from pathlib import Path

import sentences
from measure import (
    Bar,
    Quietly,
    Timing,
    conclude,
    heading,
    machine,
    parser,
    program,
    shown,
    spread,
    synth,
    timed,
    write_script,
)

BAR = 0.9
Pair = tuple[Timing, Timing]


def main() -> int:
    """Measure and print; 1 if the bar is missed."""
    arguments = parser(__doc__)
    arguments.add_argument("--utterances", type=int, default=200)
    arguments.add_argument("--rounds", type=int, default=7)
    given = arguments.parse_args()
    where = machine()
    quietly = Quietly(given.tries)
    figures, bars = {}, []
    with tempfile.TemporaryDirectory(dir=given.work) as scratch:
        for name, lines in (
            ("ordinary", sentences.ordinary(given.utterances)),
            ("short", sentences.short(given.utterances)),
        ):
            figures[name] = compare(name, lines, given.rounds, Path(scratch), quietly)
            ratio = figures[name]["ratio_start_up_off"]["median"]
            bars.append(Bar(f"speed of hibari's own, {name} lines", ratio, BAR, at_least=True))
    figures = {
        "utterances": given.utterances,
        "rounds": given.rounds,
        "quiet": quietly.figures(),
        **figures,
    }
    return conclude("compare_hibari", figures, bars, where=where, save=given.save)


def compare(
    name: str, lines: list[str], rounds: int, scratch: Path, quietly: Quietly
) -> dict[str, dict[str, float]]:
    """Run the rounds with one set of lines and print their table."""
    script = write_script(scratch / f"{name}.txt", lines)
    one = write_script(scratch / f"{name}-one.txt", lines[:1])
    for run in (ours, theirs):
        run(one, scratch / f"{name}-warm-up-{run.__name__}")  # the disk's cache
    starts: list[Pair] = []
    wholes: list[Pair] = []
    for number in range(rounds):
        out = scratch / f"{name}-{number}"
        ours_first = number % 2 == 0
        starts.append(pair(one, out.with_suffix(".one"), quietly, ours_first=ours_first))
        wholes.append(pair(script, out, quietly, ours_first=ours_first))
        print(f"{name} round {number + 1}/{rounds}", file=sys.stderr)
    our_start, their_start = (
        statistics.median(both[side].wall_s for both in starts) for side in (0, 1)
    )
    our_cpu, their_cpu = (statistics.median(both[side].cpu_s for both in starts) for side in (0, 1))
    table = {
        "ratio_start_up_off": [
            (b.wall_s - their_start) / (a.wall_s - our_start) for a, b in wholes
        ],
        "ratio_whole_process": [b.wall_s / a.wall_s for a, b in wholes],
        "ratio_of_cpu_time_start_up_off": [
            (b.cpu_s - their_cpu) / (a.cpu_s - our_cpu) for a, b in wholes
        ],
        "ours_whole_s": [a.wall_s for a, _ in wholes],
        "hibari_whole_s": [b.wall_s for _, b in wholes],
        "ours_start_up_s": [a.wall_s for a, _ in starts],
        "hibari_start_up_s": [b.wall_s for _, b in starts],
    }
    print(heading(f"{len(lines)} {name} lines"))
    for row, values in table.items():
        print(shown(row, values))
    return {row: spread(values) for row, values in table.items()}


def pair(script: Path, out: Path, quietly: Quietly, *, ours_first: bool) -> Pair:
    """Both with the same script, ours and hibari's, in either order."""
    done = {
        run: quietly(partial(run, script), out.with_name(f"{out.name}-{run.__name__}"))
        for run in ((ours, theirs) if ours_first else (theirs, ours))
    }
    return done[ours], done[theirs]


def ours(script: Path, out: Path) -> Timing:
    """tts-toolkit with one worker."""
    return timed(synth(script, out, 1))


def theirs(script: Path, out: Path) -> Timing:
    """The voice itself, called directly."""
    return timed(program("hibari_direct.py", script, out))


if __name__ == "__main__":
    sys.exit(main())
