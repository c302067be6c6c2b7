"""The embedded voice: hibari-tts, English, inside its wheel.

Its arithmetic is int8 in onnxruntime on one CPU thread, and the same for the same text, voice,
speed and seed: the clips equal ``hibari.Hibari(voice)(text, speed, seed)`` sample for sample.
"""

from __future__ import annotations

import re
import time
from collections import deque
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from tts_toolkit.clip import Clip
from tts_toolkit.devices.host import usable_cpus
from tts_toolkit.engines.base import EngineInfo, Event, Failed, Finished, Segment, SegmentReady
from tts_toolkit.errors import UnspeakableError, VoiceMissingError
from tts_toolkit.rule import hint
from tts_toolkit.scripts.fields import looks_like_clip
from tts_toolkit.store.voices import installed_path, registry
from tts_toolkit.text.writing import has_content, writing_systems

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tts_toolkit.utterance import Utterance

# Of who gives none; IndexTTS speaks like a clip of it.
DEFAULT_VOICE = "heart"

# hibari reads a few Greek letters by name, as in "5 µm"; a Greek word it would only guess at.
_GREEK_WORD = re.compile(r"[\u0370-\u03ff\u1f00-\u1fff]{2,}")

# ``auto`` starts a further process for this many utterances: less is not worth its start.
_WORTH_A_PROCESS = 32
# ``auto`` goes no further: a process of the builtin voice holds about 200 MB.
_MOST_WORKERS = 8
# Characters of a text in a message.
_QUOTED = 80


