"""What every engine is: a description that can be asked for free, and a session that speaks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tts_toolkit.clip import Clip
    from tts_toolkit.errors import UtteranceError
    from tts_toolkit.utterance import Utterance


@dataclass(frozen=True)
class EngineInfo:
    """What an engine is and can do, known without loading it.

    Attributes:
        name: as in ``--model``.
        model: name of its weights.
        model_revision: what pins them: a package version, or a repository's commit.
        licence: of the weights and so of what they say.
        dtype: number format of its arithmetic; part of the resume key.
        sampling_rate: of its clips, in Hz.
        languages: codes of what it speaks.
        default_voice: the voice of an utterance without one.
        clones: whether a reference clip can be a voice.
        emotes: whether it honours an emotion.
        slowest: smallest speed.
        fastest: largest speed.
        knobs: what else its audio depends on, as one string; part of the resume key.
    """

    name: str
    model: str
    model_revision: str
    licence: str
    dtype: str
    sampling_rate: int
    languages: frozenset[str]
    default_voice: str
    clones: bool
    emotes: bool
    slowest: float
    fastest: float
    knobs: str = ""


@dataclass(frozen=True)
class Segment:
    """A piece of an utterance's clip.

    Attributes:
        text: what it says.
        start: where it starts in the clip, in seconds.
        end: where it ends, in seconds.
    """

    text: str
    start: float
    end: float


@dataclass(frozen=True, eq=False)
class SegmentReady:
    """A segment can be heard, before its utterance is finished.

    Attributes:
        id: the utterance.
        samples: shape (T,), float32, in [-1, 1], at the engine's rate.
        segment: its text and place.
    """

    id: str
    samples: NDArray[np.float32]
    segment: Segment


@dataclass(frozen=True, eq=False)
class Finished:
    """An utterance is done.

    Attributes:
        id: the utterance.
        clip: all of it.
        segments: its pieces, in order.
        text_spoken: the text as the engine read it, with times, dates and units written out.
        seconds: computing time that it took, in wall seconds.
        warnings: what the listener should know.
    """

    id: str
    clip: Clip
    segments: tuple[Segment, ...]
    text_spoken: str
    seconds: float
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Failed:
    """One utterance could not be made; the others are not touched."""

    id: str
    error: UtteranceError


Event = SegmentReady | Finished | Failed


class Engine(Protocol):
    """A session: utterances go in while there is room, events come out in any order.

    It prints nothing and knows no output folder. One thread drives it.
    """

    @property
    def info(self) -> EngineInfo:
        """What it is."""

    def has_room(self) -> bool:
        """Whether ``submit`` would be taken now."""

    def submit(self, utterance: Utterance) -> None:
        """Take an utterance whose voice, lang, seed and speed are all set. Its id is its handle."""

    def step(self) -> list[Event]:
        """Work for a moment and tell what came of it. Never waits for another ``submit``."""

    def cancel(self, utterance_id: str) -> None:
        """Forget an utterance: no event of it comes any more."""

    def close(self) -> None:
        """Give back what the session holds; it can't be used again."""


class EngineSpec(Protocol):
    """An engine that is not loaded: what it is, what it refuses, and how to load it."""

    def address(self, worker: int) -> str:
        """Where the child process number ``worker`` finds it: ``module:attribute``.

        ``module:function?text`` is what the function makes of the text.
        """

    def workers(self, asked: int | str, utterances: int) -> int:
        """How many processes speak: what was asked; for "auto" what suits."""

    @property
    def info(self) -> EngineInfo:
        """What it is."""

    def refuse(self, utterance: Utterance) -> str:
        """Why a field of the utterance can't be honoured (and what to do), or ""."""

    def unspeakable(self, text: str) -> str:
        """Why the text can't be said, judged without the model, or ""."""

    def voice_sha256(self, voice: str) -> str:
        """The content of a voice, as a hex digest.

        Raises:
            VoiceMissingError: if its data is not on this machine.
        """

    def load(self) -> Engine:
        """A session in this process."""
