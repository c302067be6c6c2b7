"""Kill a run before each of its steps on the disk, one after the other, and resume it.

Where ``crash.py`` kills from outside at random moments, this kills from inside: the first time
before the first call that opens, writes, syncs, renames or removes anything, the next time before
the second, and so on until a run comes to its end. Each folder is then resumed; the resume is
killed at a step too, drawn at random, and the one after it is left to finish. The folder has to
equal an undisturbed one.

Every run is a fork of one process that has loaded the voice, so that a hundred take a minute.
"""

from __future__ import annotations

import io
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import folders
import hibari
import sentences
from measure import Bar, conclude, machine, parser, write_script

from tts_toolkit import run_script

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

_SYSTEM_CALLS = {
    "fsync", "ftruncate", "link", "mkdir", "open", "remove", "rename", "replace", "rmdir",
    "truncate", "unlink",
}  # fmt: skip
_FILE_CALLS = {"close", "flush", "truncate", "write"}
_FILES = (io.FileIO, io.BufferedWriter, io.BufferedRandom, io.TextIOWrapper)


@dataclass(frozen=True)
class Scenario:
    """A script before and after an edit.

    Attributes:
        name: of the case.
        before: lines that are finished already; none for a fresh folder.
        after: lines that the killed run is given.
        options: of that run.
    """

    name: str
    before: list[str]
    after: list[str]
    options: dict[str, Any]


def scenarios() -> Iterator[Scenario]:
    """Making, and every kind of edit that renames."""
    a, b, c, d, e, f = sentences.short(6)
    yield Scenario("fresh", [], [a, b, c], {})
    yield Scenario("line inserted", [a, b, c, d], [e, a, b, c, d], {})
    yield Scenario("line removed", [a, b, c, d], [b, c, d], {})
    yield Scenario("line removed, --prune", [a, b, c, d], [b, c, d], {"prune": True})
    yield Scenario("lines swapped", [a, b, c, d], [d, b, c, a], {})
    yield Scenario("line edited", [a, b, c, d], [a, e, c, d], {})
    yield Scenario("edited and moved", [a, b, c, d], [f, d, a, e], {"prune": True})


def main() -> int:
    """Kill, resume, compare; 1 if a folder is not as it should be."""
    given = parser(__doc__).parse_args()
    where = machine()
    voice = hibari.Hibari()
    voice("Warm up.", seed=0)
    hibari.Hibari = lambda **_: voice
    rng = random.Random(0)
    figures, violations = {}, []
    with tempfile.TemporaryDirectory(dir=given.work) as scratch:
        warm_up(Path(scratch))
        for number, scenario in enumerate(scenarios()):
            here = Path(scratch) / f"{number}"
            here.mkdir()
            steps, found = run_scenario(scenario, here, rng)
            figures[scenario.name] = {"steps": steps, "violations": len(found)}
            violations += [f"{scenario.name}: {line}" for line in found]
            print(f"{scenario.name:<26}{steps:>6} steps{len(found):>6} violations")
    for line in violations:
        print(line)
    figures = {"scenarios": figures, "violations": violations}
    bar = Bar("violations", len(violations), 0)
    return conclude("crash_steps", figures, [bar], where=where, save=given.save)


def warm_up(scratch: Path) -> None:
    """Import what a run imports, so that no fork has to."""
    script = write_script(scratch / "warm-up.txt", ["Warm up."])
    run_script(script, scratch / "warm-up", workers=1)


def run_scenario(scenario: Scenario, here: Path, rng: random.Random) -> tuple[int, list[str]]:
    """How many steps the run has, and what was wrong after a kill at one of them."""
    script = here / "script.txt"
    finished, expected_out = here / "finished", here / "expected"
    if scenario.before:
        run(write_script(script, scenario.before), finished, {}, None)
        shutil.copytree(finished, expected_out)
    write_script(script, scenario.after)
    run(script, expected_out, scenario.options, None)
    expected = folders.snapshot(expected_out)
    violations = []
    for step in count():
        out = here / f"{step}"
        if scenario.before:
            shutil.copytree(finished, out)
        if not run(script, out, scenario.options, step):
            return step, violations
        second = rng.randrange(step + 20)
        run(script, out, scenario.options, second)
        run(script, out, scenario.options, None)
        wrong = folders.differences(folders.snapshot(out), expected)
        if wrong:
            violations.append(f"killed at step {step}, then at {second}: {', '.join(wrong)}")
        shutil.rmtree(out)
    raise AssertionError  # count() has no end


def run(script: Path, out: Path, options: dict[str, Any], step: int | None) -> bool:
    """One run in a fork; whether it was killed at ``step`` (counted from 0).

    Raises:
        RuntimeError: if it ended otherwise than whole or killed.
    """
    sys.stdout.flush()
    pid = os.fork()
    if not pid:
        code = 70
        try:
            if step is not None:
                die_at(step)
            report = run_script(script, out, workers=1, **options)
            code = report.exit_code
        finally:
            os._exit(code)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if code not in {0, -signal.SIGKILL}:
        raise RuntimeError(f"a run into {out} ended with {code}; its message is above")
    return code != 0


def die_at(step: int) -> None:
    """From now on, kill this process before that step, in whichever thread it comes."""
    numbers = count()

    def watch(_frame: FrameType, event: str, function: Any) -> None:
        if event == "c_call" and is_step(function) and next(numbers) == step:
            os.kill(os.getpid(), signal.SIGKILL)

    threading.setprofile(watch)
    sys.setprofile(watch)


def is_step(function: Any) -> bool:
    """Whether a built-in function changes the disk, or may."""
    name, owner = function.__name__, getattr(function, "__self__", None)
    if isinstance(owner, _FILES):
        return name in _FILE_CALLS
    return function.__module__ in {"posix", "_io", "io"} and name in _SYSTEM_CALLS


if __name__ == "__main__":
    sys.exit(main())
