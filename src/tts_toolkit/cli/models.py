"""``tts-toolkit models``: bring models here, check them, remove them."""

from __future__ import annotations

import json
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tts_toolkit.cli.group import SuggestingGroup
from tts_toolkit.cli.options import options
from tts_toolkit.cli.transfer import TransferDisplay
from tts_toolkit.errors import ModelMissingError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from tts_toolkit.config import Options
    from tts_toolkit.store.catalogue import Model

    _Command = TypeVar("_Command", bound=Callable[..., Any])


@click.group(cls=SuggestingGroup, short_help="Download, check and remove models.")
def models() -> None:
    """Download, check and remove models.

    They stay in the cache folder (`tts-toolkit doctor` shows it), or where TTS_TOOLKIT_HOME says.

    \b
    tts-toolkit models download indextts-2.5
    tts-toolkit models verify indextts-2.5
    """  # noqa: D301 - click wants the character itself


def _model_argument(command: _Command) -> _Command:
    return click.argument("name", shell_complete=_complete)(command)


def _folder_option(command: _Command) -> _Command:
    return click.option(
        "--dir",
        "folder",
        type=click.Path(path_type=Path, file_okay=False),
        help="The model's folder.  [default: its own in the cache folder]",
    )(command)


def _complete(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    from tts_toolkit.store.catalogue import catalogue  # noqa: PLC0415 - only for completion

    return [name for name in catalogue() if name.startswith(incomplete)]


@models.command("list")
@click.option("--json", "as_json", is_flag=True, help="One line of JSON.")
def list_(*, as_json: bool) -> None:
    """List the models: installed, partial or not here; size; licence; folder."""
    from tts_toolkit.store.models import models as all_models  # noqa: PLC0415 - with the next
    from tts_toolkit.store.size import in_bytes  # noqa: PLC0415

    states = all_models()
    if as_json:
        rows = [
            {
                "name": one.model.name,
                "title": one.model.title,
                "state": one.state,
                "size": one.model.size,
                "bytes_here": one.bytes_here,
                "licence": one.model.licence,
                "folder": str(one.folder),
                "missing": [file.path for file in one.missing],
            }
            for one in states
        ]
        click.echo(json.dumps(rows))
        return
    for one in states:
        here = f" {in_bytes(one.bytes_here)} of" if one.state == "partial" else ""
        click.echo(
            f"{one.model.name:22} {one.state + here:20} {in_bytes(one.model.size):>8}  "
            f"{one.model.licence}  {one.folder}"
        )


@models.command()
@_model_argument
@_folder_option
@options("source", "accept_license", "offline", "progress")
@click.option("--force", is_flag=True, help="Replace files that are here and not as published.")
def download(name: str, folder: Path | None, *, force: bool, **given: Any) -> None:
    """Download the model NAME, exactly as published.

    A run that was killed is gone on with by the same command. Mirrors and tokens are as for
    huggingface_hub: HF_ENDPOINT, HF_TOKEN. Files that are here and right are kept.

    \b
    tts-toolkit models download indextts-2.5
    tts-toolkit models download indextts-2.5 --dir /models/indextts-2.5 --accept-license
    """  # noqa: D301 - click wants the character itself
    from tts_toolkit.store.download import download_model  # noqa: PLC0415 - with the next

    chosen = _resolve(given)
    with closing(TransferDisplay(chosen.progress)) as show:
        where = download_model(
            name,
            folder,
            source=chosen.source,
            offline=chosen.offline,
            accept_license=chosen.accept_license,
            force=force,
            on_progress=show,
            on_note=show.note,
            on_license=lambda model: _ask(model, show.close),
        )
    click.echo(where)


@models.command()
@_model_argument
@_folder_option
@options("progress")
def verify(name: str, folder: Path | None, **given: Any) -> None:
    """Read every file of the model NAME and compare it with the published sha256."""
    from tts_toolkit.store.verify import verify_model  # noqa: PLC0415 - with the command

    with closing(TransferDisplay(_resolve(given).progress)) as show:
        found = verify_model(name, folder, on_progress=show)
    for word in ("right", "wrong", "missing"):
        for file in getattr(found, word):
            click.echo(f"{word:8} {file.path}")
    if not found.ok:
        raise ModelMissingError(found.problem)


@models.command()
@_model_argument
@_folder_option
def path(name: str, folder: Path | None) -> None:
    """Print the folder of the model NAME, if all of its files are there."""
    from tts_toolkit.store.models import require_model  # noqa: PLC0415 - with the command

    click.echo(require_model(name, folder))


@models.command()
@_model_argument
@_folder_option
@click.option("-y", "--yes", is_flag=True, help="Don't ask.")
def remove(name: str, folder: Path | None, *, yes: bool) -> None:
    """Delete the files of the model NAME, finished or not, and no other."""
    from tts_toolkit.store.catalogue import find_model  # noqa: PLC0415 - with the next
    from tts_toolkit.store.models import remove_model, state_of  # noqa: PLC0415
    from tts_toolkit.store.size import in_bytes  # noqa: PLC0415

    found = state_of(find_model(name), folder)
    if found.bytes_here and not yes:
        what = f"{in_bytes(found.bytes_here)} in {found.folder}"
        if not sys.stdin.isatty():
            raise UsageError(f"{name}: {what} would be deleted; say --yes")
        click.confirm(f"Delete {what}?", abort=True, err=True)
    click.echo(f"{found.folder}: {in_bytes(remove_model(name, folder))} deleted")


def _resolve(given: dict[str, Any]) -> Options:
    from tts_toolkit.config import resolve  # noqa: PLC0415 - with the next
    from tts_toolkit.store.paths import config_file  # noqa: PLC0415

    return resolve(given, config_file=config_file())


def _ask(model: Model, before: Callable[[], None]) -> bool:
    """Show the licence in short, and ask where somebody can answer."""
    if not sys.stdin.isatty():
        return False
    before()
    click.echo(model.notice, err=True)
    return click.confirm("Do you accept it?", err=True)
