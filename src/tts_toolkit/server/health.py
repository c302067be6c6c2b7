"""``/health`` and ``/metrics``."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST

from tts_toolkit import __version__
from tts_toolkit.server.desk import Desk
from tts_toolkit.server.schema import Health
from tts_toolkit.server.speech import PROBLEMS

_NOT_NOW: dict[int | str, dict[str, Any]] = {
    503: {"model": Health, "description": "It starts, stops or is dead."}
}


def health_routes(desk: Desk, device: str, cuda_available: Callable[[], bool]) -> APIRouter:
    """The routes.

    Args:
        desk: of the server.
        device: that the engine runs on.
        cuda_available: whether a card that could be used was found so far; asked in the event
            loop, so it may not look for one.
    """
    router = APIRouter()

    @router.head("/health", include_in_schema=False)
    @router.get("/health", responses=_NOT_NOW, summary="How the server is")
    async def health(response: Response) -> Health:
        """Without a token, always."""
        speaker = desk.speaker
        response.status_code = 200 if speaker.state == "healthy" else 503
        response.headers["cache-control"] = "no-store"
        return Health(
            status=speaker.state,
            # Who has a place while it stops got it from an engine that was loaded.
            model_loaded=speaker.state == "healthy"
            or (speaker.state == "stopping" and not speaker.idle),
            model=desk.info.name,
            device=device,
            cuda_available=cuda_available(),
            version=__version__,
            waiting=speaker.waiting,
            speaking=speaker.speaking,
            sending=speaker.sending,
        )

    @router.get(
        "/metrics",
        response_class=Response,
        responses={200: {"content": {"text/plain": {}}}, 401: PROBLEMS[401]},
        summary="Figures for Prometheus",
    )
    async def metrics() -> Response:
        """Queue, batch, x realtime, latency and failures."""
        return Response(desk.metrics.text(), media_type=CONTENT_TYPE_LATEST)

    return router
