"""Run a script into a folder; run it again and it finishes what the first run did not."""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from tts_toolkit.audio.formats import AudioFormat, audio_format
from tts_toolkit.config import Options, resolve
from tts_toolkit.engines.choose import Choice, choose
from tts_toolkit.engines.pool import open_session
from tts_toolkit.errors import OutputInUseError, OutputMismatchError, UsageError
from tts_toolkit.job.finish import finish
from tts_toolkit.job.folder import OutputFolder, files_present, storage_errors
from tts_toolkit.job.make import Maker
from tts_toolkit.job.moves import NEXT_MANIFEST, begin_moves
from tts_toolkit.job.plan import Plan, make_plan
from tts_toolkit.job.prepare import Prepared, Selection, prepare
from tts_toolkit.job.progress import Progress, RunReport
from tts_toolkit.job.rows import kept_row
from tts_toolkit.job.settings import SETTINGS, JobSettings, read_settings
from tts_toolkit.manifest import MANIFEST, Entry, Journal, read_entries, row_at, write_rows
from tts_toolkit.scripts.read import read_scripts
from tts_toolkit.store.paths import config_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from tts_toolkit.manifest import ManifestRow

_log = logging.getLogger(__name__)


def run_script(
    scripts: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    out: str | os.PathLike[str],
    *,
    limit: int | None = None,
    only: Sequence[str] = (),
    reroll: Sequence[str] = (),
    dry_run: bool = False,
    force: bool = False,
    prune: bool = False,
    stdin: BinaryIO | None = None,
    on_progress: Callable[[Progress], None] = lambda _: None,
    on_choice: Callable[[str], None] = lambda _: None,
    stopped: Callable[[], bool] = lambda: False,
    **options: Any,
) -> RunReport:
    """Turn scripts into a folder of audio files with a manifest and a page to listen on.

    Args:
        scripts: files, folders of scripts, or "-" for ``stdin``.
        out: the output folder; made if need be.
        limit: make only the first so many lines.
        only: make only these ids.
        reroll: give these ids another seed, now and in later runs.
        dry_run: check everything and say what would be done; load and write nothing.
        force: allow another engine, model or format than the folder was made with.
        prune: delete what the script no longer has.
        stdin: what "-" reads.
        on_progress: called after each utterance.
        on_choice: called once with the engine that was chosen and why.
        stopped: asked before each utterance; once true, what is in flight is finished and the run
            ends as interrupted.
        **options: as for ``load``, and ``format``, ``subtype``, ``takes``, ``fail_fast``, ….

    Raises:
        UsageError: if the call, a script or the folder can't be used; nothing was started.
        MissingError: if the model, a voice or the device is not here; nothing was started.
        StorageError: if a file can't be written; what is finished is kept.
    """
    chosen = resolve(options, config_file=config_file())
    if not os.fspath(out):
        raise UsageError("the output folder has no name")
    folder = OutputFolder(Path(out))
    folder.check()
    found = read_settings(folder.path)
    choice = choose(chosen, made_with=None if force or not found else found.engine)
    info = choice.spec.info
    audio = audio_format(chosen.format, chosen.subtype, chosen.sampling_rate or info.sampling_rate)
    listed = [scripts] if isinstance(scripts, str | Path) else list(scripts)  # type: ignore[arg-type]
    script = read_scripts(
        listed,
        script_format=chosen.script_format,
        columns=chosen.columns,
        stdin=stdin,
        skip=folder.path,
    )
    prepared = prepare(
        script,
        choice.spec,
        chosen,
        audio,
        folder.path,
        selection=Selection(only, limit, reroll),
        rerolls=found.rerolls if found else {},
    )
    settings = _settings(choice, chosen, audio, prepared)
    _check_folder(folder, found, settings, prepared, force=force)
    on_choice(choice.reason)
    if dry_run:
        plan, _ = _plan(folder, prepared, prune=prune)
        return _report(folder, choice, plan, prepared, dry_run=True)
    with folder.locked():
        if read_settings(folder.path) != found:
            raise OutputInUseError(
                f"{folder.path}: another run has just changed it; run this again"
            )
        plan, entries = _plan(folder, prepared, prune=prune)
        _log.info("%s: %d to make, %d to rename", folder.path, len(plan.make), plan.renamed)
        with storage_errors(folder.path):
            if plan.make or plan.moves or plan.dropped:
                folder.finished.unlink(missing_ok=True)
            if settings != found:
                folder.store(SETTINGS, settings.to_bytes())
            live = _rename(folder, plan, entries)
            with Journal(folder.path) as journal:
                maker = Maker(
                    folder,
                    journal,
                    choice.spec,
                    audio,
                    plan.replaced,
                    on_progress,
                    stopped,
                    chosen.fail_fast,
                )
                _make(maker, plan, choice, chosen)
            live |= maker.entries
            finish(folder, prepared.wanted, plan, live)
    finished = maker.made + len(maker.failures)
    return replace(
        _report(folder, choice, plan, prepared),
        made=maker.made,
        failed=len(maker.failures),
        waiting=plan.waiting + len(plan.make) - finished,
        audio_s=maker.audio_s,
        wall_s=maker.wall_s,
        interrupted=stopped() and finished < len(plan.make),
        failures=tuple(maker.failures),
    )


