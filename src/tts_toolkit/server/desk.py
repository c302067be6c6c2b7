"""Where a request becomes an utterance with a place in the queue."""

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
from tts_toolkit.server.problem import APIError
from tts_toolkit.server.schema import SpeechRequest, Voice, Voices
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
    def voices(self) -> Voices:
        """What can be asked for."""
        asked = self._options.voice or self.info.default_voice
        own = [Voice(id=name, default=name == asked) for name in self.engine_voices]
        uploaded = [
            Voice(id=name, uploaded=True, duration_s=round(voice.duration, 2))
            for name, voice in self.shelf.voices.items()
        ]
        return Voices(
            data=[*own, *uploaded],
            clones=self.info.clones,
            emotions=list(EMOTIONS) if self.info.emotes else [],
            languages=sorted(self.info.languages),
            slowest=self.info.slowest,
            fastest=self.info.fastest,
        )

    def submit(self, wanted: SpeechRequest) -> Ticket:
        """Check a request and give it a place.

        Raises:
            APIError: if it can't be honoured, or there is no place.
        """
        self._check_model(wanted.model)
        name = (
            wanted.voice.id if wanted.voice and not isinstance(wanted.voice, str) else wanted.voice
        )
        assert name is None or isinstance(name, str)
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
        refusal = self.spec.refuse(asked)
        if refusal:
            raise APIError(400, refusal, code="not_supported")
        unspeakable = self.spec.unspeakable(asked.text)
        if unspeakable:
            raise APIError(400, unspeakable, code="unspeakable", param="input")
        whole = complete(asked, self.info, self._options)
        if not uploaded:
            return self._place(Ticket(whole, name or self.info.default_voice))
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

    def _check_model(self, model: str) -> None:
        # Also one of its dated versions, such as gpt-4o-mini-tts-2025-12-15.
        if model not in {self.info.name, *OPENAI_MODELS} and not model.startswith(
            f"{OPENAI_MODELS[-1]}-20"
        ):
            known = ", ".join((self.info.name, *OPENAI_MODELS))
            raise APIError(
                404,
                f"there is no model {model!r} here (there are {known})",
                code="model_not_found",
                param="model",
            )

    def _voice(self, name: str | None) -> str | None:
        """The engine's voice by a name; None is the default."""
        own = self.engine_voices
        if name is None or name in own:
            return name
        if name in OPENAI_VOICES:
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
            f"there is no voice {name!r}{hint(name, known)} (there are {', '.join(known)})",
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
