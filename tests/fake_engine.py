"""An engine for tests: honours every field, and its clip is a tone that its fields decide.

A text with "boom" in it fails, one with "crash" kills its process, one with "fall" raises.
"""

from __future__ import annotations

import os
from collections import deque
from hashlib import sha256
from pathlib import Path

import numpy as np

from tts_toolkit.clip import Clip
from tts_toolkit.engines.base import EngineInfo, Failed, Finished, Segment, SegmentReady
from tts_toolkit.errors import EngineError, VoiceMissingError

RATE = 22_050
CAPACITY = 4


class Fake:
    info = EngineInfo(
        name="indextts-2.5",
        model="fake",
        model_revision="1",
        licence="none",
        dtype="float32",
        sampling_rate=RATE,
        languages=frozenset({"en", "zh"}),
        default_voice="tone",
        clones=True,
        emotes=True,
        slowest=0.5,
        fastest=2.0,
    )

    def address(self, _worker):
        return "fake_engine:FAKE"

    def workers(self, asked, utterances):
        return asked if isinstance(asked, int) else max(1, min(2, utterances // 32))

    def refuse(self, _utterance):
        return ""

    def unspeakable(self, text):
        return "" if any(map(str.isalnum, text)) else "there is nothing to pronounce"

    def voice_sha256(self, voice):
        if voice == "tone":
            return sha256(b"tone").hexdigest()
        if not Path(voice).exists():
            raise VoiceMissingError(f"{voice} does not exist")
        return sha256(Path(voice).read_bytes()).hexdigest()

    def load(self):
        return FakeSession(self.info)


class FakeSession:
    """Several utterances at a time, and the last one in is the first one out."""

    def __init__(self, info):
        self.info = info
        self.taken = deque()

    def has_room(self):
        return len(self.taken) < CAPACITY

    def submit(self, utterance):
        assert self.has_room()
        self.taken.append(utterance)

    def step(self):
        if not self.taken:
            return []
        utterance = self.taken.pop()
        if "crash" in utterance.text:
            os._exit(7)
        if "fall" in utterance.text:
            raise RuntimeError("the tone fell")
        if "boom" in utterance.text:
            return [Failed(utterance.id, EngineError("the tone broke"))]
        tone = clip_of(utterance)
        segment = Segment(utterance.text, 0.0, tone.duration)
        return [
            SegmentReady(utterance.id, tone.samples, segment),
            Finished(utterance.id, tone, (segment,), utterance.text.upper(), 0.001),
        ]

    def cancel(self, utterance_id):
        self.taken = deque(one for one in self.taken if one.id != utterance_id)

    def close(self):
        self.taken.clear()


def clip_of(utterance):
    """What the session makes of an utterance."""
    fields = (utterance.text, utterance.voice, utterance.seed, utterance.speed, utterance.emotion)
    pitch = 100 + int(sha256(repr(fields).encode()).hexdigest()[:4], 16) % 900
    time = np.arange(RATE // 20) / RATE
    return Clip((0.3 * np.sin(2 * np.pi * pitch * time)).astype(np.float32), RATE)


FAKE = Fake()
