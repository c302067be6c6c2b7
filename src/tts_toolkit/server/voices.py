"""``/v1/voices``: what voices there are, and clips as new ones."""

import asyncio
from collections import Counter
from typing import Annotated

from fastapi import APIRouter, File, Form, Path, Request, UploadFile

from tts_toolkit.errors import OptionError
from tts_toolkit.server.desk import STAND_INS, Desk
from tts_toolkit.server.doorway import doorway
from tts_toolkit.server.limits import MAX_CLIP, MOST_VOICES
from tts_toolkit.server.problem import CLIENT_LEFT, APIError, shown
from tts_toolkit.server.reference import read_reference
from tts_toolkit.server.schema import Deleted, Problem, UploadName, Voice, Voices
from tts_toolkit.server.shelf import Uploaded
from tts_toolkit.server.speech import PROBLEMS

# Clips that are decoded at a time: each holds a core, and up to 10 MB as it came and 23 decoded.
_DECODED_AT_ONCE = 2
_FIELDS = ("name", "consent", "file")


def voice_routes(desk: Desk) -> APIRouter:
    """The routes."""
    router = APIRouter()
    uploads = APIRouter(route_class=doorway(desk))
    places = asyncio.Semaphore(_DECODED_AT_ONCE)

    @router.get("/v1/voices", responses={401: PROBLEMS[401]}, summary="List the voices")
    async def voices() -> Voices:
        """The engine's, then the uploaded ones. OpenAI's names stand for the default voice."""
        return desk.voices

    @uploads.post(
        "/v1/voices",
        status_code=201,
        responses={
            **PROBLEMS,
            409: {"model": Problem, "description": "The name is taken, or the shelf full."},
            503: {"model": Problem, "description": "Too many uploads; see Retry-After."},
        },
        summary="Upload a clip as a voice",
    )
    async def upload(
        request: Request,
        name: Annotated[UploadName, Form(description="What to call it.")],
        consent: Annotated[
            bool, Form(description="Whether the owner of the voice agrees to its being cloned.")
        ],
        file: Annotated[
            UploadFile, File(description="WAV, FLAC, Ogg or MP3, 1 to 60 seconds, up to 10 MB.")
        ],
    ) -> Voice:
        """Only where the engine clones. It is kept until it is deleted or the server ends."""
        await _check_form(request)
        if not consent:
            raise APIError(
                400,
                "consent has to be true: a voice is cloned only if its owner agrees",
                code="consent_required",
                param="consent",
            )
        _check_free(desk, name)
        async with places:
            voice = await _write(desk, file)
        if await request.is_disconnected():
            # It would come back and find its name taken.
            voice.path.unlink()
            raise APIError(CLIENT_LEFT, "the client has left", code="left")
        _put(desk, name, voice)
        return Voice(id=name, uploaded=True, duration_s=round(voice.duration, 2))

    router.include_router(uploads)

    @router.delete(
        "/v1/voices/{name}",
        responses={
            **PROBLEMS,
            404: {"model": Problem, "description": "There is no such voice."},
        },
        summary="Delete an uploaded voice",
    )
    async def delete(name: Annotated[UploadName, Path()]) -> Deleted:
        """What is being said with it is finished."""
        if name not in desk.shelf.voices:
            raise _undeletable(desk, name)
        desk.shelf.remove(name)
        return Deleted(id=name)

    return router


async def _check_form(request: Request) -> None:
    """Refuse what FastAPI ignores: fields that have no meaning, and all but the last of a name."""
    times = Counter(name for name, _ in (await request.form()).multi_items())
    for name, count in times.items():
        if name not in _FIELDS:
            message = f"{shown(name)}: there is no such field; there are {', '.join(_FIELDS)}"
            raise APIError(400, message, code="invalid_value", param=shown(name))
        if count > 1:
            message = f"{name} is there {count:,} times; send one"
            raise APIError(400, message, code="invalid_value", param=name)


async def _write(desk: Desk, file: UploadFile) -> Uploaded:
    data = await file.read(MAX_CLIP + 1)
    if len(data) > MAX_CLIP:
        message = f"the clip is larger than {MAX_CLIP:,} bytes"
        raise APIError(413, message, code="too_large", param="file")
    try:
        clip = await asyncio.to_thread(read_reference, data)
    except OptionError as error:
        raise APIError(400, f"{error}", code="bad_clip", param="file") from None
    return await asyncio.to_thread(desk.shelf.write, clip)


def _undeletable(desk: Desk, name: str) -> APIError:
    if name in STAND_INS:
        status, message = 400, f"{name!r} stands for the default voice and can't be deleted"
    elif name in desk.engine_voices:
        status, message = 400, f"{name!r} is the engine's own and can't be deleted"
    else:
        status, message = 404, f"there is no voice {name!r}"
    return APIError(status, message, code="voice_not_found", param="name")


def _check_free(desk: Desk, name: str) -> None:
    if name in {*STAND_INS, *desk.engine_voices, *desk.shelf.voices}:
        message = f"the name {name!r} is taken; choose another"
        raise APIError(409, message, code="name_taken", param="name")
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
