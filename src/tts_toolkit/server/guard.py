"""What a request has to pass before anything reads it: host, origin, token, size and patience."""

import asyncio
import hmac
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tts_toolkit.server.host import OwnNames, host_name
from tts_toolkit.server.limits import BODY_PATIENCE, MAX_BODY, MAX_UPLOAD
from tts_toolkit.server.problem import APIError
from tts_toolkit.server.settings import ServerSettings

# They say nothing that is not in our documentation; the page asks for the token itself.
_OPEN = frozenset({"/", "/docs", "/health", "/openapi.json"})
_UPLOADS = "/v1/voices"
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
)


class Guard:
    """ASGI middleware around the whole app.

    Without a token a page of another site must not get through by way of the user's browser. So
    then a request that changes something may only come from our own page, and the server answers
    to its own names alone, which makes DNS rebinding useless.
    """

    def __init__(self, app: ASGIApp, settings: ServerSettings) -> None:
        self._app = app
        self._key = (settings.api_key or "").encode()
        self._names = OwnNames(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on with a watched body."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_more(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *_HEADERS]
            await send(message)

        headers: dict[bytes, bytes] = {}
        for name, value in scope["headers"]:
            headers.setdefault(name, value)
        try:
            self._check_site(scope["method"], headers)
            self._check_token(scope["path"], headers)
            limit = MAX_UPLOAD if scope["path"] == _UPLOADS else MAX_BODY
            _check_length(headers, limit)
        except APIError as error:
            await error.response()(scope, receive, send_more)
            return
        await self._app(scope, _watched(receive, limit), send_more)

    def _check_site(self, method: str, headers: dict[bytes, bytes]) -> None:
        if self._key:
            return
        if b"host" not in headers:
            raise APIError(403, "there is no Host header", code="host_not_allowed")
        host = headers[b"host"].decode("latin-1").lower()
        if host_name(host) not in self._names:
            raise APIError(
                403,
                "this server answers to its own names only, such as localhost: --allow-host NAME "
                "adds one, and with an API key (--api-key) it answers to all",
                code="host_not_allowed",
            )
        origin = headers.get(b"origin")
        if origin is None or method in {"GET", "HEAD", "OPTIONS"}:
            return
        if _netloc(origin.decode("latin-1").lower()) != host:
            raise APIError(
                403, "pages of other sites may not use this server", code="origin_not_allowed"
            )

    def _check_token(self, path: str, headers: dict[bytes, bytes]) -> None:
        if not self._key or path in _OPEN:
            return
        kind, _, token = headers.get(b"authorization", b"").partition(b" ")
        # In constant time, so that nobody finds the key letter by letter.
        if not (hmac.compare_digest(token.strip(), self._key) and kind.lower() == b"bearer"):
            raise APIError(
                401,
                "a valid API key is needed: Authorization: Bearer …",
                code="invalid_api_key",
                headers={"www-authenticate": "Bearer"},
            )


def _netloc(origin: str) -> str:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""


def _check_length(headers: dict[bytes, bytes], limit: int) -> None:
    length = headers.get(b"content-length", b"0")
    if not length.isdigit() or int(length) > limit:
        raise _too_large(limit)


def _too_large(limit: int) -> APIError:
    return APIError(413, f"the body is larger than {limit:,} bytes", code="too_large")


def _watched(receive: Receive, limit: int) -> Receive:
    """``receive`` that gives up on a body that is too large or takes too long."""
    seen = 0
    complete = False
    deadline: float | None = None

    async def watch() -> Message:
        nonlocal seen, complete, deadline
        if complete:
            return await receive()  # that the client leaves; it need not
        now = asyncio.get_running_loop().time()
        deadline = deadline or now + BODY_PATIENCE
        try:
            message = await asyncio.wait_for(receive(), max(0.0, deadline - now))
        except asyncio.TimeoutError:
            raise APIError(408, "the body took too long", code="timeout") from None
        seen += len(message.get("body", b""))
        complete = not message.get("more_body", False)
        if seen > limit:
            raise _too_large(limit)
        return message

    return watch
