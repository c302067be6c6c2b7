"""What goes in and out as JSON."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from tts_toolkit.config import LANGUAGES, MAX_SEED
from tts_toolkit.server.limits import MAX_TEXT
from tts_toolkit.server.speaker import State


class VoiceId(BaseModel):
    """A voice as OpenAI's newer clients name it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    id: str = Field(max_length=256)


class SpeechRequest(BaseModel):
    """OpenAI's fields; ours are ``seed``, ``lang`` and ``emotion``."""

    model_config = ConfigDict(extra="forbid", strict=True)

    model: str = Field(max_length=256, description="The engine, or a name of OpenAI's models.")
    input: str = Field(min_length=1, max_length=MAX_TEXT, description="What to say.")
    voice: str | VoiceId | None = Field(
        default=None,
        description="A name that GET /v1/voices lists; OpenAI's names are the default voice.",
    )
    response_format: Literal["mp3", "opus", "aac", "flac", "wav", "pcm"] = Field(
        default="mp3", description="There is no aac. PCM is 24 kHz, 16 bits, little-endian, mono."
    )
    speed: float | None = Field(
        default=None,
        ge=0.25,
        le=4.0,
        allow_inf_nan=False,
        description="From 0.25 to 4, as far as the engine goes; above 1 is faster.",
    )
    stream_format: Literal["audio", "sse"] = Field(
        default="audio", description="sse: events, each with a piece of the audio in base64."
    )
    instructions: str | None = Field(
        default=None,
        max_length=MAX_TEXT,
        description="The mood in words, where the engine can read them.",
    )
    seed: int | None = Field(
        default=None, ge=0, le=MAX_SEED, description="The same seed gives the same speech."
    )
    lang: str | None = Field(
        default=None,
        pattern=f"^({'|'.join(LANGUAGES)})$",
        description=f"Of the text: {', '.join(LANGUAGES)}.",
    )
    emotion: dict[str, float] | None = Field(
        default=None,
        description='The mood by weights, where the engine has moods: {"happy": 0.4}.',
    )


class Health(BaseModel):
    """How the server is."""

    model_config = ConfigDict(protected_namespaces=())

    status: State
    model_loaded: bool
    model: str
    device: str
    cuda_available: bool
    version: str
    waiting: int = Field(description="Requests that wait for the engine.")
    speaking: int = Field(description="Requests in the engine.")


class Model(BaseModel):
    """A name that ``model`` takes."""

    id: str
    object: Literal["model"] = "model"
    created: int = 0
    owned_by: str = "tts-toolkit"


class Models(BaseModel):
    """All of them; the engine's own is the first."""

    object: Literal["list"] = "list"
    data: list[Model]


class Voice(BaseModel):
    """A voice that can be asked for."""

    id: str
    object: Literal["voice"] = "voice"
    uploaded: bool = False
    default: bool = False
    duration_s: float | None = Field(default=None, description="Of an uploaded voice's clip.")


class Voices(BaseModel):
    """The voices, and what the engine does with them."""

    object: Literal["list"] = "list"
    data: list[Voice]
    clones: bool = Field(description="Whether a clip can be uploaded as a voice.")
    emotions: list[str] = Field(description="What `emotion` takes; none if there are no moods.")
    languages: list[str]
    slowest: float
    fastest: float


class Deleted(BaseModel):
    """What was deleted."""

    id: str
    object: Literal["voice"] = "voice"
    deleted: bool = True


class Wrong(BaseModel):
    """What is wrong."""

    message: str
    type: str
    param: str | None
    code: str | None


class Problem(BaseModel):
    """Every error."""

    error: Wrong
