"""The acceptance run's page: what both programs said, side by side, to listen to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PackageLoader, StrictUndefined


def write_page(path: Path, **content: Any) -> None:
    """Write the page.

    Args:
        path: beside the folders with the audio.
        **content: what ``listening_page.html`` shows; see there.
    """
    environment = Environment(
        # The colours and the players are those of the report that a run leaves.
        loader=ChoiceLoader(
            [FileSystemLoader(Path(__file__).parent), PackageLoader("tts_toolkit.report")]
        ),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = environment.get_template("listening_page.html").render(content)
    path.write_text(page, encoding="utf-8")
