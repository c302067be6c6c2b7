"""The jinja2 environment of a page: its own templates over the common ones."""

from __future__ import annotations

import base64
import hashlib

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined


def page_environment(package: str) -> Environment:
    """Templates that may extend ``frame.html``, with the package's style and script built in.

    Args:
        package: with ``page.html``, ``page.css`` and ``page.js`` in its folder ``templates``.

    Returns:
        An environment that escapes, in which ``style`` and ``script`` are the page's texts, and
        ``style_hash`` and ``script_hash`` what a content-security policy calls them. With these in
        the policy no other style or script counts.
    """
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package), PackageLoader("tts_toolkit.pages")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style, script = (environment.get_template(name).render() for name in ("page.css", "page.js"))
    style = environment.get_template("common.css").render() + style
    environment.globals |= {
        "style": style,
        "style_hash": _hash(style),
        "script": script,
        "script_hash": _hash(script),
    }
    return environment


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
