"""``tts-toolkit devices``: which device would run the model, and why."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from tts_toolkit.cli.options import options

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tts_toolkit.devices.choose import DeviceChoice
    from tts_toolkit.devices.cuda import Judged


@click.command(short_help="Show the GPUs, and which one would run.")
@options("device", "dtype")
@click.option("--json", "as_json", is_flag=True, help="One line of JSON.")
def devices(*, as_json: bool, **given: Any) -> None:
    """Show the devices of this machine, which one would run IndexTTS-2.5, and why.

    Cards are numbered as CUDA does, which CUDA_VISIBLE_DEVICES and CUDA_DEVICE_ORDER change.
    Looking puts nothing on any card. A --device or --dtype that can't be had is refused as `synth`
    would, with the reason and exit code 3.
    """
    from tts_toolkit.config import resolve  # noqa: PLC0415 - with the next
    from tts_toolkit.devices.choose import choose_device  # noqa: PLC0415
    from tts_toolkit.devices.cuda import judge_cards  # noqa: PLC0415
    from tts_toolkit.devices.probe import this_machine  # noqa: PLC0415 - reads the driver
    from tts_toolkit.store.catalogue import INDEXTTS, find_model  # noqa: PLC0415
    from tts_toolkit.store.paths import config_file  # noqa: PLC0415

    wanted = resolve(given, config_file=config_file())
    machine = this_machine()
    needs = find_model(INDEXTTS).memory
    cards = judge_cards(machine, needs=needs, dtype=wanted.dtype)
    if not as_json:
        _print_table(cards, machine.cpu.name, machine.cpu.free, machine.cpu.total)
    choice = choose_device(wanted.device, machine, needs=needs, dtype=wanted.dtype)
    if as_json:
        click.echo(json.dumps(_as_json(cards, choice, needs)))
    else:
        _print_choice(choice, needs)


def _print_table(cards: Sequence[Judged], cpu: str, free: int, total: int) -> None:
    from tts_toolkit.store.size import in_bytes  # noqa: PLC0415 - with the command

    def row(device: str, name: str, memory: str, dtype: str, verdict: str) -> None:
        click.echo(f"{device:8} {name:30} {memory:22} {dtype:9} {verdict}".rstrip())

    row("device", "name", "free memory", "dtype", "")
    for one in cards:
        memory = f"{in_bytes(one.card.free)} of {in_bytes(one.card.total)}"
        row(one.device or "-", one.card.name, memory, one.dtype, one.problem)
    row("cpu", cpu, f"{in_bytes(free)} of {in_bytes(total)}", "", "")


def _print_choice(choice: DeviceChoice, needs: Mapping[str, int]) -> None:
    from tts_toolkit.store.size import in_bytes  # noqa: PLC0415 - with the command

    click.echo(f"-> {choice.reason}")
    click.echo(f"   in {choice.dtype}, which needs about {in_bytes(needs[choice.dtype])}")
    for warning in choice.warnings:
        click.echo(f"   {warning}")


def _as_json(
    cards: Sequence[Judged], choice: DeviceChoice, needs: Mapping[str, int]
) -> dict[str, Any]:
    return {
        "cards": [
            {**vars(one.card), "device": one.device, "dtype": one.dtype, "problem": one.problem}
            for one in cards
        ],
        "choice": vars(choice),
        "needs": dict(needs),
    }
