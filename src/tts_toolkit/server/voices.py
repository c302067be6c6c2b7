"""``/v1/voices``: what voices there are, and clips as new ones."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, File, Form, Path, UploadFile

from tts_toolkit.errors import OptionError
from tts_toolkit.server.desk import OPENAI_VOICES, Desk
from tts_toolkit.server.limits import MAX_CLIP, MOST_VOICES
from tts_toolkit.server.problem import APIError
from tts_toolkit.server.reference import read_reference
from tts_toolkit.server.schema import Deleted, Problem, Voice, Voices
from tts_toolkit.server.shelf import NAME, Uploaded
from tts_toolkit.server.speech import PROBLEMS

# Clips that are decoded at a time: each holds a core, and up to 23 MB.
_DECODED_AT_ONCE = 2


def voice_routes(desk: Desk) -> APIRouter:
    """The routes."""
    router = APIRouter()
    places = asyncio.Semaphore(_DECODED_AT_ONCE)

    @router.get("/v1/voices", responses={401: PROBLEMS[401]}, summary="List the voices")
    async def voices() -> Voices:
        """The engine's, then the uploaded ones. OpenAI's names stand for the default voice."""
        return desk.voices

    @router.post(
        "/v1/voices",
        status_code=201,
        responses={
            **PROBLEMS,
            409: {"model": Problem, "description": "The name is taken, or the shelf full."},
        },
        summary="Upload a clip as a voice",
    )
    async def upload(
        name: Annotated[str, Form(pattern=NAME, description="What to call it.")],
        consent: Annotated[
            bool, Form(description="Whether the owner of the voice agrees to its being cloned.")
        ],
        file: Annotated[
            UploadFile, File(description="WAV, FLAC, Ogg or MP3, 1 to 60 seconds, up to 10 MB.")
        ],
    ) -> Voice:
        """Only where the engine clones. It is kept until it is deleted or the server ends."""
        if not desk.info.clones:
            message = f"the engine {desk.info.name} has voices of its own and clones none"
            raise APIError(400, message, code="not_supported")
        if not consent:
            raise APIError(
                400,
                "consent has to be true: a voice is cloned only if its owner agrees",
                code="consent_required",
                param="consent",
            )
        _check_free(desk, name)
        data = await file.read(MAX_CLIP + 1)
        if len(data) > MAX_CLIP:
            message = f"the clip is larger than {MAX_CLIP:,} bytes"
            raise APIError(413, message, code="too_large", param="file")
        async with places:
            try:
                clip = await asyncio.to_thread(read_reference, data)
            except OptionError as error:
                raise APIError(400, f"{error}", code="bad_clip", param="file") from None
            voice = await asyncio.to_thread(desk.shelf.write, clip)
        _put(desk, name, voice)
        return Voice(id=name, uploaded=True, duration_s=round(voice.duration, 2))

    @router.delete(
        "/v1/voices/{name}",
        responses={
            **PROBLEMS,
            404: {"model": Problem, "description": "There is no such voice."},
        },
        summary="Delete an uploaded voice",
    )
    async def delete(name: Annotated[str, Path(pattern=NAME)]) -> Deleted:
        """What is being said with it is finished."""
        if name not in desk.shelf.voices:
            own = name in desk.engine_voices
            message = f"{name!r} was not uploaded" if own else f"there is no voice {name!r}"
            raise APIError(400 if own else 404, message, code="voice_not_found", param="name")
        desk.shelf.remove(name)
        return Deleted(id=name)

    return router


def _check_free(desk: Desk, name: str) -> None:
    if name in {*OPENAI_VOICES, *desk.engine_voices, *desk.shelf.voices}:
        raise APIError(409, f"the name {name!r} is taken", code="name_taken", param="name")
    if len(desk.shelf.voices) >= MOST_VOICES:
        message = f"there are {MOST_VOICES} uploaded voices already; delete one first"
        raise APIError(409, message, code="too_many_voices")


def _put(desk: Desk, name: str, voice: Uploaded) -> None:
    """Give a clip its name, unless another upload was faster."""
    try:
        _check_free(desk, name)
    except APIError:
        voice.path.unlink()
        raise
    desk.shelf.add(name, voice)
