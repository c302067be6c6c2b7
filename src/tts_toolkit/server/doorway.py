"""Where uploads come in: what can be refused before they are read is refused here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi.routing import APIRoute

from tts_toolkit.server.problem import APIError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from fastapi import Request, Response

    from tts_toolkit.server.desk import Desk

# Uploads that are there at a time, arriving or waiting to be decoded: each is up to 12 MB, of
# which one is in memory and the rest on the disk.
_MOST_UPLOADS = 8


def doorway(desk: Desk) -> type[APIRoute]:
    """A kind of route that lets a request in if the engine clones, and so many at a time."""
    inside = 0

    class Doorway(APIRoute):
        """FastAPI reads a form before it asks anything else of us."""

        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            handle = super().get_route_handler()

            async def let_in(request: Request) -> Response:
                nonlocal inside
                _check_clones(desk)
                if inside >= _MOST_UPLOADS:
                    message = "too many uploads are under way; try again in a moment"
                    raise APIError(503, message, code="full", headers={"retry-after": "1"})
                inside += 1
                try:
                    return await handle(request)
                finally:
                    inside -= 1

            return let_in

    return Doorway


def _check_clones(desk: Desk) -> None:
    if not desk.info.clones:
        message = f"the engine {desk.info.name} has voices of its own and clones none"
        raise APIError(400, message, code="not_supported")
