"""From what a user wrote to what an engine takes: defaults filled in, and refusals."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tts_toolkit.errors import OptionError
from tts_toolkit.text.writing import language
from tts_toolkit.utterance import Utterance

if TYPE_CHECKING:
    from tts_toolkit.config import Options
    from tts_toolkit.engines.base import EngineInfo, EngineSpec


def complete(utterance: Utterance, info: EngineInfo, options: Options) -> Utterance:
    """The utterance with voice, lang, seed and speed set: its own, the run's or the engine's.

    Take k gets the seed plus k, wherever the seed came from. "auto" as language becomes what the
    writing suggests.
    """
    lang = utterance.lang or options.lang
    seed = options.seed if utterance.seed is None else utterance.seed
    return replace(
        utterance,
        voice=utterance.voice or options.voice or info.default_voice,
        lang=language(utterance.text) if lang == "auto" else lang,
        seed=seed + utterance.take,
        speed=options.speed if utterance.speed is None else utterance.speed,
    )


def check_options(options: Options, spec: EngineSpec) -> None:
    """Refuse a run's voice, language or speed that the engine can't honour.

    Raises:
        OptionError: once for the run, rather than for each of its lines.
    """
    asked = Utterance("", voice=options.voice, lang=options.lang, speed=options.speed)
    reason = spec.refuse(asked)
    if reason:
        raise OptionError(reason)
