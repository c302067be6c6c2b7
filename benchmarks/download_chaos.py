"""Downloads of a 40 MB model from a server that cuts, corrupts, stalls and refuses at random.

Each download is a process. A third of them is killed with SIGKILL at a random moment and started
again, up to three times. After each kill and at each end, every file under its own name is read
and compared. A download may end in two ways: all files there and right, exit code 0; or exit code 4
with a message that names a file, and no traceback.

The client's patience is shortened (a second of silence, half a second between tries), and the
server's faults are as much more frequent than a bad network's as fits into minutes.
"""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from measure import Bar, conclude, environment, machine, parser

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from hub_server import Fault, HubServer, catalogue_of  # noqa: E402 - of the tests

REPOSITORY = "owner/model"
# Bytes a second of each connection, so that a kill finds something on its way.
PACE = 20_000_000
SIZES = {"large.bin": 24_000_000, "sub/medium.bin": 10_000_000, "small.bin": 5_990_000, "a": 10_000}


class ChaoticHub(HubServer):
    """Each answer goes wrong with some probability, in its own way."""

    def __init__(self, files: dict[tuple[str, str], bytes], dice: random.Random) -> None:
        super().__init__(files, elsewhere=True)
        self.dice = dice
        self.lock = threading.Lock()
        self.made: Counter[str] = Counter()

    def fault(self, method: str, name: str) -> Fault:
        """What goes wrong this time."""
        with self.lock:
            kind = self.dice.choices(
                ("none", "cut", "flip", "stall", "status", "whole", "shift", "claim"),
                (40, 25, 6, 6, 12, 4, 4, 3),
            )[0]
            size = SIZES[name]
            fault = {
                "none": Fault(),
                "cut": Fault(cut=self.dice.randrange(size)),
                "flip": Fault(flip=self.dice.randrange(size)),
                "stall": Fault(stall=1.3),
                "status": Fault(
                    status=self.dice.choice((429, 500, 502, 503)), headers=(("Retry-After", "0"),)
                ),
                "whole": Fault(whole=True),
                "shift": Fault(shift=self.dice.randrange(1, 999)),
                "claim": Fault(claim=self.dice.randrange(size)),
            }[kind]
            if method == "HEAD" and kind not in {"none", "status"}:
                return Fault()
            self.made[kind] += 1
            return replace(fault, pace=PACE)


def main() -> int:
    """Measure and print; 1 if a bar is missed."""
    arguments = parser(__doc__)
    arguments.add_argument("--downloads", type=int, default=200)
    arguments.add_argument("--seed", type=int, default=0)
    given = arguments.parse_args()
    where = machine()
    dice = random.Random(given.seed)
    files = {(REPOSITORY, name): dice.randbytes(size) for name, size in SIZES.items()}
    ends: Counter[str] = Counter()
    violations: list[str] = []
    with (
        tempfile.TemporaryDirectory(dir=given.work) as scratch,
        ChaoticHub(files, dice) as hub,
    ):
        catalogue = Path(scratch) / "catalogue.json"
        catalogue.write_text(json.dumps(catalogue_of(files)), encoding="utf-8")
        for number in range(given.downloads):
            folder = Path(scratch) / str(number)
            with hub.lock:
                kills = dice.choice((0, 0, 1, 2, 3, 0))
                moments = [dice.uniform(0.2, 2.0) for _ in range(kills)]
            said = download(catalogue, folder, hub.endpoint, moments, violations, ends)
            if said and "Traceback" in said:
                violations.append(f"{number}: a traceback: {said}")
            subprocess.run(["rm", "-rf", str(folder)], check=True)
            if number % 20 == 19:
                print(f"{number + 1}/{given.downloads}: {dict(ends)}", file=sys.stderr)
        faults = dict(hub.made)
    for line in violations:
        print(line)
    figures = {"ends": dict(ends), "faults": faults, "violations": violations}
    print(json.dumps(figures, indent=1))
    bars = [Bar(f"violations in {given.downloads} downloads", len(violations), 0)]
    return conclude("download_chaos", figures, bars, where=where, save=given.save)


def download(
    catalogue: Path,
    folder: Path,
    endpoint: str,
    kill_after: list[float],
    violations: list[str],
    ends: Counter[str],
) -> str:
    """One download, killed after so many seconds and started again; what its last process said."""
    command = [
        *(sys.executable, str(ROOT / "tests" / "fake_catalogue.py"), str(catalogue)),
        *("models", "download", "toy", "--accept-license", "--dir", str(folder)),
    ]
    for seconds in [*kill_after, None]:
        process = subprocess.Popen(
            command,
            env=environment(HF_ENDPOINT=endpoint),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            _, said = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            _, said = process.communicate()
            ends["killed"] += 1
        wrong, missing = look(catalogue, folder)
        violations += [f"{folder.name}: {name} is wrong under its name" for name in wrong]
        if process.returncode == -signal.SIGKILL:
            continue
        if process.returncode == 0 and not missing:
            ends["verified"] += 1
        elif process.returncode == 4 and any(name in said for name in SIZES):
            ends["refused"] += 1
        else:
            violations.append(f"{folder.name}: exit code {process.returncode}: {said}")
        return said
    raise AssertionError("the last one is not killed")


def look(catalogue: Path, folder: Path) -> tuple[list[str], list[str]]:
    """The files that are wrong under their names, and those that are missing."""
    entries = json.loads(catalogue.read_text("utf-8"))["toy"]["repositories"][0]["files"]
    wrong, missing = [], []
    for entry in entries:
        path = folder / entry["path"]
        if not path.exists():
            missing.append(entry["path"])
        elif sha256(path.read_bytes()).hexdigest() != entry["sha256"]:
            wrong.append(entry["path"])
    return wrong, missing


if __name__ == "__main__":
    sys.exit(main())