def _make(maker: Maker, plan: Plan, choice: Choice, options: Options) -> None:
    if not plan.make or maker.stopped():
        return
    workers = choice.spec.workers(options.workers, len(plan.make))
    engine = open_session(choice.spec, workers)
    try:
        maker.make(plan.make, engine)
    finally:
        engine.close()


def _settings(
    choice: Choice, options: Options, audio: AudioFormat, prepared: Prepared
) -> JobSettings:
    info = choice.spec.info
    defaults = ("voice", "lang", "seed", "takes", "speed")
    return JobSettings(
        engine=info.name,
        model=info.model,
        model_revision=info.model_revision,
        licence=info.licence,
        sampling_rate=audio.sampling_rate,
        format=audio.name,
        subtype=audio.subtype,
        options={name: getattr(options, name) for name in defaults},
        rerolls=prepared.rerolls,
    )


def _check_folder(
    folder: OutputFolder,
    found: JobSettings | None,
    settings: JobSettings,
    prepared: Prepared,
    *,
    force: bool,
) -> None:
    """Refuse a folder that was made otherwise, or files in it that no run has made."""
    if force:
        return
    if found:
        differences = settings.differences(found)
        if differences:
            raise OutputMismatchError(
                f"{folder.path} was made otherwise (this run: {'; '.join(differences)}); "
                "choose another folder, or --force to make its clips anew"
            )
        return
    strangers = sorted(files_present(folder.path, (one.file for one in prepared.wanted)))
    if strangers:
        raise OutputMismatchError(
            f"{folder.path} has files that no run has made and this one would overwrite "
            f"({', '.join(strangers[:3])}{', …' if len(strangers) > 3 else ''}); "  # noqa: PLR2004
            "choose another folder, or --force to overwrite them"
        )


def _plan(
    folder: OutputFolder, prepared: Prepared, *, prune: bool
) -> tuple[Plan, dict[str, Entry]]:
    with storage_errors(folder.path):
        entries = read_entries(folder.path)
        files = (entry.file for entry in entries.values() if entry.file)
        present = files_present(folder.path, files)
    return make_plan(prepared.wanted, entries, present, prune=prune), entries


def _rename(folder: OutputFolder, plan: Plan, entries: dict[str, Entry]) -> dict[str, Entry]:
    """Carry out the plan's renames and deletions; the entries of what stays, where they are now."""
    if not plan.moves and not plan.dropped:
        return {kept.id: kept.entry for kept in plan.kept}
    _log.info("renaming %d files, deleting %d", len(plan.moves), len(plan.dropped))

    def rows() -> Iterator[ManifestRow]:
        with (folder.path / MANIFEST).open("rb") as file:
            for kept in plan.kept:
                yield kept_row(row_at(file, entries[kept.entry.id]), kept)

    renamed = write_rows(folder.state / NEXT_MANIFEST, rows())
    begin_moves(folder.path, folder.state, plan.moves, plan.dropped)
    return renamed


def _report(
    folder: OutputFolder, choice: Choice, plan: Plan, prepared: Prepared, *, dry_run: bool = False
) -> RunReport:
    return RunReport(
        out=folder.path,
        engine=choice.spec.info.name,
        reason=choice.reason,
        total=len(prepared.wanted),
        made=0,
        kept=plan.reused,
        renamed=plan.renamed,
        failed=0,
        waiting=plan.waiting + (len(plan.make) if dry_run else 0),
        stale=plan.stale,
        pruned=plan.pruned,
        audio_s=0.0,
        wall_s=0.0,
        dry_run=dry_run,
        to_make=tuple(_ids(plan)) if dry_run else (),
        to_rename=tuple(plan.moves) if dry_run else (),
    )


def _ids(plan: Plan) -> Iterable[str]:
    return (one.utterance.id for one in plan.make)
