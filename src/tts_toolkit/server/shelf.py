"""Voices that were uploaded: names, and the clips behind them."""

from __future__ import annotations

import secrets
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tts_toolkit.audio.formats import audio_format
from tts_toolkit.audio.write import encode, write_synced

if TYPE_CHECKING:
    from pathlib import Path

    from tts_toolkit.clip import Clip

# The hyphen is escaped because a browser's pattern wants it so.
NAME = r"^[A-Za-z0-9][A-Za-z0-9_\-]{0,63}$"


@dataclass(frozen=True)
class Uploaded:
    """A voice on the shelf.

    Attributes:
        path: of its clip, named by us.
        duration: of the clip, in seconds.
    """

    path: Path
    duration: float


class Shelf:
    """Uploaded voices, kept as long as the server runs. Used in the event loop, but for ``write``.

    Args:
        folder: for the clips; it goes with the server.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._voices: dict[str, Uploaded] = {}
        self._used: Counter[Path] = Counter()
        self._doomed: set[Path] = set()

    @property
    def voices(self) -> dict[str, Uploaded]:
        """By name, the oldest first."""
        return dict(self._voices)

    def write(self, clip: Clip) -> Uploaded:
        """Put a clip into the folder, under a name that no client has any part in.

        It is written anew, so nothing of what came but its sound gets as far as an engine.
        """
        path = self._folder / f"{secrets.token_hex(16)}.wav"
        wav = audio_format("wav", None, clip.sampling_rate)
        write_synced(path, encode(clip.samples, wav, {}))
        return Uploaded(path, clip.duration)

    def add(self, name: str, voice: Uploaded) -> None:
        """Give a clip its name."""
        self._voices[name] = voice

    def remove(self, name: str) -> None:
        """Forget a name; its clip goes when nobody is speaking with it."""
        path = self._voices.pop(name).path
        self._doomed.add(path)
        self._sweep(path)

    def borrow(self, name: str) -> Path:
        """A voice's clip, which stays until it is given back."""
        path = self._voices[name].path
        self._used[path] += 1
        return path

    def give_back(self, path: Path) -> None:
        """One user less."""
        self._used[path] -= 1
        self._sweep(path)

    def _sweep(self, path: Path) -> None:
        if path in self._doomed and not self._used[path]:
            self._doomed.discard(path)
            del self._used[path]
            path.unlink(missing_ok=True)
