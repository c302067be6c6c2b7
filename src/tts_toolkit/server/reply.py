"""From a ticket to the reply: whole, as it gets ready, or as events."""

import asyncio
import base64
import json
import logging
from collections.abc import AsyncGenerator, Awaitable
from pathlib import PurePath
from typing import Any, NamedTuple, TypeVar

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tts_toolkit.audio.tags import tags
from tts_toolkit.engines.base import EngineInfo, Failed, Finished, SegmentReady
from tts_toolkit.errors import UnspeakableError
from tts_toolkit.server.form import FORMS, Form
from tts_toolkit.server.limits import REPLY_PATIENCE
from tts_toolkit.server.problem import CLIENT_LEFT, APIError
from tts_toolkit.server.ticket import Ended, Ticket

_log = logging.getLogger(__name__)
# Bytes sent at a time: what a client is slow to take waits in pieces.
_PIECE = 1 << 15

_T = TypeVar("_T")


class Part(NamedTuple):
    """Some of a reply.

    Attributes:
        data: as it is sent.
        seconds: of speech in it.
    """

    data: bytes
    seconds: float = 0.0


class ClientLeftError(Exception):
    """Nobody waits for the reply any more."""


async def reply(
    ticket: Ticket, info: EngineInfo, *, name: str, sse: bool, receive: Receive
) -> Response:
    """The reply to a request for speech; the ticket is closed with it.

    Args:
        ticket: of the request.
        info: of the engine.
        name: of the form.
        sse: whether it is sent as events.
        receive: the request's, to notice that the client leaves.

    Raises:
        APIError: if nothing can be sent.
    """
    form = FORMS[name]
    parts = _parts(ticket, form, info)
    try:
        # Before a status is sent, so that a failure still has one of its own.
        first = await _unless_left(anext(parts), receive)
    except ClientLeftError:
        return Response(status_code=CLIENT_LEFT)
    if sse:
        return _Stream(_events(first, parts), parts, receive, "text/event-stream")
    if form.streams:
        return _Stream(_bytes(first, parts), parts, receive, form.media_type)
    return _Stream(_bytes(first, parts), parts, receive, form.media_type, size=len(first.data))


async def _parts(ticket: Ticket, form: Form, info: EngineInfo) -> AsyncGenerator[Part, None]:
    """The audio: a part for each segment, or one for all. The ticket is closed with it."""
    about = tags(info.name, info.model, info.model_revision)
    rate = info.sampling_rate
    opening = form.opening(rate, about) if form.streams else b""
    try:
        async for event in ticket.events():
            if isinstance(event, SegmentReady) and form.streams:
                data = await asyncio.to_thread(form.segment, event.samples, rate)
                yield Part(opening + data, len(event.samples) / rate)
                opening = b""
            elif isinstance(event, Finished) and not form.streams:
                data = await asyncio.to_thread(form.whole, event.clip, about)
                yield Part(data, event.clip.duration)
            elif isinstance(event, (Failed, Ended)):
                raise _problem(event, ticket)
    finally:
        ticket.close()


def _problem(event: Failed | Ended, ticket: Ticket) -> APIError:
    if isinstance(event, Ended):
        wait = "60" if event.state == "dead" else "10"
        return APIError(503, event.reason, code=event.state, headers={"retry-after": wait})
    message = str(event.error)
    voice = ticket.utterance.voice
    if voice and PurePath(voice).is_absolute():
        # An engine names an uploaded clip by its path, which is ours.
        message = message.replace(voice, ticket.voice)
    if isinstance(event.error, UnspeakableError):
        return APIError(400, message, code="unspeakable", param="input")
    return APIError(500, message, code="speech_failed")


async def _bytes(first: Part, parts: AsyncGenerator[Part, None]) -> AsyncGenerator[Part, None]:
    yield first
    async for part in parts:
        yield part


async def _events(first: Part, parts: AsyncGenerator[Part, None]) -> AsyncGenerator[Part, None]:
    """OpenAI's events. Nothing here is paid by the token, so its usage is none."""
    try:
        async for part in _bytes(first, parts):
            deltas = [
                _event(
                    {
                        "type": "speech.audio.delta",
                        "audio": base64.b64encode(part.data[start : start + _PIECE]).decode(),
                    }
                )
                for start in range(0, len(part.data), _PIECE)
            ]
            yield Part(b"".join(deltas), part.seconds)
    except APIError as error:
        yield Part(_event({"type": "error", **error.body}))
        return
    usage = dict.fromkeys(("input_tokens", "output_tokens", "total_tokens"), 0)
    yield Part(_event({"type": "speech.audio.done", "usage": usage}))


def _event(content: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(content)}\n\n".encode()


class _Stream(Response):
    """Bytes as they get ready.

    Args:
        content: what is sent.
        parts: closed with the reply, and the ticket with it.
        receive: the request's own, which knows of the body that was read.
        media_type: of the reply.
        size: bytes of all of it, where that is known.
    """

    def __init__(
        self,
        content: AsyncGenerator[Part, None],
        parts: AsyncGenerator[Part, None],
        receive: Receive,
        media_type: str,
        *,
        size: int | None = None,
    ) -> None:
        self.status_code = 200
        self.media_type = media_type
        self.background = None
        # Neither a cache nor a proxy is to hold it back.
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        self.init_headers(headers | ({"content-length": str(size)} if size is not None else {}))
        self._content = content
        self._parts = parts
        self._receive = receive

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Send all of it, unless the client leaves or stops taking it."""
        try:
            await _unless_left(self._send(send), self._receive)
        except (ClientLeftError, asyncio.TimeoutError):
            _log.info("a client has left in the middle of its reply")
        except APIError as error:
            # The status is sent. An end that is missing is what tells the client.
            _log.warning("a reply was cut off: %s", error.detail)
        finally:
            await self._content.aclose()
            await self._parts.aclose()

    async def _send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        loop = asyncio.get_running_loop()
        # Who plays the speech as it comes may take as long as it sounds, and no one much longer.
        patience = REPLY_PATIENCE
        async for part in self._content:
            patience += part.seconds
            for start in range(0, len(part.data), _PIECE):
                body = part.data[start : start + _PIECE]
                message = {"type": "http.response.body", "body": body, "more_body": True}
                began = loop.time()
                await asyncio.wait_for(send(message), patience)
                patience -= loop.time() - began
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _unless_left(work: Awaitable[_T], receive: Receive) -> _T:
    """What comes of ``work``.

    Raises:
        ClientLeftError: if the client leaves before it is done.
    """
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_left(receive))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientLeftError
        return working.result()
    finally:
        working.cancel()
        leaving.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
