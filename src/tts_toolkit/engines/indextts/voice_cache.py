"""Conditionings by what is in the clip, so that a voice costs its seconds once a machine.

In memory the least recently used go first. On the disk each clip has a safetensors file, which
appears whole or not at all; one that is damaged is made again, and one that can't be written is
only a warning in the log.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections import OrderedDict
from contextlib import suppress
from dataclasses import fields
from typing import TYPE_CHECKING

from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from tts_toolkit.audio.write import write_synced
from tts_toolkit.engines.indextts.voice import Conditioning, condition, emotion_semantic
from tts_toolkit.errors import EngineError
from tts_toolkit.store.sha256 import sha256_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from torch import Tensor

    from tts_toolkit.engines.indextts.checkpoint import Checkpoint

_log = logging.getLogger(__name__)
# Of what the files hold; another number makes them anew.
_FORMAT = 1
# Clips kept in memory; one of 15 seconds is 7 MB.
_KEPT = 64
_NAMES = frozenset(field.name for field in fields(Conditioning)) - {"warnings"}


class VoiceCache:
    """What the model makes of clips, each computed once.

    Args:
        checkpoint: the model.
        revision: what pins its weights; another revision never gets these numbers.
        folder: for the files, made when it is needed; None keeps all in memory.
        kept: how many clips stay in memory, at least 1.
    """

    def __init__(
        self, checkpoint: Checkpoint, revision: str, folder: Path | None, *, kept: int = _KEPT
    ) -> None:
        self._checkpoint = checkpoint
        self._revision = revision
        self._folder = folder
        self._kept = kept
        self._memory: OrderedDict[str, Conditioning | Tensor] = OrderedDict()

    def voice(self, path: Path) -> Conditioning:
        """As ``voice.condition``.

        Raises:
            EngineError: if the clip can't be used.
        """

        def make() -> tuple[dict[str, Tensor], tuple[str, ...]]:
            made = condition(self._checkpoint, path)
            return {name: getattr(made, name) for name in _NAMES}, made.warnings

        key = self._key("voice", path)
        if key not in self._memory:
            tensors, warnings = self._stored(key, _NAMES, make)
            self._remember(key, Conditioning(**tensors, warnings=warnings))
        found = self._recall(key)
        assert isinstance(found, Conditioning)
        return found

    def emotion(self, path: Path) -> Tensor:
        """As ``voice.emotion_semantic``.

        Raises:
            EngineError: if the clip can't be used.
        """
        name = "emotion_semantic"
        key = self._key("emotion", path)
        if key not in self._memory:
            tensors, _ = self._stored(
                key, {name}, lambda: ({name: emotion_semantic(self._checkpoint, path)}, ())
            )
            self._remember(key, tensors[name])
        found = self._recall(key)
        assert not isinstance(found, Conditioning)
        return found

    def _key(self, kind: str, path: Path) -> str:
        try:
            content = sha256_of(path)
        except OSError as error:
            raise EngineError(f"the clip {path} can't be read: {error.strerror}") from error
        # A card's numbers differ from a processor's in the last digits.
        device = self._checkpoint.device.type
        parts = (kind, content, self._revision, device, str(_FORMAT))
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def _remember(self, key: str, value: Conditioning | Tensor) -> None:
        self._memory[key] = value
        while len(self._memory) > self._kept:
            self._memory.popitem(last=False)

    def _recall(self, key: str) -> Conditioning | Tensor:
        self._memory.move_to_end(key)
        return self._memory[key]

    def _stored(
        self,
        key: str,
        names: frozenset[str] | set[str],
        make: Callable[[], tuple[dict[str, Tensor], tuple[str, ...]]],
    ) -> tuple[dict[str, Tensor], tuple[str, ...]]:
        """Tensors and warnings from the disk, or made and put there."""
        if self._folder is None:
            return make()
        file = self._folder / f"{key}.safetensors"
        found = _load(file, names)
        if found is None:
            found = make()
            _save(file, *found)
        tensors, warnings = found
        return {
            name: value.to(self._checkpoint.device) for name, value in tensors.items()
        }, warnings


def _load(
    file: Path, names: frozenset[str] | set[str]
) -> tuple[dict[str, Tensor], tuple[str, ...]] | None:
    """What a file holds, or None if it is not there or not as it was written."""
    if not file.is_file():
        return None
    try:
        with safe_open(file, "pt") as content:
            metadata = content.metadata() or {}
            tensors = {name: content.get_tensor(name) for name in names}
    except (SafetensorError, OSError) as error:
        _log.warning("%s is damaged and is made again: %s", file, error)
        return None
    warnings = metadata.get("warnings", "")
    if metadata.get("sha256") != _digest(tensors, warnings):
        _log.warning("%s is damaged and is made again: its content is not what was written", file)
        return None
    return tensors, tuple(json.loads(warnings))


def _save(file: Path, tensors: dict[str, Tensor], warnings: tuple[str, ...]) -> None:
    """Write a file whole or not at all; a cache that can't be written is no reason to stop."""
    held = {name: value.cpu().contiguous() for name, value in tensors.items()}
    noted = json.dumps(warnings)
    data = save(held, {"warnings": noted, "sha256": _digest(held, noted)})
    # Workers may make the same voice at the same time.
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_synced(part, data)
        part.replace(file)
    except OSError as error:
        _log.warning("%s can't be written, so the voice is made again next time: %s", file, error)
        with suppress(OSError):
            part.unlink()


def _digest(tensors: dict[str, Tensor], warnings: str) -> str:
    digest = hashlib.sha256(warnings.encode())
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(tensors[name].contiguous().numpy().tobytes())
    return digest.hexdigest()
