"""The HTTP server: when it ends."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from socket import socket

import uvicorn

from tts_toolkit.server.descriptors import Shortage
from tts_toolkit.server.limits import DEATH_PATIENCE
from tts_toolkit.server.speaker import Speaker

# Seconds from a signal until what is not finished is given up. Whoever sends SIGTERM waits ten
# seconds by custom, and then sends SIGKILL.
_PATIENCE = 6.0


class Server(uvicorn.Server):
    """Finishes what has a place; uvicorn alone would raise the signal again at the end.

    Args:
        config: uvicorn's.
        speaker: drives the app's engine.
        asked: how often it was asked to end: once to finish what has a place, twice to end now.

    Attributes:
        gave_up: whether it ended because the engine has died: whoever watches over the process
            starts it again, and would not do so for a server that only says that it is dead.
    """

    def __init__(self, config: uvicorn.Config, speaker: Speaker, asked: Callable[[], int]) -> None:
        super().__init__(config)
        self.gave_up = False
        self._speaker = speaker
        self._asked = asked
        self._deadline = 0.0
        self._died = 0.0

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """None: they are counted already."""
        yield

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Begin to listen."""
        asyncio.get_running_loop().set_exception_handler(Shortage())
        await super().startup(sockets)

    async def on_tick(self, counter: int) -> bool:
        """See whether it is time to go."""
        now = time.monotonic()
        if self._asked() and not self._deadline:
            self._deadline = now + _PATIENCE
            self._speaker.drain()
        if self._speaker.state == "dead" and not self._died:
            self._died = now
        if self._speaker.error or self._asked() > 1 or (self._deadline and self._speaker.idle):
            self.should_exit = True
        elif self._deadline and now > self._deadline:
            self._speaker.stop()
            self.should_exit = True
        elif self._died and now > self._died + DEATH_PATIENCE:
            self.gave_up = self.should_exit = True
        return await super().on_tick(counter)
