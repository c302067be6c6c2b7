"""``tts-toolkit doctor``: what is here, what is missing, and what that needs."""

from __future__ import annotations

import json
import sys

import click


@click.command(short_help="Look at this installation: what it has and lacks.")
@click.option("--network", is_flag=True, help="Also ask the hub whether it answers.")
@click.option("--json", "as_json", is_flag=True, help="One line of JSON.")
def doctor(*, network: bool, as_json: bool) -> None:
    """Look at Python, torch, driver, GPUs, models, extras, text normalisers and folders.

    Nothing is changed. A row is "ok", "missing" (something that you may not need) or "problem";
    with a problem the exit code is 3.
    """
    from tts_toolkit.doctor import diagnose  # noqa: PLC0415 - looks at everything

    checks = diagnose(network=network)
    if as_json:
        click.echo(json.dumps([vars(check) for check in checks]))
    else:
        width = max(len(check.name) for check in checks)
        for check in checks:
            click.echo(f"{check.state:8} {check.name:{width}}  {check.detail}")
            if check.need:
                click.echo(f"{'':8} {'':{width}}  -> {check.need}")
    if any(check.state == "problem" for check in checks):
        sys.exit(3)
