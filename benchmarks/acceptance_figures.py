"""The acceptance run's figures: error rates, similarity, speed and failures, and what is promised.

A row is a line: its name, language, text and units, and for each program what became of it.
"""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any

from acceptance_sides import PROGRAMS
from measure import Bar

if TYPE_CHECKING:
    from collections.abc import Sequence

LANGUAGES = {"en": "English", "zh": "Chinese"}
RATES = {"en": "word error rate", "zh": "character error rate"}
# What is promised: percentage points of errors more than theirs, and similarity less than theirs.
ERROR_BAR = 1.0
SIMILARITY_BAR = -0.02
Row = dict[str, Any]


def summary(rows: Sequence[Row], side: str, lang: str = "") -> dict[str, Any]:
    """A program's figures, in one language or all; None where there is nothing to measure."""
    rows = [row for row in rows if lang in {"", row["lang"]}]
    made = [row[side] for row in rows]
    known = [one["similarity"] for one in made if one["similarity"] is not None]
    seconds = sum(one["seconds"] for one in made)
    figures = {
        "lines": len(made),
        "failed": sum(bool(one["error"]) for one in made),
        "similarity": statistics.fmean(known) if known else None,
        "without_similarity": len(made) - len(known),
        "audio_s": sum(one["audio_s"] for one in made),
        "seconds": seconds,
        "x_realtime": sum(one["audio_s"] for one in made) / seconds if seconds else None,
    }
    if lang:  # words and characters are not to be added up
        errors = sum(one["errors"] for one in made)
        figures["error_rate"] = errors / sum(row["units"] for row in rows)
    return figures


def bars_of(figures: dict[str, Any], spoken: Sequence[str]) -> list[Bar]:
    """What is promised, with what was measured; one-sided, since better is no fault."""
    bars = []
    for lang in spoken:
        more = figures["ours"][lang]["error_rate"] - figures["theirs"][lang]["error_rate"]
        what = f"{LANGUAGES[lang]}: {RATES[lang]}, ours less theirs"
        bars.append(Bar(what, 100 * more, ERROR_BAR, unit="points"))
    # Where no clip could be compared, none is like the voice.
    ours, theirs = (figures[side]["all"]["similarity"] or 0.0 for side in PROGRAMS)
    what = "similarity to the voice, ours less theirs"
    return [*bars, Bar(what, ours - theirs, SIMILARITY_BAR, at_least=True)]


def print_table(figures: dict[str, Any], spoken: Sequence[str]) -> None:
    """The figures, a line for each language and program."""
    print(f"\n{'':<24}{'errors, %':>12}{'similarity':>12}{'x realtime':>12}{'failed':>8}")
    for lang in spoken:
        for side, name in PROGRAMS.items():
            of = figures[side][lang]
            similarity, speed = (
                "-" if value is None else f"{value:.3f}"
                for value in (of["similarity"], of["x_realtime"])
            )
            print(
                f"{LANGUAGES[lang] + ', ' + name:<24}{100 * of['error_rate']:>12.1f}"
                f"{similarity:>12}{speed:>12}{of['failed']:>8}"
            )
