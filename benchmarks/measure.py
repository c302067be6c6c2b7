"""What the benchmarks share: timing of child processes, the machine's name, and the last line."""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

HERE = Path(__file__).parent
_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_CORES = len(os.sched_getaffinity(0))
# A run counts as undisturbed below this share of the machine for others.
_QUIET = 0.03
# How long to wait for a quiet moment before a run, in seconds.
_PATIENCE = 60.0


@dataclass(frozen=True)
class Timing:
    """What one child process took.

    Attributes:
        wall_s: from its start until its end was noticed.
        cpu_s: user and system time, its own and that of the children that it waited for.
        others: share of the machine's processor time that went elsewhere meanwhile: to other
            processes, or to the host of a virtual machine. 0 is a quiet machine.
        said: what they wrote to their standard output.
    """

    wall_s: float
    cpu_s: float
    others: float
    said: str


@dataclass(frozen=True)
class Bar:
    """A promise with its figure.

    Attributes:
        what: is measured.
        value: that was measured.
        limit: that it is held against.
        at_least: whether the value has to be as large as the limit; else as small.
        unit: of both.
    """

    what: str
    value: float
    limit: float
    at_least: bool = False
    unit: str = ""

    @property
    def held(self) -> bool:
        """Whether the promise is kept."""
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def __str__(self) -> str:
        sign = ">=" if self.at_least else "<="
        unit = f" {self.unit}" if self.unit else ""
        verdict = "holds" if self.held else "MISSED"
        return f"{self.what}: {self.value:.3g}{unit} (bar {sign} {self.limit:g}{unit}: {verdict})"


def tts_toolkit(*arguments: object) -> list[str]:
    """The command line of this environment's tts-toolkit."""
    return [sys.executable, "-m", "tts_toolkit", *map(str, arguments)]


def synth(script: Path, out: Path, workers: int, *more: object) -> list[str]:
    """The command that turns ``script`` into ``out``, with nothing said on the way."""
    return tts_toolkit(
        "synth", script, "-o", out, "--workers", workers, "--progress", "none", "--quiet", *more
    )


def program(name: str, *arguments: object) -> list[str]:
    """The command that runs another file of this folder."""
    return [sys.executable, str(HERE / name), *map(str, arguments)]


def environment(**more: str) -> dict[str, str]:
    """This process's environment without the user's own settings of tts-toolkit."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("TTS_TOOLKIT_")}
    return {**own, "TTS_TOOLKIT_CONFIG": os.devnull, **more}


def timed(*commands: Sequence[str]) -> Timing:
    """Run commands at the same time and wait for all of them.

    Raises:
        RuntimeError: if one fails; its messages are on stderr.
    """
    with tempfile.TemporaryFile() as said:
        busy = _busy_s()
        started = time.perf_counter()
        processes = [
            subprocess.Popen(command, env=environment(), stdin=subprocess.DEVNULL, stdout=said)
            for command in commands
        ]
        cpu_s = 0.0
        for process in processes:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            cpu_s += usage.ru_utime + usage.ru_stime
        wall_s = time.perf_counter() - started
        others = (_busy_s() - busy - cpu_s) / (wall_s * _CORES)
        for process in processes:
            if process.returncode:
                raise RuntimeError(f"{process.args} ended with {process.returncode}")
        said.seek(0)
        return Timing(wall_s, cpu_s, max(0.0, others), said.read().decode())


def settle() -> float:
    """Wait for a quiet moment, for a minute at most; how long a fixed loop then takes, in seconds.

    A virtual machine's cores are not always as fast: the same work twice can differ by two thirds
    with nobody else on the machine. The loop tells such times apart.
    """
    wait_until(_is_quiet, _PATIENCE)
    started = time.perf_counter()
    total = 0
    for number in range(1_000_000):
        total += number * number % 7
    return time.perf_counter() - started


class Quietly:
    """Times things while the machine is quiet, and again while it is not.

    Whether a run counts depends on what others used of the machine meanwhile, never on its own
    time.

    Args:
        tries: how often at most; the least disturbed one counts if none was quiet.
    """

    def __init__(self, tries: int) -> None:
        self._tries = tries
        self._counted: list[float] = []
        self._yardsticks: list[float] = []
        self._repeated = 0

    def __call__(self, run: Callable[[Path], Timing], here: Path) -> Timing:
        """Time ``run``, which gets a fresh path beside ``here`` each time."""
        tries: list[Timing] = []
        while len(tries) < self._tries and not (tries and tries[-1].others < _QUIET):
            self._yardsticks.append(settle())
            tries.append(run(here.with_name(f"{here.name}-try{len(tries)}")))
        self._repeated += len(tries) - 1
        best = min(tries, key=lambda timing: timing.others)
        self._counted.append(best.others)
        return best

    def figures(self) -> dict[str, Any]:
        """How quiet it was, for the result."""
        return {
            "timed_runs": len(self._counted),
            "repeated_because_disturbed": self._repeated,
            "disturbed_nonetheless": sum(share >= _QUIET for share in self._counted),
            "share_of_others": spread(self._counted),
            "yardstick_s": spread(self._yardsticks),
        }


def write_script(path: Path, lines: Sequence[str]) -> Path:
    """Write lines as a script, one an utterance."""
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def spread(values: Sequence[float]) -> dict[str, float]:
    """The middle of some measurements, and how far they go."""
    return {
        "min": round(min(values), 4),
        "median": round(statistics.median(values), 4),
        "max": round(max(values), 4),
    }


def shown(name: str, values: Sequence[float]) -> str:
    """A line for the terminal: name, least, middle, largest."""
    of = spread(values)
    return f"{name:<44}{of['min']:>10.3f}{of['median']:>10.3f}{of['max']:>10.3f}"


def heading(title: str) -> str:
    """The line above ``shown``'s."""
    return f"\n{title:<44}{'min':>10}{'median':>10}{'max':>10}"


