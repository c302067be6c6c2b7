"""``tts-toolkit completion``: what a shell needs to complete our commands."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command(short_help="Print a shell's completion script.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script for SHELL.

    \b
    bash: echo 'eval "$(tts-toolkit completion bash)"' >> ~/.bashrc
    zsh:  echo 'eval "$(tts-toolkit completion zsh)"' >> ~/.zshrc
    fish: tts-toolkit completion fish > ~/.config/fish/completions/tts-toolkit.fish
    """  # noqa: D301 - click wants the character itself
    kind = get_completion_class(shell)
    assert kind, "click knows these shells"
    script = kind(ctx.find_root().command, {}, "tts-toolkit", "_TTS_TOOLKIT_COMPLETE")
    click.echo(script.source())
