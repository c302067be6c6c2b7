"""The unit of work: one line of a script."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Source:
    """Where an utterance was read.

    Attributes:
        file: the script as the user named it ("<stdin>" for standard input).
        line: its line there, from 1.
    """

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Emotion:
    """How an utterance should feel: at most one of ``audio``, ``text`` and ``vector``.

    Attributes:
        audio: path of a clip whose mood is taken.
        text: a description in words.
        vector: eight weights, each in [0, 1], at most 0.8 together; the order is IndexTTS's: happy,
            angry, sad, afraid, disgusted, melancholic, surprised, calm.
        weight: strength in [0, 1]; None is the run's.
    """

    audio: str | None = None
    text: str | None = None
    vector: tuple[float, ...] | None = None
    weight: float | None = None


@dataclass(frozen=True, slots=True)
class Utterance:
    """One line of a script. What is None is taken from the options of the run.

    Attributes:
        text: what to say.
        id: its name in the manifest, unique in a run.
        index: its place in the run, from 1.
        source: where it was read.
        voice: a name, or the path of a reference clip.
        lang: language code ("en", "zh", …) or "auto".
        seed: seed of its noise and sampling, ≥ 0.
        speed: pace; above 1 is faster.
        output: path of the audio file below the output folder, without a suffix.
        silence_after_ms: silence wanted behind it when clips are joined, in milliseconds.
        emotion: how it should feel.
        take: which take of the line this is, from 0.
    """

    text: str
    id: str = ""
    index: int = 0
    source: Source | None = None
    voice: str | None = None
    lang: str | None = None
    seed: int | None = None
    speed: float | None = None
    output: str = ""
    silence_after_ms: int | None = None
    emotion: Emotion | None = None
    take: int = 0
