"""From what a user wrote to what an engine takes: defaults filled in, and refusals."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tts_toolkit.text.writing import language

if TYPE_CHECKING:
    from tts_toolkit.config import Options
    from tts_toolkit.engines.base import EngineInfo, EngineSpec
    from tts_toolkit.utterance import Utterance


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


def refusal(utterance: Utterance, spec: EngineSpec, options: Options) -> str:
    """Why a field of an utterance, or the option behind it, can't be honoured; or "".

    The language is judged only where somebody named it: what the writing suggests is a matter of
    the text (``EngineSpec.unspeakable``).
    """
    asked = replace(
        utterance,
        voice=utterance.voice or options.voice,
        lang=utterance.lang or options.lang,
        speed=options.speed if utterance.speed is None else utterance.speed,
    )
    return spec.refuse(asked)
