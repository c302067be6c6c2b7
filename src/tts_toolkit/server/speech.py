"""``POST /v1/audio/speech``, and what models there are."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from tts_toolkit.server.desk import OPENAI_MODELS, Desk
from tts_toolkit.server.form import FORMS
from tts_toolkit.server.reply import reply
from tts_toolkit.server.schema import Model, Models, Problem, SpeechRequest

PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: {"model": Problem, "description": "A field can't be honoured, or the text not be said."},
    401: {"model": Problem, "description": "The API key is missing or wrong."},
    413: {"model": Problem, "description": "The body is too large."},
    # Without it FastAPI promises a 422 of its own.
    "default": {"model": Problem, "description": "Every other error."},
}
_SPEECH: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The speech, or events with it.",
        "content": {
            **{form.media_type: {} for form in FORMS.values()},
            "text/event-stream": {},
        },
    },
    **PROBLEMS,
    404: {"model": Problem, "description": "There is no such model."},
    503: {"model": Problem, "description": "No place at the moment; see Retry-After."},
}


def speech_routes(desk: Desk) -> APIRouter:
    """The routes, as OpenAI has them."""
    router = APIRouter()

    @router.post(
        "/v1/audio/speech",
        response_class=Response,
        responses=_SPEECH,
        summary="Say a text",
    )
    async def speech(wanted: SpeechRequest, request: Request) -> Response:
        """As OpenAI's. WAV and PCM are sent sentence by sentence, the others whole."""
        ticket = desk.submit(wanted)
        return await reply(
            ticket,
            desk.info,
            name=wanted.response_format,
            sse=wanted.stream_format == "sse",
            receive=request.receive,
        )

    @router.get("/v1/models", responses={401: PROBLEMS[401]}, summary="List the models")
    async def models() -> Models:
        """The engine, and the names of OpenAI's that stand for it."""
        return Models(data=[Model(id=name) for name in (desk.info.name, *OPENAI_MODELS)])

    @router.get(
        "/v1/models/{model}",
        responses={
            **PROBLEMS,
            404: {"model": Problem, "description": "There is no such model."},
        },
        summary="Look up a model",
    )
    async def model(model: Annotated[str, Path(description="One of its names.")]) -> Model:
        """What the list says of it."""
        return desk.model(model)

    return router
