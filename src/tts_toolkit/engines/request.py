"""From what a user wrote to what an engine takes: defaults filled in, and refusals."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tts_toolkit.errors import OptionError
from tts_toolkit.text.writing import language
from tts_toolkit.utterance import Emotion, Utterance

if TYPE_CHECKING:
    from tts_toolkit.config import Options
    from tts_toolkit.engines.base import EngineInfo, EngineSpec


def complete(utterance: Utterance, info: EngineInfo, options: Options) -> Utterance:
    """The utterance with all set that an engine needs: its own, the run's or the engine's.

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
        emotion=_weighted(utterance.emotion or emotion_of(options), options),
    )


def emotion_of(options: Options) -> Emotion | None:
    """The emotion of every utterance without its own.

    Raises:
        OptionError: if there is more than one.
    """
    given = {
        "--emotion-audio": options.emotion_audio,
        "--emotion-text": options.emotion_text,
        "--emotion-vector": options.emotion_vector,
    }
    named = [name for name, value in given.items() if value is not None]
    if len(named) > 1:
        raise OptionError(f"{' and '.join(named)} can't go together; keep one")
    if not named:
        return None
    audio = options.emotion_audio
    return Emotion(
        str(audio) if audio else None,
        options.emotion_text,
        options.emotion_vector,
        options.emotion_weight,
    )


def _weighted(emotion: Emotion | None, options: Options) -> Emotion | None:
    if emotion is None or emotion.weight is not None:
        return emotion
    return replace(emotion, weight=options.emotion_weight)


def check_options(options: Options, spec: EngineSpec) -> None:
    """Refuse a run's voice, language, speed or emotion that the engine can't honour.

    Raises:
        OptionError: once for the run, rather than for each of its lines.
    """
    asked = Utterance(
        "",
        voice=options.voice,
        lang=options.lang,
        speed=options.speed,
        emotion=emotion_of(options),
    )
    reason = spec.refuse(asked)
    if reason:
        raise OptionError(reason)
