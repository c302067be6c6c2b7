"""The one thread that drives the engine, for everyone who asks."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING, Literal

from tts_toolkit.engines.base import Failed, Finished, SegmentReady
from tts_toolkit.engines.drive import drive
from tts_toolkit.errors import TTSToolkitError
from tts_toolkit.server.ticket import Ended

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tts_toolkit.engines.base import Engine, Event
    from tts_toolkit.server.metrics import Metrics
    from tts_toolkit.server.ticket import Ticket
    from tts_toolkit.utterance import Utterance

State = Literal["starting", "healthy", "stopping", "dead"]
_log = logging.getLogger(__name__)


class RefusedError(Exception):
    """There is no place: ``reason`` is "full", "starting", "stopping" or "dead"."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Speaker:
    """Loads an engine in a thread of its own and feeds it while it has room.

    So requests that wait together are spoken together, as far as the engine can.

    Args:
        load: makes the session; called in the thread.
        warm_up: said before the first request, so that "healthy" is a promise.
        queue: how many may wait.
        metrics: where things are counted.

    Attributes:
        state: what it does.
        error: why the engine could not be loaded, or None.
    """

    def __init__(
        self,
        load: Callable[[], Engine],
        warm_up: Sequence[Utterance],
        *,
        queue: int,
        metrics: Metrics,
    ) -> None:
        self.state: State = "starting"
        self.error: TTSToolkitError | None = None
        self._load = load
        self._warm_up = warm_up
        self._queue = queue
        self._metrics = metrics
        # Of what follows, and of the state. Held for a moment only: the event loop takes it too.
        self._changed = threading.Condition()
        self._closing = False
        self._open: dict[str, Ticket] = {}
        self._waiting: dict[str, Ticket] = {}
        self._spoken: dict[str, Ticket] = {}
        self._cancelled: list[str] = []
        # A step can't be interrupted, and no exit waits for it.
        self._thread = threading.Thread(target=self._run, name="tts-toolkit-engine", daemon=True)
        metrics.watch(lambda: self.waiting, lambda: self.speaking, lambda: self.sending)

    @property
    def waiting(self) -> int:
        """How many wait for the engine."""
        return len(self._waiting)

    @property
    def speaking(self) -> int:
        """How many are in the engine."""
        return len(self._spoken)

    @property
    def sending(self) -> int:
        """How many are spoken and not yet taken by their clients."""
        return len(self._open) - len(self._waiting) - len(self._spoken)

    @property
    def idle(self) -> bool:
        """Whether nobody has a place."""
        return not self._open

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin to load."""
        self._thread.start()

    def submit(self, ticket: Ticket) -> None:
        """Give a ticket a place until it is closed.

        Raises:
            RefusedError: if there is none.
        """
        with self._changed:
            if self.state != "healthy":
                raise RefusedError(self.state)
            # A clip that a client is slow to take is in memory all the while.
            if self.waiting >= self._queue or self.sending >= self._queue:
                raise RefusedError("full")
            name = ticket.utterance.id
            self._open[name] = self._waiting[name] = ticket
            ticket.on_close.append(lambda: self._leave(name))
            self._changed.notify()

    def drain(self) -> None:
        """Take nothing new; what has a place is finished."""
        with self._changed:
            if self.state != "dead":
                self.state = "stopping"

    def stop(self) -> None:
        """End the thread after its step, and tell whoever still waits."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self.drain()
        self._tell(Ended("stopping", "the server is stopping"))

    def join(self, timeout: float) -> None:
        """Wait for the thread, for so many seconds."""
        self._thread.join(timeout)

    def _run(self) -> None:
        try:
            with closing(self._load()) as engine:
                self._say_hello(engine)
                with self._changed:
                    if self.state == "starting":
                        self.state = "healthy"
                while self._take(engine):
                    self._step(engine)
        except TTSToolkitError as error:
            if self.state == "starting":
                self.error = error
            _log.error("%s", error)
        finally:
            # Whatever else was raised goes on to the thread's hook, which prints it.
            with self._changed:
                if not self._closing:
                    self.state = "dead"
            self._tell(Ended("dead", "the engine has died; the server has to be started again"))

    def _say_hello(self, engine: Engine) -> None:
        for event in drive(engine, self._warm_up, stopped=lambda: self._closing):
            if isinstance(event, Failed):
                _log.warning("the first words failed: %s", event.error)

    def _take(self, engine: Engine) -> bool:
        """Wait for work and give it to the engine; false when it is time to go."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._closing or self._waiting or self._spoken or self._cancelled
            )
            if self._closing:
                return False
            cancelled, self._cancelled = self._cancelled, []
        for name in cancelled:
            engine.cancel(name)
        while engine.has_room():
            with self._changed:
                name = next(iter(self._waiting), "")
                if not name:
                    break
                ticket = self._spoken[name] = self._waiting.pop(name)
            engine.submit(ticket.utterance)
        return True

    def _step(self, engine: Engine) -> None:
        started = time.perf_counter()
        events = engine.step()
        self._metrics.busy(time.perf_counter() - started)
        for event in events:
            with self._changed:
                ticket = self._spoken.get(event.id)
                if not isinstance(event, SegmentReady):
                    self._spoken.pop(event.id, None)
            if ticket:  # else it has left meanwhile
                self._count(ticket, event)
                ticket.deliver(event)

    def _count(self, ticket: Ticket, event: Event) -> None:
        if isinstance(event, SegmentReady) and not ticket.heard:
            self._metrics.first_audio(ticket.since)
        elif isinstance(event, Finished):
            self._metrics.finished(ticket.since, event.clip.duration)
        elif isinstance(event, Failed):
            self._metrics.failed("failed")

    def _leave(self, name: str) -> None:
        with self._changed:
            self._open.pop(name, None)
            spoken = self._spoken.pop(name, None)
            if self._waiting.pop(name, None) or spoken:
                self._metrics.failed("left")
            if spoken:
                self._cancelled.append(name)
                self._changed.notify()

    def _tell(self, ended: Ended) -> None:
        with self._changed:
            unfinished = {**self._waiting, **self._spoken}
            self._waiting.clear()
            self._spoken.clear()
        for ticket in unfinished.values():
            self._metrics.failed(ended.state)
            ticket.deliver(ended)
