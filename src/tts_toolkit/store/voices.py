"""The builtin engine's voices on this machine."""

from __future__ import annotations

from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any

from tts_toolkit.errors import DownloadError, OptionError, StorageError
from tts_toolkit.rule import hint


@dataclass(frozen=True)
class Voice:
    """A named voice.

    Attributes:
        name: as in ``--voice``.
        accent: e.g. "American".
        gender: "female" or "male".
        installed: whether its data is here.
        size: of its data, in bytes.
    """

    name: str
    accent: str
    gender: str
    installed: bool
    size: int


def registry() -> dict[str, Any]:
    """Hibari's own: name → {"accent", "gender", "file", "bytes", "sha256", "british", …}."""
    from hibari.voices import VOICES  # noqa: PLC0415 - brings numpy and scipy

    return dict(VOICES)


def installed_path(name: str) -> Path | None:
    """A voice's model on this machine, or None; never fetches it."""
    from hibari.voices import voice_path  # noqa: PLC0415 - brings numpy and scipy

    try:
        return Path(voice_path(name, download_missing=False))
    except FileNotFoundError:
        return None


def voices() -> list[Voice]:
    """Every voice of the builtin engine, the default first."""
    return [
        Voice(
            name, entry["accent"], entry["gender"], installed_path(name) is not None, entry["bytes"]
        )
        for name, entry in registry().items()
    ]


def download_voice(name: str, *, offline: bool = False) -> Path:
    """Fetch a voice's data (8 MB) and check its sha256, unless it is here; the path where it is.

    Raises:
        OptionError: for an unknown name, with the nearest.
        DownloadError: if the network or the file is not as it should be.
        StorageError: if there is no place for it.
    """
    from hibari.voices import voice_path  # noqa: PLC0415 - brings numpy and scipy

    known = registry()
    if name not in known:
        raise OptionError(
            f"no voice is called {name!r}{hint(name, known)} (there are {', '.join(known)})"
        )
    if offline and installed_path(name) is None:
        raise DownloadError(f"the voice {name!r} is not on this machine, and offline is set")
    try:
        return Path(voice_path(name))
    except OSError as error:
        raise StorageError(f"{error.filename}: {error.strerror}") from error
    except (RuntimeError, HTTPException) as error:
        raise DownloadError(str(error).removeprefix("hibari: ")) from error
