"""A session whose kernels repeat themselves: the same lines in the same batches, the same bytes."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tts_toolkit.engines.base import Engine, EngineInfo, Event
    from tts_toolkit.utterance import Utterance


class Deterministic:
    """An engine in whose calls torch takes deterministic kernels and whole float32.

    The switches are the process's, so they are set for a call and then as they were before.

    Args:
        engine: a session in float32.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @property
    def info(self) -> EngineInfo:
        """What it is."""
        return self._engine.info

    def has_room(self) -> bool:
        """Whether ``submit`` would be taken now."""
        return self._engine.has_room()

    def submit(self, utterance: Utterance) -> None:
        """Take an utterance."""
        with _repeating():
            self._engine.submit(utterance)

    def step(self) -> list[Event]:
        """Work for a moment."""
        with _repeating():
            return self._engine.step()

    def cancel(self, utterance_id: str) -> None:
        """Forget an utterance."""
        self._engine.cancel(utterance_id)

    def close(self) -> None:
        """Give back what the session holds."""
        self._engine.close()


def prepare() -> None:
    """What has to be set before CUDA starts: cuBLAS repeats itself with this workspace only."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")


@contextmanager
def _repeating() -> Iterator[None]:
    before = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    cudnn = torch.backends.cudnn.flags(
        enabled=torch.backends.cudnn.enabled, deterministic=True, allow_tf32=False
    )
    try:
        torch.use_deterministic_algorithms(mode=True)
        with cudnn:
            yield
    finally:
        torch.use_deterministic_algorithms(mode=before, warn_only=warn_only)
