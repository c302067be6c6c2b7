"""Rows of the manifest from what an engine made of an utterance."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from tts_toolkit.manifest import ManifestRow, portable
from tts_toolkit.scripts.fields import looks_like_clip

if TYPE_CHECKING:
    from tts_toolkit.clip import Clip
    from tts_toolkit.engines.base import EngineInfo, Finished
    from tts_toolkit.errors import UtteranceError
    from tts_toolkit.job.plan import Kept, Wanted
    from tts_toolkit.utterance import Utterance


def ok_row(wanted: Wanted, event: Finished, clip: Clip, info: EngineInfo) -> ManifestRow:
    """The row of an utterance whose audio is on disk; ``clip`` is it as it was written."""
    return ManifestRow(
        **_common(wanted, info),
        status="ok",
        text_spoken=event.text_spoken,
        file=wanted.file,
        duration_s=round(clip.duration, 4),
        sampling_rate=clip.sampling_rate,
        segments=[
            {"text": one.text, "start_s": round(one.start, 4), "end_s": round(one.end, 4)}
            for one in event.segments
        ],
        peak=round(clip.peak, 4),
        warnings=list(event.warnings),
    )


def failed_row(
    wanted: Wanted, error: UtteranceError, info: EngineInfo, sampling_rate: int
) -> ManifestRow:
    """The row of an utterance that could not be made."""
    return ManifestRow(
        **_common(wanted, info),
        status="failed",
        text_spoken="",
        file=None,
        duration_s=0.0,
        sampling_rate=sampling_rate,
        segments=[],
        peak=0.0,
        error={"type": type(error).__name__, "message": str(error)},
    )


def kept_row(row: ManifestRow, kept: Kept) -> ManifestRow:
    """A row that stays, as the script has it now."""
    if kept.wanted is None:
        return replace(row, id=kept.id, index=None, file=kept.file)
    utterance = kept.wanted.utterance
    place: dict[str, Any] = {
        "index": utterance.index,
        "source": _source(utterance),
        "file": kept.file,
    }
    if row.key != kept.wanted.key:
        return replace(row, **place)
    return replace(row, id=kept.id, voice=_voice(utterance), cue=_cue(utterance), **place)


def _common(wanted: Wanted, info: EngineInfo) -> dict[str, Any]:
    utterance = wanted.utterance
    return {
        "id": utterance.id,
        "index": utterance.index,
        "source": _source(utterance),
        "text": utterance.text,
        "voice": _voice(utterance),
        "voice_sha256": wanted.voice_sha256,
        "lang": utterance.lang,
        "seed": utterance.seed,
        "speed": utterance.speed,
        "engine": info.name,
        "model": info.model,
        "model_revision": info.model_revision,
        "key": wanted.key,
        "cue": _cue(utterance),
    }


def _source(utterance: Utterance) -> dict[str, Any]:
    assert utterance.source, "a script's utterances know where they stand"
    return {"file": portable(utterance.source.file), "line": utterance.source.line}


def _voice(utterance: Utterance) -> str:
    """A voice's name; of a reference clip the file's name alone, since rows have no paths."""
    voice = str(utterance.voice)
    return PurePath(voice).name if looks_like_clip(voice) else voice


def _cue(utterance: Utterance) -> dict[str, Any]:
    silence = utterance.silence_after_ms
    return {} if silence is None else {"silence_after_ms": silence}
