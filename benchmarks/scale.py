"""A large script against a small one: flat memory, flat cost, and how soon nothing is done.

Both go through ``run_script`` with one worker, each in a process of its own. Then the large folder
is run again as it is, and with a line inserted at the top. Seconds an utterance are of the whole
process less the median time of a script of one line; the small script runs several times before and
after the large one, since it is short and machines vary.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sentences
from measure import (
    Bar,
    Timing,
    conclude,
    environment,
    heading,
    machine,
    parser,
    program,
    settle,
    shown,
    spread,
    synth,
    timed,
    write_script,
)

SMALL = 100
HEAVY = ("torch", "transformers", "librosa", "onnxruntime", "numpy")


@dataclass(frozen=True)
class Run:
    """What one run of ``run_once.py`` took, seen from outside, and what it told itself."""

    yardstick_s: float
    timing: Timing
    told: dict[str, Any]

    @property
    def wall_s(self) -> float:
        """Its whole time, in seconds."""
        return self.timing.wall_s


def main() -> int:
    """Measure and print; 1 if a bar is missed."""
    arguments = parser(__doc__)
    arguments.add_argument("--utterances", type=int, default=10_000)
    arguments.add_argument("--small-runs", type=int, default=6)
    arguments.add_argument("--repeats", type=int, default=7, help="of the resume and the edit")
    given = arguments.parse_args()
    where = machine()
    lines = sentences.short(given.utterances + given.repeats)
    lines, inserted = lines[: given.utterances], lines[given.utterances :]
    with tempfile.TemporaryDirectory(dir=given.work) as scratch:
        making, bars = making_figures(lines, Path(scratch), given.small_runs)
        again, more = again_figures(lines, inserted, Path(scratch))
    starting, last = start_figures()
    figures = {"utterances": given.utterances, **making, **again, **starting}
    return conclude("scale", figures, [*bars, *more, *last], where=where, save=given.save)


def making_figures(
    lines: list[str], scratch: Path, small_runs: int
) -> tuple[dict[str, Any], list[Bar]]:
    """Memory and cost of making, small and large; the large folder is left as ``large``."""
    one = write_script(scratch / "one.txt", lines[:1])
    small = write_script(scratch / "small.txt", lines[:SMALL])
    large = write_script(scratch / "large.txt", lines)
    once(one, scratch / "warm-up")  # the disk's cache
    ones, smalls = [], []
    for number in range(small_runs):
        if number == small_runs // 2:
            print(f"making {len(lines)} utterances", file=sys.stderr)
            whole = once(large, scratch / "large")
        ones.append(once(one, scratch / f"one-{number}"))
        smalls.append(once(small, scratch / f"small-{number}"))
    start = statistics.median(run.wall_s for run in ones)
    costs = [(run.wall_s - start) / (SMALL - 1) for run in smalls]
    cost = (whole.wall_s - start) / (len(lines) - 1)
    cpu_start = statistics.median(run.told["cpu_s"] for run in ones)
    cpu_costs = [(run.told["cpu_s"] - cpu_start) / (SMALL - 1) for run in smalls]
    cpu_cost = (whole.told["cpu_s"] - cpu_start) / (len(lines) - 1)
    table = {
        "one_line_s": [run.wall_s for run in ones],
        f"s_an_utterance_of_{SMALL}": costs,
        "s_an_utterance": [cost],
        f"cpu_s_an_utterance_of_{SMALL}": cpu_costs,
        "cpu_s_an_utterance": [cpu_cost],
        f"making_s_an_utterance_of_{SMALL}": [r.told["making_s_an_utterance"] for r in smalls],
        "making_s_an_utterance": [whole.told["making_s_an_utterance"]],
        f"finishing_s_of_{SMALL}": [run.told["finishing_s"] for run in smalls],
        "finishing_s": [whole.told["finishing_s"]],
        f"peak_rss_mb_of_{SMALL}": [run.told["peak_rss_mb"] for run in smalls],
        "peak_rss_mb": [whole.told["peak_rss_mb"]],
        f"share_of_others_of_{SMALL}": [run.timing.others for run in smalls],
        "share_of_others": [whole.timing.others],
        f"yardstick_s_of_{SMALL}": [run.yardstick_s for run in smalls],
        "yardstick_s": [whole.yardstick_s],
    }
    print(heading(f"{SMALL} and {len(lines)} short lines"))
    for row, values in table.items():
        print(shown(row, values))
    grown = whole.told["peak_rss_mb"] - statistics.median(table[f"peak_rss_mb_of_{SMALL}"])
    bars = [
        Bar("flat memory: peak RSS, large minus small", grown, 60, unit="MB"),
        Bar("flat cost: s an utterance, large over small", cost / statistics.median(costs), 1.2),
    ]
    figures = {
        "whole_run_s": round(whole.wall_s, 2),
        "audio_s": round(whole.told["audio_s"], 1),
        "cpu_cost_large_over_small": round(cpu_cost / statistics.median(cpu_costs), 4),
        "peak_rss_children_mb": whole.told["peak_rss_children_mb"],
        **{row: spread(values) for row, values in table.items()},
    }
    return figures, bars


def again_figures(
    lines: list[str], inserted: list[str], scratch: Path
) -> tuple[dict[str, Any], list[Bar]]:
    """The finished large folder run again, then with one more line at the top each time.

    Raises:
        RuntimeError: if a run makes, renames or loses anything that it should not.
    """
    script, out = scratch / "large.txt", scratch / "large"
    resumes, edits = [], []
    for _ in inserted:
        before = state(out)
        resumes.append(summarised(script, out, made=0, kept=len(lines), renamed=0))
        if state(out) != before:
            raise RuntimeError("a resume with nothing to do has changed the folder")
    current = lines
    for line in inserted:
        before = state(out)
        current = [line, *current]
        write_script(script, current)
        edits.append(summarised(script, out, made=1, kept=0, renamed=len(current) - 1))
        after = state(out)
        for number in range(1, len(current)):
            if before[f"{number:06}.wav"] != after[f"{number + 1:06}.wav"]:
                raise RuntimeError(f"{number:06}.wav is not the clip that it was")
    table = {
        "resume_s": [timing.wall_s for _, timing in resumes],
        "resume_cpu_s": [timing.cpu_s for _, timing in resumes],
        "resume_yardstick_s": [yardstick_s for yardstick_s, _ in resumes],
        "edit_s": [timing.wall_s for _, timing in edits],
        "edit_cpu_s": [timing.cpu_s for _, timing in edits],
        "edit_yardstick_s": [yardstick_s for yardstick_s, _ in edits],
        "share_of_others_in_resume_and_edit": [timing.others for _, timing in (*resumes, *edits)],
    }
    print(heading("whole process"))
    for row, values in table.items():
        print(shown(row, values))
    bars = [
        Bar("resume of the finished folder", statistics.median(table["resume_s"]), 3, unit="s"),
        Bar("edit: one made, the rest renamed", statistics.median(table["edit_s"]), 6, unit="s"),
    ]
    return {row: spread(values) for row, values in table.items()}, bars


def start_figures() -> tuple[dict[str, Any], list[Bar]]:
    """How long ``--help`` takes, and that it loads nothing heavy.

    Raises:
        RuntimeError: if it does.
    """
    command = [str(Path(sys.executable).with_name("tts-toolkit")), "--help"]
    times = []
    yardstick_s = settle()
    for _ in range(16):
        started = time.perf_counter()
        subprocess.run(command, env=environment(), check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - started)
    del times[0]  # the disk's cache
    traced = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "tts_toolkit", "--help"],
        env=environment(),
        check=True,
        capture_output=True,
        text=True,
    )
    loaded = {line.rpartition("|")[2].strip() for line in traced.stderr.splitlines()}
    if loaded.intersection(HEAVY):
        raise RuntimeError(f"--help loads {loaded.intersection(HEAVY)}")
    print(shown("help_s", times))
    bar = Bar("start: tts-toolkit --help", statistics.median(times), 0.35, unit="s")
    return {
        "help_s": spread(times),
        "help_yardstick_s": round(yardstick_s, 4),
        "help_loads_none_of": HEAVY,
    }, [bar]


def once(script: Path, out: Path) -> Run:
    """One run in a process of its own.

    Raises:
        RuntimeError: if an utterance is not made.
    """
    yardstick_s = settle()
    timing = timed(program("run_once.py", script, out, 1))
    told = json.loads(timing.said)
    if told["failed"] or told["made"] != len(script.read_text(encoding="utf-8").splitlines()):
        raise RuntimeError(f"not all were made: {told}")
    return Run(yardstick_s, timing, told)


def summarised(script: Path, out: Path, **expected: int) -> tuple[float, Timing]:
    """The yardstick, and what the command line takes, which has to say what is ``expected``.

    Raises:
        RuntimeError: if it says something else.
    """
    yardstick_s = settle()
    timing = timed(synth(script, out, 1, "--json"))
    said = json.loads(timing.said)
    found = {name: said[name] for name in expected}
    if found != expected or said["failed"]:
        raise RuntimeError(f"expected {expected}, found {found}")
    return yardstick_s, timing


def state(out: Path) -> dict[str, tuple[int, int, int]]:
    """Each audio file's identity: one that is only renamed keeps its own."""
    stats = ((path.name, path.stat()) for path in out.glob("*.wav"))
    return {name: (stat.st_ino, stat.st_size, stat.st_mtime_ns) for name, stat in stats}


if __name__ == "__main__":
    sys.exit(main())
