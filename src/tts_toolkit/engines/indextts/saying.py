"""What can be heard of an utterance so far, as events of the session."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tts_toolkit.clip import Clip
from tts_toolkit.engines.base import Failed, Finished, Segment, SegmentReady
from tts_toolkit.errors import EngineError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tts_toolkit.engines.base import Event
    from tts_toolkit.engines.indextts.work import Work


def say(work: Work, rate: int) -> list[Event]:
    """The segments that can be heard now, and the clip if these were the last.

    Args:
        work: the utterance; its pieces are handed out once.
        rate: of its samples, in Hz.
    """
    events: list[Event] = []
    for piece in work.ready_to_say():
        assert piece.wave is not None
        if len(piece.wave):
            events.append(_segment_ready(work, piece.text.text, piece.wave, rate))
    if work.finished:
        events.append(_finish(work, rate))
    return events


def _segment_ready(work: Work, text: str, wave: NDArray[np.float32], rate: int) -> SegmentReady:
    joined = work.joiner.add(wave, text)
    segment = Segment(text, joined.start / rate, joined.end / rate)
    work.parts.append(joined.samples)
    work.segments.append(segment)
    return SegmentReady(work.utterance.id, joined.samples, segment)


def _finish(work: Work, rate: int) -> Event:
    if not work.parts:
        reason = "the model stopped before it said anything; try another seed"
        return Failed(work.utterance.id, EngineError(reason))
    return Finished(
        work.utterance.id,
        Clip(np.concatenate(work.parts), rate),
        tuple(work.segments),
        " ".join(segment.text.strip() for segment in work.segments),
        work.seconds,
        tuple(work.warnings),
    )
