"""Errors as OpenAI's API tells them: ``{"error": {"message", "type", "param", "code"}}``."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException as StarletteHTTPException

# nginx's status for a client that has left; nobody reads it.
CLIENT_LEFT = 499
_SERVER_SIDE = 500
_CODES = {404: "unknown_url", 405: "method_not_allowed"}
# Characters of a client's text that a message repeats, and problems that it tells.
_SHOWN = 100
_TOLD = 3
# What pydantic says in words of Python, by the type of the problem.
_WORDS = {
    "bool_parsing": "has to be true or false",
    "extra_forbidden": "there is no such field",
    "missing": "is missing",
    "string_unicode": "has half of a surrogate pair, which is no character",
}
_JSON = "the body has to be JSON in UTF-8"
# What Python's JSON raises beside its own error.
_UNREADABLE: Sequence[tuple[type[Exception], str]] = (
    (RecursionError, "the body is nested too deep"),
    (UnicodeError, _JSON),
    (ValueError, "the body has a number with too many digits"),
)


class APIError(HTTPException):
    """What a client is told, instead of what it asked for.

    Args:
        status: HTTP's.
        message: what is wrong and what to do.
        code: one word for programs.
        param: the field that is wrong.
        headers: of the reply.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str,
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, message, dict(headers or {}))
        self.code = code
        self.param = param

    @property
    def body(self) -> dict[str, Any]:
        """As JSON has it."""
        kind = "server_error" if self.status_code >= _SERVER_SIDE else "invalid_request_error"
        error = {"message": self.detail, "type": kind, "param": self.param, "code": self.code}
        return {"error": error}

    def response(self) -> Response:
        """The reply."""
        # ASCII: a field's name may have half of a surrogate pair, which is no UTF-8.
        return Response(
            json.dumps(self.body), self.status_code, self.headers, media_type="application/json"
        )


def shown(text: str) -> str:
    """A client's text as a message repeats it: no more than its beginning."""
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def tell_errors(app: FastAPI) -> None:
    """Have the app tell every error that way."""
    app.add_exception_handler(StarletteHTTPException, _http)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(Exception, _unexpected)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, StarletteHTTPException)
    if isinstance(error, APIError):
        return error.response()
    place = shown(f"{request.method} {request.url.path}")
    message = str(error.detail)
    if error.status_code in _CODES:
        message = f"{message}: {place}; GET /docs lists what there is"
    for kind, reason in _UNREADABLE:
        if isinstance(error.__cause__, kind):
            message = reason
            break
    code = _CODES.get(error.status_code, "invalid_request")
    return APIError(error.status_code, message, code=code, headers=error.headers).response()


async def _validation(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found = list(dict.fromkeys(_described(problem) for problem in error.errors()))
    told = [f"{param}: {text}" if param else text for param, text in found[:_TOLD]]
    if len(found) > _TOLD:
        told.append(f"and {len(found) - _TOLD:,} more")
    return APIError(
        400, "; ".join(told), code="invalid_value", param=found[0][0] or None
    ).response()


def _described(problem: Mapping[str, Any]) -> tuple[str, str]:
    """The field that a problem is in ("" for the body as a whole), and what it is."""
    # ("body", "voice", "id"): the place, the field, and what in it.
    place: Sequence[Any] = problem["loc"]
    kind = problem["type"]
    said = _WORDS.get(kind, str(problem["msg"]).removeprefix("Value error, "))
    if kind == "json_invalid":
        return "", f"{_JSON}: {problem['ctx']['error']} at character {place[1]:,}"
    if len(place) == 1:
        if kind == "string_unicode":
            return "", f"a field's name {said}"
        whole = "the body has to be a JSON object (Content-Type: application/json)"
        return "", said if kind == "value_error" else whole
    if "UploadFile" in said:
        said = "has to be a file, as curl sends it with -F file=@clip.wav"
    return shown(str(place[1])), said.removeprefix("Input ")


async def _unexpected(_request: Request, _error: Exception) -> Response:
    return APIError(500, "the server failed; its log says more", code="internal").response()
