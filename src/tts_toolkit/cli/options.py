"""Command-line options made from the one table of options in ``config``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import click

from tts_toolkit.config import RULES, Options
from tts_toolkit.errors import OptionError
from tts_toolkit.rule import Rule, check

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.shell_completion import CompletionItem

# What every command that speaks takes.
SPEECH_OPTIONS = ("model", "model_dir", "voice", "lang", "device", "dtype", "seed", "speed")
# What only IndexTTS has, in the order of its help.
INDEXTTS_OPTIONS = (
    *("emotion_audio", "emotion_text", "emotion_vector", "emotion_weight"),
    *("quality", "diffusion_steps", "cfg_rate"),
    *("temperature", "top_k", "top_p", "repetition_penalty"),
    *("max_codes", "segment_tokens", "glossary", "raw", "no_normalize"),
    *("deterministic", "cuda_graphs"),
)

_METAVARS = {"int": "integer", "columns": "field=column,…", "vector": "emotion=weight,…"}

_Command = TypeVar("_Command", bound="Callable[..., Any]")


class RuleType(click.ParamType[Any]):
    """A value as its rule in ``config`` wants it, so that a flag and a config file agree."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.name = _METAVARS.get(rule.kind, rule.kind)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The checked value; a bad one is a usage error that names the flag."""
        try:
            return check(value, self.rule)
        except OptionError as error:
            self.fail(str(error), param, ctx)

    def get_metavar(
        self,
        param: click.Parameter,  # noqa: ARG002 - click's signature
        ctx: click.Context,  # noqa: ARG002 - click's signature
    ) -> str | None:
        """The choices, where there are some."""
        if not self.rule.choices:
            return None
        words = list(self.rule.choices)
        if self.rule.kind == "int":
            words.insert(0, "N")
        return f"[{'|'.join(words)}]"

    def shell_complete(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        param: click.Parameter,  # noqa: ARG002 - click's signature
        incomplete: str,
    ) -> list[CompletionItem]:
        """The choices that begin as typed."""
        from click.shell_completion import CompletionItem  # noqa: PLC0415 - only for completion

        return [CompletionItem(word) for word in self.rule.choices if word.startswith(incomplete)]


def options(*names: str) -> Callable[[_Command], _Command]:
    """A decorator that gives a command the options called ``names``, in that order.

    An option that is not on the command line arrives as None: what it is then, ``resolve`` says.
    """

    def decorate(command: _Command) -> _Command:
        for name in reversed(names):
            command = _option(name)(command)
        return command

    return decorate


def _option(name: str) -> Callable[[_Command], _Command]:
    rule = RULES[name]
    flag = f"--{name.replace('_', '-')}"
    default = getattr(Options(), name)
    text = rule.help
    if default is not None and default is not False:
        text += f"  [default: {default}]"
    if rule.kind == "flag":
        return click.option(flag, is_flag=True, default=None, help=text)
    return click.option(flag, type=RuleType(rule), default=None, help=text)
