"""``GET /``: a page to speak with, and ``/docs``: what there is to call."""

from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.responses import HTMLResponse

from tts_toolkit.pages.environment import page_environment
from tts_toolkit.server.limits import MAX_CLIP, MAX_TEXT
from tts_toolkit.server.shelf import NAME


def page_routes(app: FastAPI, *, needs_key: bool) -> APIRouter:
    """The routes. The pages are made once and ask nobody but this server for anything."""
    environment = page_environment("tts_toolkit.server")
    policy = "; ".join(
        (
            "default-src 'none'",
            f"script-src '{environment.globals['script_hash']}'",
            f"style-src '{environment.globals['style_hash']}'",
            "connect-src 'self'",
            "media-src blob:",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )
    headers = {"content-security-policy": policy, "cache-control": "no-cache"}
    home = environment.get_template("page.html").render(
        needs_key=needs_key,
        max_text=MAX_TEXT,
        max_clip=MAX_CLIP,
        name_pattern=NAME.strip("^$"),
    )
    router = APIRouter(include_in_schema=False)

    @router.api_route("/", methods=["GET", "HEAD"])
    async def page() -> HTMLResponse:
        return HTMLResponse(home, headers=headers)

    @router.api_route("/docs", methods=["GET", "HEAD"])
    async def docs() -> HTMLResponse:
        listing = environment.get_template("docs.html").render(calls=_calls(app.openapi()))
        return HTMLResponse(listing, headers=headers)

    return router


def _calls(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The document's operations, with their fields, as the template wants them."""
    return [
        {
            "method": method.upper(),
            "path": path,
            "summary": operation["summary"],
            "description": operation["description"],
            "fields": _fields(document, operation),
            "replies": {
                status: answer["description"] for status, answer in operation["responses"].items()
            },
        }
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def _fields(document: dict[str, Any], operation: dict[str, Any]) -> list[dict[str, Any]]:
    content = operation.get("requestBody", {}).get("content", {})
    if not content:
        return []
    (kind,) = content.values()
    name = kind["schema"]["$ref"].rpartition("/")[2]
    schema = document["components"]["schemas"][name]
    return [
        {
            "name": field,
            "required": field in schema.get("required", []),
            "about": about.get("description", ""),
            "words": ", ".join(about.get("enum", [])),
        }
        for field, about in schema["properties"].items()
    ]
