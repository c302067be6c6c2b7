"""Groups of commands that suggest the nearest one."""

from __future__ import annotations

import click

from tts_toolkit.rule import hint


class SuggestingGroup(click.Group):
    """A group that answers a mistyped command with the one that was probably meant."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with a suggestion in the error."""
        name = args[0] if args else ""
        if name and not name.startswith("-") and self.get_command(ctx, name) is None:
            commands = self.list_commands(ctx)
            ctx.fail(f"No such command {name!r}{hint(name, commands)} ({', '.join(commands)})")
        return super().resolve_command(ctx, args)
