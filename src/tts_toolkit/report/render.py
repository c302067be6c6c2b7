"""The listening page ``OUT/report.html``: every clip with its text, its picture and a player.

A page is one file that asks for nothing but the clips beside it. Rows go from the manifest to the
page one by one, so what is held in memory is one small ``Entry`` for each.
"""

from __future__ import annotations

import math
import os
import re
from array import array
from dataclasses import dataclass, field
from itertools import islice
from operator import add
from typing import TYPE_CHECKING
from urllib.parse import quote

from tts_toolkit.manifest import read_entries, rows_of
from tts_toolkit.report.waveform import WAVEFORMS, draw, read_waveforms

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from tts_toolkit.manifest import Entry, ManifestRow
    from tts_toolkit.report.waveform import Waveform

PAGE_ROWS = 2000  # as many players as a browser still opens and filters at once
_MARK = b'name="generator" content="tts-toolkit"'  # in frame.html; only such files are ever removed
_OLD_PAGE = re.compile(r"report-([1-9][0-9]*)\.html")
_FEWEST_BINS, _MOST_BINS = 12, 24

# The digits of a waveform as upright strokes about the middle of a box of 80 x 38. Each stroke
# starts from the one before: shorter than its place in the box, and most of a page is strokes.
_HALF = [max(1, 2 * level) for level in range(10)]
_STROKES = {
    f"{a}{b}": f"m1-{_HALF[a] + _HALF[b]}v{2 * _HALF[b]}" for a in range(10) for b in range(10)
}


@dataclass
class _Totals:
    """What a first pass over the manifest finds out.

    Attributes:
        failed: entries of the failed utterances.
        ok: entries of the others.
        durations: lengths of the ok clips in seconds.
        timed_s: length of the clips whose computing time is known, in seconds.
        computing_s: that time, in wall seconds.
        engines: ``(engine, model, revision)`` of the rows, without repetition.
    """

    failed: list[Entry] = field(default_factory=list)
    ok: list[Entry] = field(default_factory=list)
    durations: array[float] = field(default_factory=lambda: array("d"))
    timed_s: float = 0.0
    computing_s: float = 0.0
    engines: dict[tuple[str, str, str], None] = field(default_factory=dict)

    def add(self, row: ManifestRow, entry: Entry, waveform: Waveform | None) -> None:
        """Count one row."""
        self.engines[row.engine, row.model, row.model_revision] = None
        if row.status == "failed":
            self.failed.append(entry)
            return
        self.ok.append(entry)
        self.durations.append(row.duration_s)
        if waveform and waveform.seconds > 0:
            self.timed_s += row.duration_s
            self.computing_s += waveform.seconds


@dataclass(frozen=True, slots=True)
class _Clip:
    """One utterance as the page shows it.

    Attributes:
        row: what the manifest has.
        source: where the script has it.
        src: address of the audio, relative to the page; "" if there is none.
        path: SVG path data of the waveform; "" if there is none.
        realtime: seconds of audio for each second of computing, in words.
    """

    row: ManifestRow
    source: str
    src: str = ""
    path: str = ""
    realtime: str = ""


def write_report(out: Path, *, title: str, entries: Iterable[Entry] | None = None) -> Path:
    """Write the listening page of an output folder from its manifest, failed utterances first.

    More than ``PAGE_ROWS`` utterances are split into ``report.html``, ``report-2.html``, …; pages
    that an earlier, longer run left are removed.

    Args:
        out: the output folder.
        title: heading of the page.
        entries: of its manifest, if the caller has them.

    Returns:
        Path of the first page.

    Raises:
        OSError: as the system says; a page is replaced as a whole or not at all.
    """
    from tts_toolkit.pages.environment import page_environment  # noqa: PLC0415 - slow to import

    waveforms = read_waveforms(out)
    totals = _Totals()
    found = list(read_entries(out).values() if entries is None else entries)
    for entry, row in zip(found, rows_of(out, found), strict=True):
        totals.add(row, entry, waveforms.get(row.key))
    ordered = [*totals.failed, *totals.ok]
    pages = max(1, math.ceil(len(ordered) / PAGE_ROWS))
    clips = (_clip(out, row, waveforms.get(row.key)) for row in rows_of(out, ordered))
    template = page_environment("tts_toolkit.report").get_template("page.html")
    whole_run = {"title": title, "pages": pages, **_summary(totals)}
    for page in range(1, pages + 1):
        parts = template.generate(whole_run, page=page, clips=islice(clips, PAGE_ROWS))
        _publish(out, _page_name(page), parts)
    _remove_pages_after(out, pages)
    return out / _page_name(1)


