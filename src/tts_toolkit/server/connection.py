"""One connection: how long it may be silent, and whether there is room for it."""

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

from tts_toolkit.server.descriptors import most_connections
from tts_toolkit.server.limits import HEAD_PATIENCE, UNREAD_PATIENCE

# A patience is over at most a quarter of this one later.
_LOOKS = 4


class Connection(H11Protocol):
    """uvicorn's, which is closed if a request's head does not come, or nobody takes its reply.

    uvicorn itself waits for both for ever, once a byte has come. While a request is answered,
    its body and its reply have a patience of their own.
    """

    _since = 0.0  # when it was last seen to get on
    _unread = 0  # bytes that its client had not taken then
    _next_look: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin, if there is room."""
        super().connection_made(transport)
        if len(self.connections) > most_connections():
            transport.abort()
            return
        self._since = self.loop.time()
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        super().connection_lost(exc)
        if self._next_look:
            self._next_look.cancel()

    def on_response_complete(self) -> None:
        """Wait for the next request's head, and for what is left of a body."""
        super().on_response_complete()
        self._since = self.loop.time()

    def _should_upgrade(self) -> bool:
        """Never: a request to is answered as any other, and without advice to install things."""
        return False

    def _look(self) -> None:
        now = self.loop.time()
        unread = self.transport.get_write_buffer_size()
        if unread != self._unread or (self._is_answered and not unread):
            self._since = now
        self._unread = unread
        if now - self._since >= (UNREAD_PATIENCE if unread else HEAD_PATIENCE):
            self.transport.abort()
        else:
            self._next_look = self.loop.call_later(HEAD_PATIENCE / _LOOKS, self._look)

    @property
    def _is_answered(self) -> bool:
        return bool(
            self.cycle and not self.cycle.response_complete and not self.transport.is_closing()
        )
