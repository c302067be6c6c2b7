# ruff: noqa: INP001 - docs/ is no package
"""Write what the pages have from the code: ``cli.md``, and the table in ``configuration.md``.

Run ``python docs/make_cli.py`` after an option or a help text has changed; a test says when.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tts_toolkit.cli import cli
from tts_toolkit.config import RULES, Options

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tts_toolkit.rule import Rule

DOCS = Path(__file__).parent
WIDTH = 88
_INTRODUCTION = """\
<!-- Made by make_cli.py from the code; change the code and run it again. -->

# Command line

What each command says of itself with `--help`. Options that may also stand in the config file or
the environment are explained in [Configuration](configuration.md), exit codes in
[Errors and exit codes](errors.md).
"""
_START = "<!-- Made by make_cli.py from the code: options -->\n"
_END = "<!-- end of options -->\n"
_DEFAULT = "  [default: "


def pages() -> dict[Path, str]:
    """The pages as they should be."""
    configuration = DOCS / "configuration.md"
    before, _, rest = configuration.read_text("utf-8").partition(_START)
    _, _, after = rest.partition(_END)
    return {
        DOCS / "cli.md": "\n".join([_INTRODUCTION, *_commands(cli, None)]),
        configuration: f"{before}{_START}\n{_options()}\n{_END}{after}",
    }


def _commands(command: click.Command, parent: click.Context | None) -> Iterator[str]:
    """A section for a command, and for each of those below it."""
    context = click.Context(
        command,
        info_name=command.name if parent else "tts-toolkit",
        parent=parent,
        terminal_width=WIDTH,
        help_option_names=cli.context_settings["help_option_names"],
    )
    yield f"## {context.command_path}\n\n```text\n{command.get_help(context)}\n```\n"
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child, "a listed command is there"
            yield from _commands(child, context)


def _options() -> str:
    rows = ["| option | values | default | what it does |", "|---|---|---|---|"]
    for name, rule in RULES.items():
        text, _, default = rule.help.partition(_DEFAULT)
        value = getattr(Options(), name)
        if not default:
            default = "" if value is None else f"`{_written(value)}`"
        rows.append(f"| `{name}` | {_values(rule)} | {default.rstrip(']')} | {text} |")
    return "\n".join([*rows, ""])


def _written(value: object) -> str:
    """A value as in the config file."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _values(rule: Rule) -> str:
    words = [f"`{word}`" for word in rule.choices]
    if rule.least is not None and rule.most is not None:
        words.insert(0, f"{rule.least:,.10g} to {rule.most:,.10g}")
    kinds = {
        "path": "a path",
        "device": "a device",
        "flag": "`true`, `false`",
        "columns": "`field=column`, …",
        "vector": "`emotion=weight`, …",
    }
    return kinds.get(rule.kind) or ", ".join(words) or "a word"


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text, "utf-8")
