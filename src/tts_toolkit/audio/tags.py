"""What a file says of itself: made by a machine, and by which."""

from __future__ import annotations

from tts_toolkit import __version__


def tags(engine: str, model: str, revision: str) -> dict[str, str]:
    """Libsndfile's string tags for a clip; no dates, so that the same clip is the same bytes."""
    return {
        "software": f"tts-toolkit {__version__}",
        "artist": f"{engine} ({model} {revision})",
        "comment": "AI-generated speech",
    }
