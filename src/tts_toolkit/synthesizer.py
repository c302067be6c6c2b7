"""The library's front door: a loaded engine that says lines and hands back clips."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field, fields, replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tts_toolkit.audio.formats import SUFFIXES, audio_format
from tts_toolkit.audio.resample import resample
from tts_toolkit.audio.tags import tags
from tts_toolkit.audio.write import encode, save
from tts_toolkit.clip import Clip
from tts_toolkit.config import RULES, Options, resolve
from tts_toolkit.engines.base import Failed, Finished, SegmentReady
from tts_toolkit.engines.choose import choose
from tts_toolkit.engines.drive import drive
from tts_toolkit.engines.pool import open_session
from tts_toolkit.engines.request import check_options, complete
from tts_toolkit.errors import OptionError, UnspeakableError, UtteranceError
from tts_toolkit.rule import check, hint, unknown
from tts_toolkit.store.paths import config_file
from tts_toolkit.utterance import Utterance

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Mapping
    from types import TracebackType

    from typing_extensions import Self

    from tts_toolkit.engines.base import Engine, EngineInfo, EngineSpec, Event, Segment

# How far a result may run ahead of the oldest unfinished line: enough for a batch to stay full.
WINDOW = 64


@dataclass(frozen=True, eq=False)
class SpokenClip(Clip):
    """A clip that an engine made; a notebook shows it as a player.

    Attributes:
        samples: shape (T,), float32, in [-1, 1].
        sampling_rate: in Hz.
        info: the engine that made it.
    """

    info: EngineInfo

    def save(self, path: str | os.PathLike[str], *, subtype: str | None = None) -> Path:
        """Write the clip; the suffix says the format (.wav, .flac, .ogg, .opus or .mp3).

        The file is tagged as AI-generated speech, and appears whole or not at all.

        Raises:
            OptionError: if the format is unknown or can't have this rate or sample format.
            StorageError: if the file can't be written.
        """
        target = Path(path)
        data = self.encoded(format_of(target), subtype=subtype)
        save(target, data)
        return target

    def encoded(self, name: str = "wav", *, subtype: str | None = None) -> bytes:
        """The bytes of an audio file in the format called ``name``, tagged."""
        written = audio_format(name, subtype, self.sampling_rate)
        info = self.info
        return encode(self.samples, written, tags(info.name, info.model, info.model_revision))

    def _repr_html_(self) -> str:
        data = b64encode(self.encoded()).decode()
        return f'<audio controls src="data:audio/wav;base64,{data}"></audio>'


@dataclass(frozen=True, eq=False)
class Outcome:
    """What became of one line.

    Attributes:
        utterance: the line, with everything that was filled in.
        segments: the pieces of the clip, in order, in seconds.
        text_spoken: the text as the engine read it.
        seconds: computing time, in wall seconds.
        warnings: what the listener should know.
        error: why there is no clip, or None.
    """

    utterance: Utterance
    segments: tuple[Segment, ...] = ()
    text_spoken: str = ""
    seconds: float = 0.0
    warnings: tuple[str, ...] = ()
    error: UtteranceError | None = None
    _clip: SpokenClip | None = field(default=None, repr=False)

    @property
    def ok(self) -> bool:
        """Whether there is a clip."""
        return self._clip is not None

    @property
    def clip(self) -> SpokenClip:
        """The clip.

        Raises:
            UtteranceError: the line's error, if it failed.
        """
        if self.error:
            raise self.error
        assert self._clip is not None, "an outcome has a clip or an error"
        return self._clip


class Synthesizer:
    """A loaded engine. One thread at a time; close it, or use it in a ``with`` block.

    Args:
        spec: the engine.
        options: of every line that does not say otherwise.
        reason: why this engine was taken, in one line.
    """

    def __init__(self, spec: EngineSpec, options: Options, reason: str = "") -> None:
        self.options = options
        self.reason = reason
        self._spec = spec
        # How many lines will come is not known, so "auto" counts on few.
        workers = spec.workers(options.workers, 1)
        self._engine: Engine = open_session(spec, workers)
        self._handles = count()

    @property
    def info(self) -> EngineInfo:
        """What the engine is and can do."""
        return self._spec.info

    def say(self, text: str, **fields: Any) -> SpokenClip:
        """One line as a clip.

        Args:
            text: what to say.
            **fields: ``voice``, ``lang``, ``seed`` and ``speed`` for this line.

        Raises:
            OptionError: if a field is unknown or can't be honoured.
            MissingError: if the voice is not on this machine.
            UtteranceError: if the line can't be said.
        """
        [outcome] = self.synthesize([{"text": text, **fields}])
        return outcome.clip

    def stream(self, text: str, **fields: Any) -> Iterator[SpokenClip]:
        """One line, segment by segment, each as soon as it is ready.

        Takes what ``say`` takes and raises what it raises.
        """
        utterance = self._prepare(_utterance({"text": text, **fields}))
        for event in self._run([utterance]):
            if isinstance(event, SegmentReady):
                rate = self.info.sampling_rate
                yield self._deliver(Clip(event.samples, rate))
            elif isinstance(event, Failed):
                raise event.error

    def synthesize(
        self,
        lines: Iterable[str | Mapping[str, Any] | Utterance],
        *,
        ordered: bool = True,
        window: int = WINDOW,
    ) -> Iterator[Outcome]:
        """Say many lines; a line that fails is an outcome with its error, and the others go on.

        Args:
            lines: texts, mappings of ``Utterance``'s fields, or utterances; taken one by one, so
                that it may be endless.
            ordered: whether outcomes come in the order of the lines; else as they are done.
            window: how many outcomes may be ahead of the oldest unfinished line.

        Raises:
            OptionError: if a line has a field that is unknown or can't be honoured.
            MissingError: if a line's voice is not on this machine.
        """
        given: dict[str, tuple[int, Utterance]] = {}
        done: dict[int, Outcome] = {}
        taken = emitted = 0

        def feed() -> Iterator[Utterance]:
            nonlocal taken
            for line in lines:
                utterance = self._prepare(_utterance(line))
                given[utterance.id] = (taken, utterance)
                taken += 1
                yield utterance

        # Submitting the next line pulls it from the caller, so the window is asked first.
        events = self._run(feed(), may_submit=lambda: taken - emitted < window)
        for event in events:
            if isinstance(event, SegmentReady):
                continue
            place, utterance = given.pop(event.id)
            done[place] = self._outcome(utterance, event)
            while done and (not ordered or emitted in done):
                outcome = done.pop(emitted if ordered else next(iter(done)))
                emitted += 1
                yield outcome

    def close(self) -> None:
        """Give back what the engine holds."""
        self._engine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _prepare(self, utterance: Utterance) -> Utterance:
        reason = self._spec.refuse(utterance)
        if reason:
            raise OptionError(reason)
        whole = complete(utterance, self.info, self.options)
        self._spec.voice_sha256(str(whole.voice))
        return replace(whole, id=f"{next(self._handles)}", output=utterance.id)

    def _run(self, utterances: Iterable[Utterance], **how: Any) -> Iterator[Event]:
        """``drive``, with nothing left in the session when the caller leaves early."""
        unfinished: dict[str, None] = {}

        def feed() -> Iterator[Utterance | Failed]:
            for utterance in utterances:
                unfinished[utterance.id] = None
                reason = self._spec.unspeakable(utterance.text)
                yield Failed(utterance.id, UnspeakableError(reason)) if reason else utterance

        try:
            for event in drive(self._engine, feed(), **how):
                if not isinstance(event, SegmentReady):
                    del unfinished[event.id]
                yield event
        finally:
            for handle in unfinished:
                self._engine.cancel(handle)

    def _outcome(self, utterance: Utterance, event: Finished | Failed) -> Outcome:
        named = replace(utterance, id=utterance.output, output="")
        if isinstance(event, Failed):
            return Outcome(named, error=event.error)
        return Outcome(
            named,
            event.segments,
            event.text_spoken,
            event.seconds,
            event.warnings,
            _clip=self._deliver(event.clip),
        )

    def _deliver(self, clip: Clip) -> SpokenClip:
        whole = resample(clip, self.options.sampling_rate or clip.sampling_rate)
        return SpokenClip(whole.samples, whole.sampling_rate, self.info)


def load(**options: Any) -> Synthesizer:
    """Load an engine.

    Args:
        **options: as on the command line, with underscores: ``model``, ``device``, ``voice``,
            ``lang``, ``seed``, ``speed``, ``workers``, ``sampling_rate``, … What is not given comes
            from the environment (``TTS_TOOLKIT_VOICE``) or the config file.

    Raises:
        OptionError: for an unknown option or a value that it can't have.
        MissingError: if the model, the voice or the device is not here.
    """
    chosen = resolve(options, config_file=config_file())
    choice = choose(chosen)
    check_options(chosen, choice.spec)
    return Synthesizer(choice.spec, chosen, choice.reason)


def format_of(path: Path) -> str:
    """The audio format that a file's suffix names.

    Raises:
        OptionError: if it names none.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        near = hint(suffix, SUFFIXES)
        raise OptionError(f"{path}: the suffix has to be one of {', '.join(SUFFIXES)}{near}")
    return suffix[1:]


def _utterance(line: str | Mapping[str, Any] | Utterance) -> Utterance:
    """The line as an utterance, with the checks that a script's reader makes.

    Raises:
        OptionError: for an unknown field, or a value that it can't have.
    """
    if not isinstance(line, Utterance):
        given = {"text": line} if isinstance(line, str) else dict(line)
        problems = unknown(given, [field.name for field in fields(Utterance)], what="field")
        if problems:
            raise OptionError("; ".join(problems))
        line = Utterance(**given)
    if not isinstance(line.text, str):
        raise OptionError(f"text: {line.text!r} is not a string")
    for name in ("seed", "speed"):
        value = getattr(line, name)
        if value is not None:
            try:
                check(value, RULES[name])
            except OptionError as error:
                raise OptionError(f"{name}: {error}") from None
    return line
