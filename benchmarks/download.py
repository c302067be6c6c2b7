"""`models download` against `hf download`, and `models verify` against `sha256sum`, over loopback.

The model is 2 GB of random bytes, as one file and as four. A server of this program's own, which
speaks the hub's protocol, sends it with sendfile; nothing leaves the machine. Each round runs all,
as whole processes, in turn; what was written is deleted and the disk's queue emptied in between.
`hf download` only compares sizes; ours also hashes what comes, and has it on the disk before it
gets its name.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from measure import Bar, conclude, environment, heading, machine, parser, settle, shown, spread

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from hub_server import HubServer, catalogue_of  # noqa: E402 - of the tests

SIZE = 2_000_000_000
REPOSITORY = "owner/model"
HF = Path(sys.executable).with_name("hf")


@dataclass(frozen=True)
class Ran:
    """A child process: wall seconds, and its peak memory in MB."""

    wall_s: float
    peak_mb: float


def main() -> int:
    """Measure and print; 1 if a bar is missed."""
    arguments = parser(__doc__)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--files", type=int, nargs="+", default=[1, 4])
    given = arguments.parse_args()
    where = machine()
    figures: dict[str, object] = {}
    bars = []
    peaks = []
    for files in given.files:
        with tempfile.TemporaryDirectory(dir=given.work) as scratch:
            rates, peak = compare(files, Path(scratch), given.rounds)
        peaks.append(peak)
        figures[f"{files}_files"] = {**rates, "peak_mb": round(peak, 1)}
        bars += [
            Bar(f"download over hf download, {files} files", rates["download"], 0.8, at_least=True),
            Bar(f"verify over sha256sum, {files} files", rates["verify"], 0.8, at_least=True),
        ]
    bars.append(Bar("memory while downloading and hashing", max(peaks), 150, unit="MB"))
    return conclude("download", figures, bars, where=where, save=given.save)


def compare(count: int, scratch: Path, rounds: int) -> tuple[dict[str, object], float]:
    """Ratios and seconds for a model of so many files, and our peak memory in MB."""
    files = {}
    for number in range(count):
        path = scratch / f"source-{number}.bin"
        with path.open("wb") as file:
            for _ in range(SIZE // count // 1_000_000):
                file.write(os.urandom(1_000_000))
        files[REPOSITORY, path.name] = path
    seconds: dict[str, list[float]] = {name: [] for name in ("ours", "hf", "verify", "sha256sum")}
    ratios: dict[str, list[float]] = {"download": [], "verify": []}
    yardsticks = []
    peak = 0.0
    names = [name for _, name in files]
    with HubServer(files) as hub:
        catalogue = scratch / "catalogue.json"
        catalogue.write_text(json.dumps(catalogue_of(files, hub=hub)), encoding="utf-8")
        toolkit = [sys.executable, str(ROOT / "tests" / "fake_catalogue.py"), str(catalogue)]
        ours, theirs = scratch / "ours", scratch / "hf"
        more = ["--progress", "none", "--dir", str(ours)]
        commands = {
            "ours": [*toolkit, "models", "download", "toy", "--accept-license", *more],
            "hf": [str(HF), "download", REPOSITORY, *names, "--local-dir", str(theirs)],
            "verify": [*toolkit, "models", "verify", "toy", *more],
            "sha256sum": ["sha256sum", *(str(ours / name) for name in names)],
        }
        settings = environment(HF_ENDPOINT=hub.endpoint, HF_HUB_DISABLE_PROGRESS_BARS="1")
        for number in range(rounds):
            pairs = [("ours", "hf"), ("verify", "sha256sum")]
            for pair in pairs:
                yardsticks.append(settle())
                for name in pair if number % 2 == 0 else pair[::-1]:
                    os.sync()
                    ran = run(commands[name], settings)
                    seconds[name].append(ran.wall_s)
                    if name in {"ours", "verify"}:
                        peak = max(peak, ran.peak_mb)
            ratios["download"].append(seconds["hf"][-1] / seconds["ours"][-1])
            ratios["verify"].append(seconds["sha256sum"][-1] / seconds["verify"][-1])
            subprocess.run(["rm", "-rf", str(ours), str(theirs)], check=True)
            print(f"{count} files, round {number + 1}/{rounds}", file=sys.stderr)
    print(heading(f"2 GB as {count} files, s"))
    for name, values in seconds.items():
        print(shown(name, values))
    return {
        **{name: spread(values)["median"] for name, values in ratios.items()},
        "ratios": {name: spread(values) for name, values in ratios.items()},
        "seconds": {name: spread(values) for name, values in seconds.items()},
        "yardstick_s": spread(yardsticks),
    }, peak


def run(command: list[str], settings: dict[str, str]) -> Ran:
    """Run a command to its end.

    Raises:
        RuntimeError: if it fails.
    """
    started = time.perf_counter()
    process = subprocess.Popen(command, env=settings, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall_s = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command} ended with {process.returncode}")
    return Ran(wall_s, usage.ru_maxrss / 1000)


if __name__ == "__main__":
    sys.exit(main())
