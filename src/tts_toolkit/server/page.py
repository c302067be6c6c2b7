"""``GET /``: a page to speak with, and ``/docs``: what there is to call."""

import base64
import hashlib
from typing import Any

from fastapi import APIRouter, FastAPI
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse

from tts_toolkit.server.limits import MAX_CLIP, MAX_TEXT
from tts_toolkit.server.shelf import NAME


def page_routes(app: FastAPI, *, needs_key: bool) -> APIRouter:
    """The routes. The pages are made once and ask nobody but this server for anything."""
    environment = Environment(
        loader=PackageLoader("tts_toolkit.server"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    script, style = (environment.get_template(f"page.{kind}").render() for kind in ("js", "css"))
    policy = "; ".join(
        (
            "default-src 'none'",
            # With their hashes in the policy, no other script or style counts.
            f"script-src '{_digest(script)}'",
            f"style-src '{_digest(style)}'",
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

    @router.get("/")
    async def page() -> HTMLResponse:
        return HTMLResponse(home, headers=headers)

    @router.get("/docs")
    async def docs() -> HTMLResponse:
        listing = environment.get_template("docs.html").render(calls=_calls(app.openapi()))
        return HTMLResponse(listing, headers=headers)

    return router


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


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
    for kind in content.values():
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
    return []