def _summary(totals: _Totals) -> dict[str, object]:
    """What stands on top of every page."""
    audio_s = round(sum(totals.durations))
    return {
        "ok": len(totals.ok),
        "failed": len(totals.failed),
        "audio": f"{audio_s // 3600}:{audio_s // 60 % 60:02}:{audio_s % 60:02}",
        "realtime": _realtime(totals.timed_s, totals.computing_s),
        "engines": list(totals.engines),
        "chart": _histogram(totals.durations) if totals.durations else None,
    }


def _realtime(audio_s: float, computing_s: float) -> str:
    """How many seconds of audio came from one of computing."""
    return f"{audio_s / computing_s:.1f}" if computing_s > 0 else "\N{EN DASH}"


def _histogram(durations: array[float]) -> dict[str, object]:
    """Counts of clips over equal steps of duration, in seconds; ``durations`` is not empty."""
    low, high = min(durations), max(durations)
    rice = round(2 * len(durations) ** (1 / 3))
    rough = max((high - low) / min(_MOST_BINS, max(_FEWEST_BINS, rice)), 0.1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(unit * power for unit in (1, 2, 5, 10) if unit * power >= rough * 0.999)
    first = math.floor(low / step)
    counts = [0] * max(_FEWEST_BINS, math.floor(high / step) - first + 1)
    for duration in durations:
        counts[math.floor(duration / step) - first] += 1
    edges = [f"{(first + i) * step:.6g}" for i in range(len(counts) + 1)]
    return {
        "bins": [(n, *edges[i : i + 2]) for i, n in enumerate(counts)],
        "edges": edges,
        "every": math.ceil(len(counts) / 6),
        "most": max(counts),
        "low": f"{low:.1f}",
        "high": f"{high:.1f}",
    }


def _clip(out: Path, row: ManifestRow, waveform: Waveform | None) -> _Clip:
    """What the page says of one row."""
    source = f"{row.source.get('file', '')}:{row.source.get('line', '')}"
    if row.status == "failed" or row.file is None:
        return _Clip(row, source)
    waveform = waveform or _draw_file(out, row.file)
    return _Clip(
        row,
        source,
        # "./" keeps a name such as "//host/a.wav" in the folder.
        src="./" + quote(row.file),
        path=_path(waveform.bars) if waveform else "",
        realtime=_realtime(row.duration_s, waveform.seconds if waveform else 0.0),
    )


def _draw_file(out: Path, file: str) -> Waveform | None:
    """The waveform of an audio file; None if it can't be read."""
    import soundfile as sf  # noqa: PLC0415 - most runs have kept every waveform

    try:
        samples, _ = sf.read(out / file, dtype="float32", always_2d=True)
    except (sf.SoundFileError, OSError):
        return None
    return draw(samples[:, 0])


def _path(bars: str) -> str:
    """SVG path data for a waveform's digits."""
    half = _HALF[int(bars[0])]
    steps = map(_STROKES.__getitem__, map(add, bars, bars[1:]))
    return f"M.5 {19 - half}v{2 * half}{''.join(steps)}"


def _page_name(page: int) -> str:
    return "report.html" if page == 1 else f"report-{page}.html"


def _publish(out: Path, name: str, parts: Iterator[str]) -> None:
    """Write a page under a temporary name, then put it in its place."""
    temporary = (out / WAVEFORMS).with_name(f"{name}.part")
    temporary.parent.mkdir(exist_ok=True)
    # A title may be the name of a folder that is not UTF-8.
    with temporary.open("w", encoding="utf-8", errors="replace", newline="\n") as file:
        file.writelines(parts)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(out / name)


def _remove_pages_after(out: Path, pages: int) -> None:
    """Remove what is left of a longer report. A file of the user's by such a name stays."""
    for path in out.glob("report-*.html"):
        name = _OLD_PAGE.fullmatch(path.name)
        if name and int(name[1]) > pages and _MARK in path.read_bytes():
            path.unlink()