class Builtin:
    """The embedded voice, not loaded."""

    def address(self, worker: int) -> str:  # noqa: ARG002 - all are alike
        """Where a child process finds it."""
        return f"{__name__}:BUILTIN"

    def workers(self, asked: int | str, utterances: int) -> int:
        """How many processes speak; for "auto" what work and machine bear."""
        if isinstance(asked, int):
            return asked
        return max(1, min(usable_cpus(), _MOST_WORKERS, utterances // _WORTH_A_PROCESS))

    @cached_property
    def info(self) -> EngineInfo:
        """What it is; the speed range is hibari's own."""
        return EngineInfo(
            name="builtin",
            model="hibari-tts",
            model_revision=version("hibari-tts"),
            licence="Apache-2.0",
            dtype="int8",
            sampling_rate=24_000,
            languages=frozenset({"en"}),
            default_voice=DEFAULT_VOICE,
            clones=False,
            emotes=False,
            slowest=0.5,
            fastest=2.0,
        )

    def refuse(self, utterance: Utterance) -> str:
        """Why a field of the utterance can't be honoured, or ""."""
        if utterance.emotion:
            return "the builtin voice has no emotions: leave them out, or use IndexTTS"
        if utterance.lang not in {None, "auto", "en"}:
            return f"the builtin voice speaks English only, not {utterance.lang!r}"
        voice = utterance.voice
        if voice is not None and looks_like_clip(voice):
            return f"the builtin voice can't clone a clip ({voice}): that needs IndexTTS"
        if voice is not None and voice not in registry():
            known = registry()
            near = hint(voice, known)
            return f"the builtin engine has no voice {voice!r}{near} (it has {', '.join(known)})"
        speed = utterance.speed
        if speed is not None and not self.info.slowest <= speed <= self.info.fastest:
            return f"the builtin voice's speed goes from 0.5 to 2, not to {speed:g}"
        return ""

    def unspeakable(self, text: str) -> str:
        """Why the text can't be said, or "".

        Judged by writing system: hibari drops Han in silence and spells Cyrillic as noise.
        """
        foreign = [system for system in writing_systems(text) if system not in {"Latin", "Greek"}]
        if _GREEK_WORD.search(text):
            foreign.append("Greek")
        if foreign:
            return f"the builtin voice speaks English and can't read {' and '.join(foreign)} script"
        if not has_content(text):
            return f"there is nothing to pronounce in {_start(text)!r}"
        return ""

    def voice_sha256(self, voice: str) -> str:
        """The digest of the voice's model in hibari's registry."""
        if installed_path(voice) is None:
            raise VoiceMissingError(
                f"the voice {voice!r} is not on this machine; get it with: "
                f"tts-toolkit voices download {voice}"
            )
        return str(registry()[voice]["sha256"])

    def load(self) -> BuiltinSession:
        """A session in this process; each voice is loaded when it is first used."""
        return BuiltinSession(self.info)


@dataclass
class _Job:
    """An utterance on its way: its segments' texts, and what has been said of them."""

    utterance: Utterance
    texts: deque[str]
    rng: np.random.Generator
    spoken: list[str] = field(default_factory=list)
    parts: list[NDArray[np.float32]] = field(default_factory=list)
    segments: list[Segment] = field(default_factory=list)
    seconds: float = 0.0


class BuiltinSession:
    """hibari behind the ``Engine`` protocol: one sentence a step, one utterance at a time."""

    def __init__(self, info: EngineInfo) -> None:
        self._info = info
        self._models: dict[str, Any] = {}
        self._readers: dict[bool, Any] = {}
        self._job: _Job | None = None

    @property
    def info(self) -> EngineInfo:
        """What it is."""
        return self._info

    def has_room(self) -> bool:
        """Whether it is idle."""
        return self._job is None

    def submit(self, utterance: Utterance) -> None:
        """Take an utterance; its seed feeds one generator for all of its sentences."""
        assert self._job is None, "submit without room"
        import numpy as np  # noqa: PLC0415 - loaded with the first utterance

        texts = self._model(utterance).split_sentences(utterance.text)
        self._job = _Job(utterance, deque(texts), np.random.default_rng(utterance.seed))

    def step(self) -> list[Event]:
        """Say the next sentence."""
        job = self._job
        if job is None:
            return []
        events: list[Event] = []
        if job.texts:
            started = time.perf_counter()
            text = job.texts.popleft()
            try:
                events += self._say(job, text)
            # Its reader takes the number of a footnote for a number, and has no word for 10^36.
            except (ValueError, LookupError, ArithmeticError) as error:
                self._job = None
                reason = (
                    f"the builtin voice can't read {_start(text)!r} ({error}); write it otherwise"
                )
                return [Failed(job.utterance.id, UnspeakableError(reason))]
            job.seconds += time.perf_counter() - started
        if not job.texts:
            self._job = None
            events.append(self._finish(job))
        return events

    def cancel(self, utterance_id: str) -> None:
        """Forget the utterance if it is the one being said."""
        if self._job and self._job.utterance.id == utterance_id:
            self._job = None

    def close(self) -> None:
        """Let go of the models."""
        self._job = None
        self._models.clear()
        self._readers.clear()

    def _model(self, utterance: Utterance) -> Any:
        voice = utterance.voice or self._info.default_voice
        if voice not in self._models:
            from hibari import Hibari  # noqa: PLC0415 - brings onnxruntime

            british = bool(registry()[voice]["british"])
            # A path, so that hibari never looks for it on the network.
            path = str(installed_path(voice))
            model = Hibari(voice=voice, model=path, g2p=self._readers.get(british))
            # The reader (lexicon and tagger) is most of a voice's memory: one an accent.
            self._readers[british] = model.g2p
            self._models[voice] = model
        return self._models[voice]

    def _say(self, job: _Job, text: str) -> list[Event]:
        import numpy as np  # noqa: PLC0415
        from hibari.g2p.normalize import normalize  # noqa: PLC0415 - loaded with the model

        model = self._model(job.utterance)
        job.spoken.append(normalize(text))
        parts = [
            model.from_ids(model.ids(phonemes), job.utterance.speed or 1.0, job.rng)
            for phonemes in model.phonemize(text)
        ]
        samples = np.concatenate(parts) if parts else np.zeros(0, np.float32)
        if not len(samples):
            return []
        rate = self._info.sampling_rate
        start = sum(map(len, job.parts))
        segment = Segment(text, start / rate, (start + len(samples)) / rate)
        job.parts.append(samples)
        job.segments.append(segment)
        return [SegmentReady(job.utterance.id, samples.clip(-1.0, 1.0), segment)]

    def _finish(self, job: _Job) -> Event:
        import numpy as np  # noqa: PLC0415

        utterance = job.utterance
        if not job.parts:
            reason = f"there is nothing to pronounce in {_start(utterance.text)!r}"
            return Failed(utterance.id, UnspeakableError(reason))
        samples = np.concatenate(job.parts)
        peak = float(np.abs(samples).max())
        warnings = (f"clipped: the peak was {peak:.2f}",) if peak > 1.0 else ()
        return Finished(
            utterance.id,
            Clip(samples.clip(-1.0, 1.0), self._info.sampling_rate),
            tuple(job.segments),
            " ".join(job.spoken),
            job.seconds,
            warnings,
        )


def _start(text: str) -> str:
    """As much of a text as a message has use for."""
    return text if len(text) <= _QUOTED else f"{text[:_QUOTED]}…"


BUILTIN = Builtin()
