"""Where a request becomes an utterance with a place in the queue."""

import re
from collections.abc import Mapping
from dataclasses import replace
from itertools import count

from tts_toolkit.config import Options
from tts_toolkit.emotion import EMOTIONS, emotion_vector
from tts_toolkit.engines.base import EngineSpec
from tts_toolkit.engines.request import complete
from tts_toolkit.errors import OptionError
from tts_toolkit.rule import hint
from tts_toolkit.scripts.fields import looks_like_clip
from tts_toolkit.server.metrics import Metrics
from tts_toolkit.server.problem import APIError, shown
from tts_toolkit.server.schema import Model, SpeechRequest, Voice, VoiceId, Voices
from tts_toolkit.server.shelf import Shelf
from tts_toolkit.server.speaker import RefusedError, Speaker
from tts_toolkit.server.ticket import Ticket
from tts_toolkit.store.voices import voices as builtin_voices
from tts_toolkit.utterance import Emotion, Utterance

# OpenAI's models and voices, which its clients ask for: they are the engine and its default voice.
OPENAI_MODELS = ("tts-1", "tts-1-hd", "gpt-4o-mini-tts")
OPENAI_VOICES = (
    *("alloy", "ash", "ballad", "coral", "echo", "fable", "onyx"),
    *("nova", "sage", "shimmer", "verse", "marin", "cedar"),
)
# One of a model's dated versions, such as gpt-4o-mini-tts-2025-12-15.
_DATED = re.compile(rf"{OPENAI_MODELS[-1]}-20[0-9]{{2}}-[0-9]{{2}}-[0-9]{{2}}")
# The name of the clip that the server was started with: its path is nobody's business.
CLIP_OF_THE_SERVER = "default"
# Names that are the default voice, whichever that is.
STAND_INS = (*OPENAI_VOICES, CLIP_OF_THE_SERVER)
# What a client is told when there is no place, with the seconds after which it may ask again.
_REFUSALS: Mapping[str, tuple[str, int]] = {
    "full": ("too many requests are waiting; try again in a moment", 1),
    "starting": ("the model is being loaded; try again in a moment", 5),
    "stopping": ("the server is stopping", 10),
    "dead": ("the engine has died; the server has to be started again", 60),
}


