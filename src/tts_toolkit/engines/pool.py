"""An engine over child processes: the same session contract, several utterances at a time."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tts_toolkit.engines.base import Failed, SegmentReady
from tts_toolkit.engines.wire import from_utterance, receive, send, to_event
from tts_toolkit.errors import EngineError, ModelMissingError

if TYPE_CHECKING:
    from tts_toolkit.engines.base import Engine, EngineInfo, EngineSpec, Event
    from tts_toolkit.utterance import Utterance

# One being said and one waiting, so that a child never idles while the parent writes a file.
_DEPTH = 2
# How long a step waits for a child, in seconds: short enough for an interrupt to be felt at once.
_PATIENCE = 0.05
# So many starts in a row may fail before it is the engine and not an accident.
_STARTS = 3
# A child gets the parent's import path as it is; with ``-m`` its own folder would come first, and
# a user's ``queue.py`` with it.
_PROGRAM = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from tts_toolkit.engines.child import main; main(sys.argv[2])"
)


def open_session(spec: EngineSpec, workers: int) -> Engine:
    """A session in this process for one worker, over child processes for more."""
    return spec.load() if workers == 1 else Pool(spec, workers)


@dataclass(eq=False)
class _Child:
    process: subprocess.Popen[bytes]
    worker: int
    ready: bool = False
    # What it was given and has not finished.
    given: dict[str, Utterance] = field(default_factory=dict)
    # Whether what it was given may kill it, and so is tried by itself.
    on_trial: bool = False
    listener: threading.Thread | None = None

    @property
    def has_room(self) -> bool:
        """Whether it can take one more."""
        return not self.on_trial and len(self.given) < _DEPTH

    def release(self) -> int:
        """Take leave of a process that is dead or dying; its exit code."""
        code = self.process.wait()
        assert self.listener is not None
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.listener.join()
        self.process.stdout.close()
        with suppress(BrokenPipeError):  # an order that it did not live to read
            self.process.stdin.close()
        return code


class Pool:
    """An ``Engine`` over ``workers`` child processes, each with a session of its own.

    A child that dies is replaced, and what it had is tried again, one at a time: which of them
    killed it can't be told. One that kills a child by itself fails.
    """

    def __init__(self, spec: EngineSpec, workers: int) -> None:
        self._spec = spec
        self._inbox: queue.Queue[tuple[_Child, tuple[dict[str, Any], bytes] | None]] = queue.Queue()
        self._suspects: deque[Utterance] = deque()
        self._failed_starts = 0
        self._children = [self._start(worker) for worker in range(workers)]

    @property
    def info(self) -> EngineInfo:
        """What it is: the engine in its children."""
        return self._spec.info

    def has_room(self) -> bool:
        """Whether a child can take an utterance, and none has to be tried again first."""
        return not self._suspects and any(child.has_room for child in self._children)

    def submit(self, utterance: Utterance) -> None:
        """Give an utterance to the child that has least."""
        free = [child for child in self._children if child.has_room]
        self._give(min(free, key=lambda child: len(child.given)), utterance)

    def step(self) -> list[Event]:
        """Wait a moment for the children and hand out what they have done."""
        for child in self._children:
            if self._suspects and not child.given:
                child.on_trial = True
                self._give(child, self._suspects.popleft())
        events: list[Event] = []
        try:
            events += self._read(*self._inbox.get(timeout=_PATIENCE))
            while True:
                events += self._read(*self._inbox.get_nowait())
        except queue.Empty:
            return events

    def cancel(self, utterance_id: str) -> None:
        """Forget an utterance, wherever it is."""
        self._suspects = deque(one for one in self._suspects if one.id != utterance_id)
        for child in self._children:
            if utterance_id in child.given:
                self._take_back(child, utterance_id)
                self._order(child, {"cancel": utterance_id})

    def close(self) -> None:
        """End the children; what they were saying is lost."""
        children, self._children = self._children, []
        for child in children:
            child.process.kill()
        for child in children:
            child.release()

    def _start(self, worker: int) -> _Child:
        process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, json.dumps(sys.path), self._spec.address(worker)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # A session of its own: Ctrl-C reaches the parent alone, which then decides.
            start_new_session=True,
        )
        child = _Child(process, worker)
        child.listener = threading.Thread(target=self._listen, args=(child,), daemon=True)
        child.listener.start()
        return child

    def _listen(self, child: _Child) -> None:
        assert child.process.stdout is not None
        message: tuple[dict[str, Any], bytes] | None = ({}, b"")
        while message is not None:
            message = receive(child.process.stdout)
            self._inbox.put((child, message))

    def _give(self, child: _Child, utterance: Utterance) -> None:
        child.given[utterance.id] = utterance
        self._order(child, {"submit": from_utterance(utterance)})

    def _take_back(self, child: _Child, utterance_id: str) -> None:
        del child.given[utterance_id]
        child.on_trial = False

    def _order(self, child: _Child, order: dict[str, Any]) -> None:
        assert child.process.stdin is not None
        try:
            send(child.process.stdin, order)
        except BrokenPipeError:
            return  # it is dead; its listener tells ``step``, which hands its work on

    def _read(self, child: _Child, message: tuple[dict[str, Any], bytes] | None) -> list[Event]:
        if child not in self._children:
            return []
        if message is None:
            return self._bury(child)
        header, payload = message
        if header["event"] == "ready":
            child.ready = True
            self._failed_starts = 0
            return []
        if header["id"] not in child.given:
            return []  # cancelled meanwhile
        event = to_event(header, payload)
        if not isinstance(event, SegmentReady):
            self._take_back(child, event.id)
        return [event]

    def _bury(self, child: _Child) -> list[Event]:
        """Replace a dead child and hand on what it had."""
        code = child.release()
        self._failed_starts += not child.ready
        if self._failed_starts > _STARTS:
            self._children.remove(child)
            self.close()
            raise ModelMissingError(
                f"the {self.info.name} engine does not start in a process of its own (exit code "
                f"{code}); "
                "its message is above. Try --workers 1"
            )
        self._children[self._children.index(child)] = self._start(child.worker)
        if not (child.on_trial and child.ready):
            self._suspects.extend(child.given.values())
            return []
        reason = f"it kills the process that says it (exit code {code}); write the text otherwise"
        return [Failed(utterance_id, EngineError(reason)) for utterance_id in child.given]
