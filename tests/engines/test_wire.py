import io
from dataclasses import fields

import numpy as np
import pytest

from tts_toolkit.clip import Clip
from tts_toolkit.engines import wire
from tts_toolkit.engines.base import Failed, Finished, Segment, SegmentReady
from tts_toolkit.errors import EngineError, UnspeakableError
from tts_toolkit.utterance import Emotion, Source, Utterance

SAMPLES = np.linspace(-1, 1, 100, dtype=np.float32)


def through(header, payload=b""):
    stream = io.BytesIO()
    wire.send(stream, header, payload)
    stream.seek(0)
    return wire.receive(stream)


@pytest.mark.parametrize(
    "utterance",
    [
        Utterance("Hello."),
        Utterance(
            "你好 \0 \u2028",
            id="a/b",
            index=7,
            source=Source("s.jsonl", 3),
            voice="v.wav",
            lang="zh",
            seed=2**32 - 1,
            speed=0.1,
            output="o",
            silence_after_ms=5,
            emotion=Emotion(vector=(0.1,) * 8, weight=0.3),
            take=2,
        ),
    ],
)
def test_an_utterance_arrives_as_it_was_sent(utterance):
    header, _ = through({"submit": wire.from_utterance(utterance)})
    assert wire.to_utterance(header["submit"]) == utterance


@pytest.mark.parametrize(
    "event",
    [
        SegmentReady("x", SAMPLES, Segment("text", 0.25, 1.5)),
        Finished("x", Clip(SAMPLES, 24_000), (Segment("t", 0, 1),), "spoken", 0.5, ("loud",)),
        Finished("x", Clip(SAMPLES[:0], 8000), (), "", 0.0),
        Failed("x", UnspeakableError("can't")),
        Failed("x", EngineError("broke")),
    ],
)
def test_an_event_arrives_as_it_was_sent(event):
    back = wire.to_event(*through(*wire.from_event(event)))
    assert type(back) is type(event)
    for field in fields(event):
        sent, came = getattr(event, field.name), getattr(back, field.name)
        if isinstance(sent, np.ndarray):
            assert np.array_equal(sent, came)
        elif isinstance(sent, Clip):
            assert np.array_equal(sent.samples, came.samples)
            assert sent.sampling_rate == came.sampling_rate
        elif isinstance(sent, Exception):
            assert (type(sent), str(sent)) == (type(came), str(came))
        else:
            assert sent == came


def test_a_stream_that_ends_or_is_cut_gives_none():
    stream = io.BytesIO()
    wire.send(stream, {"id": "x"}, b"12345678")
    whole = stream.getvalue()
    for cut in range(len(whole)):
        assert wire.receive(io.BytesIO(whole[:cut])) is None
    assert wire.receive(io.BytesIO(whole)) == ({"id": "x"}, b"12345678")