class Desk:
    """Everything that a route needs.

    Args:
        spec: the engine.
        options: of every request that does not say otherwise.
        speaker: drives the engine.
        shelf: holds uploaded voices.
        metrics: where refusals are counted.
    """

    def __init__(
        self,
        spec: EngineSpec,
        options: Options,
        speaker: Speaker,
        shelf: Shelf,
        metrics: Metrics,
    ) -> None:
        self.spec = spec
        self.info = spec.info
        self.speaker = speaker
        self.shelf = shelf
        self.metrics = metrics
        self._options = options
        self._numbers = count(1)

    @property
    def engine_voices(self) -> list[str]:
        """The engine's own voices that are on this machine, the default first."""
        default = self.info.default_voice
        if self.info.name != "builtin":
            return [default]
        return [voice.name for voice in builtin_voices() if voice.installed]

    @property
    def default_voice(self) -> str:
        """The name of the voice of a request without one."""
        voice = self._options.voice or self.info.default_voice
        return CLIP_OF_THE_SERVER if looks_like_clip(voice) else voice

    @property
    def voices(self) -> Voices:
        """What can be asked for."""
        default = self.default_voice
        names = self.engine_voices
        if default == CLIP_OF_THE_SERVER:
            names = [default, *names]
        own = [Voice(id=name, default=name == default) for name in names]
        uploaded = [
            Voice(id=name, uploaded=True, duration_s=round(voice.duration, 2))
            for name, voice in self.shelf.voices.items()
        ]
        return Voices(
            data=[*own, *uploaded],
            clones=self.info.clones,
            emotions=list(EMOTIONS) if self.info.emotes else [],
            languages=sorted(self.info.languages),
            speed=self._options.speed,
            slowest=self.info.slowest,
            fastest=self.info.fastest,
        )

    def submit(self, wanted: SpeechRequest) -> Ticket:
        """Check a request and give it a place.

        Raises:
            APIError: if it can't be honoured, or there is no place.
        """
        self.model(wanted.model)
        name = wanted.voice.id if isinstance(wanted.voice, VoiceId) else wanted.voice
        uploaded = name in self.shelf.voices
        asked = Utterance(
            wanted.input.strip(),
            id=f"{next(self._numbers)}",
            voice=None if uploaded else self._voice(name),
            lang=wanted.lang,
            seed=wanted.seed,
            speed=wanted.speed,
            emotion=_emotion(wanted),
        )
        self._check_fields(asked, "instructions" if wanted.instructions else "emotion")
        unspeakable = self.spec.unspeakable(asked.text)
        if unspeakable:
            raise APIError(400, unspeakable, code="unspeakable", param="input")
        whole = complete(asked, self.info, self._options)
        if not uploaded:
            return self._place(Ticket(whole, name or self.default_voice))
        assert name is not None
        return self._borrowing(whole, name)

    def _borrowing(self, whole: Utterance, name: str) -> Ticket:
        """A place with an uploaded voice, whose clip stays until the ticket is closed."""
        path = self.shelf.borrow(name)
        ticket = Ticket(replace(whole, voice=str(path)), name)
        ticket.on_close.append(lambda: self.shelf.give_back(path))
        return self._place(ticket)

    def _place(self, ticket: Ticket) -> Ticket:
        try:
            self.speaker.submit(ticket)
        except RefusedError as error:
            ticket.close()
            self.metrics.failed(error.reason)
            message, seconds = _REFUSALS[error.reason]
            raise APIError(
                503, message, code=error.reason, headers={"retry-after": f"{seconds}"}
            ) from None
        return ticket

    def model(self, name: str) -> Model:
        """A model by a name that stands for the engine.

        Raises:
            APIError: if it stands for none.
        """
        names = (self.info.name, *OPENAI_MODELS)
        if name not in names and not _DATED.fullmatch(name):
            raise APIError(
                404,
                f"there is no model {shown(name)!r} here (there are {', '.join(names)})",
                code="model_not_found",
                param="model",
            )
        return Model(id=name)

    def _check_fields(self, asked: Utterance, mood: str) -> None:
        """Ask the engine about one field at a time, so that the refusal can name it."""
        for field, part in {
            "voice": Utterance("", voice=asked.voice),
            "lang": Utterance("", lang=asked.lang),
            "speed": Utterance("", speed=asked.speed),
            mood: Utterance("", emotion=asked.emotion),
        }.items():
            refusal = self.spec.refuse(part)
            if refusal:
                raise APIError(400, f"{field}: {refusal}", code="not_supported", param=field)

    def _voice(self, name: str | None) -> str | None:
        """The engine's voice by a name; None is the default."""
        own = self.engine_voices
        if name is None or name in own:
            return name
        if name in STAND_INS:
            return None
        if looks_like_clip(name):
            raise APIError(
                400,
                "voice has to be a name: a server opens no path. Upload a clip (POST /v1/voices) "
                "and ask for it by its name",
                code="voice_not_found",
                param="voice",
            )
        known = [*own, *self.shelf.voices]
        raise APIError(
            400,
            f"there is no voice {shown(name)!r}{hint(name, known)} (there are {', '.join(known)})",
            code="voice_not_found",
            param="voice",
        )


def _emotion(wanted: SpeechRequest) -> Emotion | None:
    if wanted.instructions and wanted.emotion:
        raise APIError(
            400,
            "instructions and emotion can't go together; keep one",
            code="invalid_value",
            param="emotion",
        )
    if wanted.instructions:
        return Emotion(text=wanted.instructions)
    if not wanted.emotion:
        return None
    try:
        return Emotion(vector=emotion_vector(wanted.emotion))
    except OptionError as error:
        message = f"emotion: {error}"
        raise APIError(400, message, code="invalid_value", param="emotion") from None
