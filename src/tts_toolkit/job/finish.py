"""The end of a run: the manifest in the script's order, its metadata, and the page."""

from __future__ import annotations

import filecmp
from typing import TYPE_CHECKING

from tts_toolkit.job.plan import Kept
from tts_toolkit.job.rows import kept_row
from tts_toolkit.manifest import (
    MANIFEST,
    METADATA,
    row_at,
    with_metadata,
    write_rows,
)
from tts_toolkit.report.render import write_report

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tts_toolkit.job.folder import OutputFolder
    from tts_toolkit.job.plan import Plan, Wanted
    from tts_toolkit.manifest import Entry, ManifestRow

_REPORT = "report.html"


def finish(
    folder: OutputFolder, script: Sequence[Wanted], plan: Plan, live: Mapping[str, Entry]
) -> None:
    """Rewrite the journal as a manifest in order; where that changes it, metadata and page too.

    Args:
        folder: locked by this run.
        script: every utterance.
        plan: what the run set out to do.
        live: the manifest's entries now, by id.

    Raises:
        OSError: as the system says; the journal is then still there.
    """
    out = folder.path
    part = folder.state / f"{MANIFEST}.part"
    metadata = folder.state / f"{METADATA}.part"
    rows = with_metadata(metadata, _rows(folder, script, plan, live))
    entries = write_rows(part, rows).values()
    there = all(path.exists() for path in (folder.finished, out / METADATA, out / _REPORT))
    if there and filecmp.cmp(part, out / MANIFEST, shallow=False):
        part.unlink()
        metadata.unlink()
        return
    part.replace(out / MANIFEST)
    metadata.replace(out / METADATA)
    write_report(out, title=out.resolve().name, entries=entries)
    folder.finished.touch()


def _rows(
    folder: OutputFolder, script: Sequence[Wanted], plan: Plan, live: Mapping[str, Entry]
) -> Iterator[ManifestRow]:
    stale = [kept for kept in plan.kept if kept.wanted is None]
    with (folder.path / MANIFEST).open("rb") as file:
        for wanted in script:
            entry = live.get(wanted.utterance.id)
            if entry:
                kept = Kept(entry, wanted, entry.id, entry.file)
                yield kept_row(row_at(file, entry), kept)
        for kept in stale:
            yield kept_row(row_at(file, live[kept.id]), kept)
