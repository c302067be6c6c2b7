"""What goes in and out as JSON."""

import re
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    WithJsonSchema,
    model_validator,
)

from tts_toolkit.config import LANGUAGES, MAX_SEED
from tts_toolkit.emotion import EMOTIONS
from tts_toolkit.server.limits import MAX_TEXT
from tts_toolkit.server.shelf import NAME
from tts_toolkit.server.speaker import State

# Characters of names, and fields of an object: no request needs as many.
_LONGEST_NAME = 256
_LONGEST_MOOD = 32
_MOST_FIELDS = 32


def _checked_name(name: str) -> str:
    if not re.fullmatch(NAME, name):
        raise ValueError(
            "has to be letters, digits, - and _, up to 64, and a letter or digit comes first"
        )
    return name


def _checked_language(code: str) -> str:
    if code not in LANGUAGES:
        raise ValueError(f"has to be one of {', '.join(LANGUAGES)}")
    return code


def _few(moods: Any) -> Any:
    # Each of thousands would be a problem of its own.
    if isinstance(moods, dict) and len(moods) > len(EMOTIONS):
        raise ValueError(f"has {len(moods):,} moods; there are {', '.join(EMOTIONS)}")
    return moods


def _kind_of_voice(voice: Any) -> str | None:
    if isinstance(voice, dict | VoiceId):
        return "object"
    return "name" if isinstance(voice, str) else None


UploadName = Annotated[
    str, AfterValidator(_checked_name), WithJsonSchema({"type": "string", "pattern": NAME})
]
Language = Annotated[
    str,
    AfterValidator(_checked_language),
    WithJsonSchema({"type": "string", "enum": list(LANGUAGES)}),
]
Moods = Annotated[
    dict[Annotated[str, Field(max_length=_LONGEST_MOOD)], float],
    Field(max_length=len(EMOTIONS)),
    BeforeValidator(_few),
]


class _Asked(BaseModel):
    """What a client sends: of its own types, and nothing that has no meaning."""

    model_config = ConfigDict(extra="forbid", strict=True)

    @model_validator(mode="before")
    @classmethod
    def _has_few_fields(cls, raw: Any) -> Any:
        """Refuse at once what would take its time to be refused field by field."""
        if isinstance(raw, dict) and len(raw) > _MOST_FIELDS:
            raise ValueError(
                f"there are {len(raw):,} fields; known are {', '.join(cls.model_fields)}"
            )
        return raw


class VoiceId(_Asked):
    """A voice as OpenAI's newer clients name it."""

    id: str = Field(max_length=_LONGEST_NAME)


class SpeechRequest(_Asked):
    """OpenAI's fields; ours are ``seed``, ``lang`` and ``emotion``."""

    model: str = Field(
        max_length=_LONGEST_NAME, description="The engine, or a name of OpenAI's models."
    )
    input: str = Field(min_length=1, max_length=MAX_TEXT, description="What to say.")
    voice: (
        Annotated[
            Annotated[str, Field(max_length=_LONGEST_NAME), Tag("name")]
            | Annotated[VoiceId, Tag("object")],
            Discriminator(
                _kind_of_voice,
                custom_error_type="voice_type",
                custom_error_message='has to be a name, or an object such as {"id": "alloy"}',
            ),
        ]
        | None
    ) = Field(
        default=None,
        description="A name that GET /v1/voices lists; OpenAI's names are the default voice.",
    )
    response_format: Literal["mp3", "opus", "flac", "wav", "pcm"] = Field(
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
    lang: Language | None = Field(default=None, description=f"Of the text: {', '.join(LANGUAGES)}.")
    emotion: Moods | None = Field(
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
    sending: int = Field(description="Replies that are spoken and not yet taken.")


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
    speed: float = Field(description="Of a request that has none.")
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
