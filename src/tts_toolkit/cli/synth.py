"""``tts-toolkit synth``: scripts into a folder of speech."""

from __future__ import annotations

import gc
import json
import logging
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

import click

from tts_toolkit.cli.interrupt import stop_on_interrupt
from tts_toolkit.cli.options import INDEXTTS_OPTIONS, SPEECH_OPTIONS, options
from tts_toolkit.cli.progress import display

if TYPE_CHECKING:
    from tts_toolkit.job.progress import RunReport


def _folder(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    """An output folder; an empty name, as of an unset variable, would be the current one."""
    if not value:
        raise click.BadParameter("the name is empty; for the current folder say -o .")
    return value


@click.command(short_help="Turn scripts into a folder of speech.")
@click.argument("scripts", metavar="SCRIPT...", nargs=-1, required=True)
@click.option("-o", "--out", required=True, callback=_folder, help="Output folder.")
@options(
    *SPEECH_OPTIONS,
    "takes", "workers", "batch_size", "format", "subtype", "sampling_rate", "script_format",
    "columns",
    *INDEXTTS_OPTIONS,
)  # fmt: skip
@click.option(
    "--limit", type=click.IntRange(min=1), help="Make only the first N lines.", metavar="N"
)
@click.option("--only", multiple=True, metavar="ID", help="Make only this id (may be repeated).")
@click.option(
    "--reroll",
    multiple=True,
    metavar="ID",
    help="Give this id another seed, for good (may be repeated).",
)
@click.option(
    "--dry-run", is_flag=True, help="Check everything, load nothing, say what would be done."
)
@click.option("--force", is_flag=True, help="Allow another engine, model or format for the folder.")
@click.option("--prune", is_flag=True, help="Delete the clips that the script no longer has.")
@options("fail_fast", "offline")
@click.option(
    "--json", "as_json", is_flag=True, help="End stdout with the summary as one line of JSON."
)
@options("progress")
@click.option("-q", "--quiet", is_flag=True, help="Print failures only.")
@click.option("-v", "--verbose", is_flag=True, help="Print what the library logs.")
def synth(
    scripts: tuple[str, ...],
    out: str,
    *,
    as_json: bool,
    quiet: bool,
    verbose: bool,
    **given: Any,
) -> None:
    """Turn scripts into a folder of audio files, with a manifest and a page to listen on.

    SCRIPT is a .txt file (one utterance a line), .jsonl, .csv or .tsv, a folder of these, or - for
    standard input. A second run with the same command finishes what the first did not, and after
    an edit makes only what has changed.

    \b
    tts-toolkit synth script.txt -o out/
    tts-toolkit synth lines.csv -o out/ --columns text=Line,id=Key --format flac

    Exit codes: 0 all done; 1 some utterances failed (the rest are written); 2 bad usage, nothing
    was started; 3 model, voice or device missing; 4 storage or network failed; 130 interrupted.
    """  # noqa: D301 - click wants the character itself
    from tts_toolkit.config import resolve  # noqa: PLC0415 - with the next
    from tts_toolkit.job.run import run_script  # noqa: PLC0415 - heavy
    from tts_toolkit.store.paths import config_file  # noqa: PLC0415

    # What a run holds it holds to its end; the collector would walk through it again and again.
    gc.set_threshold(100_000, 50, 100)
    if verbose:
        logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    kind = resolve({"progress": given["progress"]}, config_file=config_file()).progress
    if quiet and kind == "auto":
        kind = "none"
    with closing(display(kind)) as show, stop_on_interrupt() as stopped:
        report = run_script(
            scripts,
            out,
            stdin=sys.stdin.buffer,
            on_progress=show,
            on_choice=lambda reason: None if quiet else click.echo(reason, err=True),
            stopped=stopped,
            **given,
        )
    if report.dry_run:
        _print_plan(report)
    if not quiet:
        click.echo(_summary(report))
    if as_json:
        click.echo(json.dumps(report.to_dict()))
    sys.exit(report.exit_code)


def _print_plan(report: RunReport) -> None:
    for old, new in report.to_rename:
        click.echo(f"rename {old} -> {new}")
    for utterance_id in report.to_make:
        click.echo(f"make {utterance_id}")


def _summary(report: RunReport) -> str:
    if report.dry_run:
        counts = {
            "to make": len(report.to_make),
            "kept": report.kept,
            "to rename": report.renamed,
            "to prune": report.pruned,
            "no longer in the script": report.stale,
        }
        listed = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
        return f"{report.out}: {listed or 'nothing to do'} (dry run)"
    counts = {
        "made": report.made,
        "kept": report.kept,
        "renamed": report.renamed,
        "failed": report.failed,
        "not made": report.waiting,
        "pruned": report.pruned,
        "no longer in the script": report.stale,
    }
    listed = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    speed = f", {report.audio_s:.1f} s of audio at {report.x_realtime:.1f} x realtime" * bool(
        report.made
    )
    page = report.out / "report.html"
    ending = "; interrupted: the same command goes on" if report.interrupted else ""
    return f"{listed}{speed}{ending}; listen: {page}"
