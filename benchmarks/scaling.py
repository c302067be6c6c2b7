"""Two workers against one on two cores, and two hibari processes against one beside it.

Each round runs all four. Start-up is the median time of scripts with one line for each worker, and
is taken off. hibari's own two processes share nothing and write no manifest: their gain is what the
machine itself allows, so a shared or throttled machine shows there. A run that other processes
disturbed is done again.
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

BAR = 1.7
CASES = ("ours_1", "ours_2", "hibari_1", "hibari_2")


def main() -> int:
    """Measure and print; 1 if the bar is missed."""
    arguments = parser(__doc__)
    arguments.add_argument("--utterances", type=int, default=400)
    arguments.add_argument("--rounds", type=int, default=5)
    given = arguments.parse_args()
    where = machine()
    quietly = Quietly(given.tries)
    lines = sentences.ordinary(given.utterances)
    starts: dict[str, list[float]] = {case: [] for case in CASES}
    wholes: dict[str, list[float]] = {case: [] for case in CASES}
    with tempfile.TemporaryDirectory(dir=given.work) as scratch:
        run("ours_2", lines[:2], Path(scratch) / "warm-up")  # the disk's cache
        for number in range(given.rounds):
            cases = CASES if number % 2 == 0 else CASES[::-1]
            for case in cases:
                here = Path(scratch) / f"{number}-{case}"
                few = partial(run, case, lines[: workers_of(case)])
                starts[case].append(quietly(few, here.with_suffix(".start")).wall_s)
                wholes[case].append(quietly(partial(run, case, lines), here).wall_s)
            print(f"round {number + 1}/{given.rounds}", file=sys.stderr)
    start = {case: statistics.median(starts[case]) for case in CASES}
    rates = {
        case: [(len(lines) - workers_of(case)) / (wall - start[case]) for wall in wholes[case]]
        for case in CASES
    }
    raw = {case: [len(lines) / wall for wall in wholes[case]] for case in CASES}
    table = {f"{case}_utterances_a_second": rates[case] for case in CASES}
    table |= {f"{case}_utterances_a_second_raw": raw[case] for case in CASES}
    table |= {f"{case}_start_up_s": starts[case] for case in CASES}
    for side in ("ours", "hibari"):
        table[f"{side}_gain"] = gains(rates, side)
        table[f"{side}_gain_raw"] = gains(raw, side)
    print(heading(f"{len(lines)} ordinary lines"))
    for row, values in table.items():
        print(shown(row, values))
    figures = {
        "utterances": len(lines),
        "rounds": given.rounds,
        "quiet": quietly.figures(),
        **{row: spread(values) for row, values in table.items()},
    }
    bar = Bar("two workers over one", statistics.median(table["ours_gain"]), BAR, at_least=True)
    return conclude("scaling", figures, [bar], where=where, save=given.save)


def gains(rates: dict[str, list[float]], side: str) -> list[float]:
    """Two over one, of each round."""
    ones, twos = rates[f"{side}_1"], rates[f"{side}_2"]
    return [two / one for one, two in zip(ones, twos, strict=True)]


def workers_of(case: str) -> int:
    """How many processes speak in a case."""
    return int(case[-1])


def run(case: str, lines: list[str], here: Path) -> Timing:
    """One case from start to end; hibari's processes each get every second line."""
    workers = workers_of(case)
    if case.startswith("ours"):
        return timed(synth(write_script(here.with_suffix(".txt"), lines), here, workers))
    here.mkdir()
    shares = [write_script(here / f"{part}.txt", lines[part::workers]) for part in range(workers)]
    return timed(*(program("hibari_direct.py", share, share.with_suffix("")) for share in shares))


if __name__ == "__main__":
    sys.exit(main())