def parser(description: str | None) -> argparse.ArgumentParser:
    """A benchmark's command line, with the options that all of them have."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--save", type=Path, metavar="FILE", help="also write the result to FILE")
    parser.add_argument(
        "--tries", type=int, default=4, help="time again what others disturbed (default: 4 times)"
    )
    parser.add_argument("--work", type=Path, metavar="FOLDER", help="where scratch folders go")
    return parser


def machine() -> dict[str, Any]:
    """What the figures were measured with."""
    return {
        "date": time.strftime("%Y-%m-%d"),
        "processor": _processor(),
        "cores": _CORES,
        "system": platform.system(),
        "python": platform.python_version(),
        "hibari-tts": version("hibari-tts"),
        "onnxruntime": version("onnxruntime"),
        "tts-toolkit": version("tts-toolkit"),
        "load_at_start": round(os.getloadavg()[0], 2),
    }


def conclude(
    name: str,
    figures: Mapping[str, Any],
    bars: Sequence[Bar],
    *,
    where: Mapping[str, Any],
    save: Path | None,
) -> int:
    """Print the bars, and the result as the last line; 1 if a bar is missed, else 0.

    Args:
        name: of the benchmark.
        figures: everything that it measured.
        bars: what is promised of them.
        where: as ``machine()`` was at the start.
        save: also write the result to this file.
    """
    print()
    for bar in bars:
        print(bar)
    held = all(bar.held for bar in bars)
    result = {
        "benchmark": name,
        "machine": where,
        "bars": [{**vars(bar), "value": round(bar.value, 4), "held": bar.held} for bar in bars],
        "held": held,
        **figures,
    }
    if save:
        save.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(result))
    return 0 if held else 1


def wait_until(condition: Callable[[], bool], seconds: float, *, pause: float = 0.0005) -> bool:
    """Look again and again until something is so; False if it is not within ``seconds``."""
    end = time.perf_counter() + seconds
    while not condition():
        if time.perf_counter() > end:
            return False
        time.sleep(pause)
    return True


def _busy_s() -> float:
    """Processor time that the machine has spent on anything, its host included, in seconds."""
    fields = Path("/proc/stat").read_text(encoding="utf-8").split("\n", 1)[0].split()[1:]
    user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, fields[:8])
    return (user + nice + system + irq + softirq + steal) * _TICK_S


def _is_quiet() -> bool:
    """Whether nothing much has run for half a second."""
    busy = _busy_s()
    time.sleep(0.5)
    return _busy_s() - busy < 0.5 * _CORES * _QUIET


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()
