"""Kill runs with SIGKILL at random moments, resume them, and compare with an undisturbed run.

Two operations are killed: making a fresh folder (every second round with two workers), and a run
after a line was inserted at the top of a finished folder, which renames every clip. Some moments
are spread evenly over the run's whole length, start-up included; others are drawn within making,
within renaming or within finishing, which are short and would seldom be hit. Every second resume is
killed too. Then the folder is resumed until a run comes to its end.

Right after each kill: every clip that has its name is whole, every row has its clip, and no child
process lives on for more than two seconds. In the end: every file that an undisturbed run leaves is
there and no other, audio, manifest and metadata have the same bytes, and nothing was made twice
that the manifest already had.

A process is killed here, not a machine: what a power cut does to files that were not synced is
another matter.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import folders
import psutil
import sentences
from measure import Bar, conclude, environment, machine, parser, synth, wait_until, write_script

if TYPE_CHECKING:
    from collections.abc import Callable

_MARK = "TTS_BENCHMARK_ROUND"  # in the environment of a run and so of its children
_MAY_SURVIVE_S = 2.0
_TOO_LONG_S = 120.0
# Set aside and renamed: what a run that renames does is mostly over after this time, in seconds.
_RENAMING_S = 1.5


@dataclass
class Tally:
    """What the rounds came to.

    Attributes:
        kills: by what the killed run was doing.
        survived_s: how long a child lived on at most.
        unrecorded: clips that were there without a row after a kill, at most.
        violations: what must not be.
    """

    kills: Counter[str] = field(default_factory=Counter)
    survived_s: float = 0.0
    unrecorded: int = 0
    violations: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Moment:
    """When to kill: so many seconds after something is so."""

    phase: str
    reached: Callable[[], bool]
    delay_s: float


@dataclass(frozen=True)
class Case:
    """One operation to be killed.

    Attributes:
        name: of the operation.
        script: what is run.
        expected: an undisturbed run's folder.
        finished: what the folder holds before, or None for a fresh one.
        whole_s: how long an undisturbed run takes.
    """

    name: str
    script: Path
    expected: Path
    finished: Path | None
    whole_s: float


def main() -> int:
    """Kill, resume, compare; 1 if anything is not as it should be."""
    arguments = parser(__doc__)
    arguments.add_argument("--rounds", type=int, default=30, help="of making, and of renaming")
    arguments.add_argument("--utterances", type=int, default=40, help="of the script that is made")
    arguments.add_argument("--finished", type=int, default=300, help="clips that are renamed")
    arguments.add_argument("--seed", type=int, default=0)
    given = arguments.parse_args()
    where = machine()
    rng = random.Random(given.seed)
    figures, violations = {}, []
    with tempfile.TemporaryDirectory(dir=given.work) as scratch:
        for case in (
            making_case(Path(scratch) / "making", given.utterances),
            renaming_case(Path(scratch) / "renaming", given.finished),
        ):
            tally = Tally()
            for number in range(given.rounds):
                run_round(case, number, given.rounds, rng, tally)
                print(f"{case.name} round {number + 1}/{given.rounds}", file=sys.stderr)
            figures[case.name] = show(case, given.rounds, tally)
            violations += [f"{case.name}: {line}" for line in tally.violations]
    for line in violations:
        print(line)
    figures = {**figures, "violations": violations}
    bar = Bar("violations", len(violations), 0)
    return conclude("crash", figures, [bar], where=where, save=given.save)


def making_case(here: Path, utterances: int) -> Case:
    """A fresh folder."""
    here.mkdir()
    script = write_script(here / "script.txt", sentences.short(utterances))
    started = time.perf_counter()
    finish_run(script, here / "expected", 1)
    return Case("making", script, here / "expected", None, time.perf_counter() - started)


def renaming_case(here: Path, finished: int) -> Case:
    """A finished folder whose script has got one more line at the top."""
    here.mkdir()
    *lines, inserted = sentences.short(finished + 1)
    script = here / "script.txt"
    finish_run(write_script(script, lines), here / "finished", 2)
    write_script(script, [inserted, *lines])
    finish_run(script, here / "expected", 2)  # made from nothing: no rename can have harmed it
    return Case("renaming", script, here / "expected", here / "finished", _RENAMING_S)


def run_round(case: Case, number: int, rounds: int, rng: random.Random, tally: Tally) -> None:
    """Kill once or twice, resume to the end, compare."""
    out = case.script.with_name(f"{number}")
    workers = 1 + number % 2
    label = f"round {number + 1} ({workers} workers)"
    fresh(case, out)
    moment = draw(case, out, number, rounds, rng)
    while not kill(case, out, workers, moment, tally):
        fresh(case, out)  # it was over sooner than that
        moment = anywhere(case, rng)
    tally.violations += [f"{label}, after a kill: {problem}" for problem in look(case, out, tally)]
    if rng.random() < 0.5:
        kill(case, out, workers, anywhere(case, rng), tally)
        tally.violations += [f"{label}, after two: {problem}" for problem in look(case, out, tally)]
    missing = lines(case.expected) - len(folders.rows(out))
    report = finish_run(case.script, out, workers)
    if report["made"] > missing:
        tally.violations.append(f"{label}: {report['made']} made, though {missing} were missing")
    wrong = folders.differences(folders.snapshot(out), folders.snapshot(case.expected))
    tally.violations += [f"{label}: {line}" for line in wrong]
    shutil.rmtree(out)


def fresh(case: Case, out: Path) -> None:
    """The folder as it is before the run."""
    if out.exists():
        shutil.rmtree(out)
    if case.finished:
        shutil.copytree(case.finished, out)


def draw(case: Case, out: Path, number: int, rounds: int, rng: random.Random) -> Moment:
    """A third of the moments evenly over the run, the others within what is short."""
    third, place = number % 3, number // 3
    if third == 0:
        even = (place + rng.random()) / ((rounds + 2) // 3)
        return Moment("any moment", lambda: True, even * case.whole_s)
    total = lines(case.expected)
    if third == 2:
        return Moment("finishing", lambda: lines(out) == total, rng.uniform(0, 0.25))
    if case.finished:
        plan = out / ".tts-toolkit" / "moves.json"
        return Moment("renaming", plan.exists, rng.uniform(0, 0.03))
    rows = rng.randrange(1, total)
    return Moment("making", lambda: lines(out) >= rows, rng.uniform(0, 0.05))


def anywhere(case: Case, rng: random.Random) -> Moment:
    """A moment anywhere in a run."""
    return Moment("any moment", lambda: True, rng.uniform(0, case.whole_s))


def kill(case: Case, out: Path, workers: int, moment: Moment, tally: Tally) -> bool:
    """Start a run and kill it; False if it was over before."""
    mark = f"{os.getpid()}-{time.monotonic_ns()}"
    process = subprocess.Popen(
        synth(case.script, out, workers), env=environment(**{_MARK: mark}), stdin=subprocess.DEVNULL
    )
    wait_until(lambda: moment.reached() or process.poll() is not None, _TOO_LONG_S)
    wait_until(lambda: process.poll() is not None, moment.delay_s)
    process.kill()
    killed = process.wait() == -signal.SIGKILL
    ended = time.perf_counter()
    if not wait_until(lambda: not alive(mark), _MAY_SURVIVE_S):
        tally.violations.append(f"a child outlived its parent by {_MAY_SURVIVE_S} s")
        for child in alive(mark):
            child.kill()
    tally.survived_s = max(tally.survived_s, time.perf_counter() - ended)
    if killed:
        tally.kills[moment.phase] += 1
    return killed


def alive(mark: str) -> list[psutil.Process]:
    """The processes of a round."""
    return [process for process in psutil.process_iter() if _mark(process) == mark]


def _mark(process: psutil.Process) -> str | None:
    try:
        return process.environ().get(_MARK)
    except psutil.Error:  # it has just ended, or is another user's
        return None


def look(case: Case, out: Path, tally: Tally) -> list[str]:
    """What is wrong with a folder right after a kill."""
    whole = set(folders.clips(case.expected).values())
    found = folders.clips(out)
    problems = [f"{name} is not whole" for name, digest in found.items() if digest not in whole]
    if case.finished:
        lost = set(folders.clips(case.finished).values()) - set(found.values())
        return [*problems, *(f"the clip {digest} is lost" for digest in lost)]
    rows = folders.rows(out)
    tally.unrecorded = max(tally.unrecorded, len(found) - len(rows))
    return [*problems, *(f"{r['file']} has only a row" for r in rows if r["file"] not in found)]


def finish_run(script: Path, out: Path, workers: int) -> dict[str, int]:
    """Run to the end; what the run says of itself.

    Raises:
        RuntimeError: if it fails.
    """
    done = subprocess.run(
        synth(script, out, workers, "--json"),
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"a resume of {out} ended with {done.returncode}")
    report: dict[str, int] = json.loads(done.stdout)
    return report


def lines(out: Path) -> int:
    """How many rows the journal has."""
    try:
        return (out / "manifest.jsonl").read_bytes().count(b"\n")
    except FileNotFoundError:
        return 0


def show(case: Case, rounds: int, tally: Tally) -> dict[str, object]:
    """Print a case's table and give it back."""
    table = {
        "rounds": rounds,
        "kills": tally.kills.total(),
        **{f"kills at {phase}": number for phase, number in sorted(tally.kills.items())},
        "longest life of an orphan, s": round(tally.survived_s, 3),
        "violations": len(tally.violations),
    }
    if not case.finished:
        table["most clips without a row"] = tally.unrecorded
    print(f"\n{case.name}: {lines(case.expected)} utterances")
    for name, value in table.items():
        print(f"  {name:<32}{value:>8}")
    return dict(table)


if __name__ == "__main__":
    sys.exit(main())
