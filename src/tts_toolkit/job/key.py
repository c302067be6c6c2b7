"""The resume key: equal keys mean equal audio."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tts_toolkit.audio.formats import AudioFormat
    from tts_toolkit.engines.base import EngineInfo
    from tts_toolkit.utterance import Utterance

# 128 bits: no two of 10^15 lines share one by chance.
_DIGITS = 32


def resume_key(
    utterance: Utterance,
    voice_sha256: str,
    info: EngineInfo,
    audio: AudioFormat,
    *,
    mood_sha256: str | None = None,
) -> str:
    """The key of a complete utterance's audio file, as hex digits.

    In it is what the audio depends on; not in it are id, place in the script, batch size, workers
    and device. A clip counts by its content and not by where it is.

    Args:
        utterance: with everything filled in.
        voice_sha256: of its voice.
        info: of the engine.
        audio: the format of its file.
        mood_sha256: of the clip that gives its emotion, if one does.
    """
    emotion = asdict(utterance.emotion) if utterance.emotion else None
    if emotion and mood_sha256:
        emotion["audio"] = mood_sha256
    parts = (
        utterance.text,
        voice_sha256,
        utterance.lang,
        utterance.seed,
        utterance.speed,
        emotion,
        info.name,
        info.model,
        info.model_revision,
        info.dtype,
        audio.name,
        audio.subtype,
        audio.sampling_rate,
        *([info.knobs] if info.knobs else []),
    )
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:_DIGITS]
