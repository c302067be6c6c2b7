"""A request's place with the engine: what goes in, and what comes back."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tts_toolkit.engines.base import SegmentReady

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tts_toolkit.engines.base import Event
    from tts_toolkit.utterance import Utterance


@dataclass(frozen=True)
class Ended:
    """The engine will say no more.

    Attributes:
        state: of the server: "stopping" or "dead".
        reason: in words.
    """

    state: str
    reason: str


class Ticket:
    """One utterance on its way through the engine. Made in the event loop that reads it.

    Args:
        utterance: what to say; its id is the ticket's.
        voice: the voice's name, as the client knows it.
    """

    def __init__(self, utterance: Utterance, voice: str) -> None:
        self.utterance = utterance
        self.voice = voice
        self.since = time.perf_counter()
        self.heard_s = 0.0
        self.on_close: list[Callable[[], None]] = []
        self._loop = asyncio.get_running_loop()
        self._events: asyncio.Queue[Event | Ended] = asyncio.Queue()

    @property
    def heard(self) -> bool:
        """Whether there was any sound yet."""
        return self.heard_s > 0.0

    def deliver(self, event: Event | Ended) -> None:
        """Hand an event over, from one thread at a time.

        What was heard is not handed over again: an engine whose process died begins anew.
        """
        if isinstance(event, SegmentReady):
            if event.segment.start < self.heard_s:
                return
            self.heard_s = event.segment.end
        with suppress(RuntimeError):  # the loop is closed: nobody reads any more
            self._loop.call_soon_threadsafe(self._events.put_nowait, event)

    async def events(self) -> AsyncIterator[Event | Ended]:
        """What the engine makes of it; the last one is no ``SegmentReady``."""
        while True:
            event = await self._events.get()
            yield event
            if not isinstance(event, SegmentReady):
                return

    def close(self) -> None:
        """Give the place back, finished or not."""
        callbacks, self.on_close = self.on_close, []
        for callback in callbacks:
            callback()
