"""A pool's child process: one engine session behind a pair of pipes.

Started by ``pool`` with the engine's address. It needs no ``__main__`` guard in the program that
uses the pool, and no pickle.
"""

from __future__ import annotations

import os
import queue
import signal
import threading
from collections import deque
from importlib import import_module
from operator import attrgetter
from typing import TYPE_CHECKING, Any, BinaryIO

from tts_toolkit.engines.base import SegmentReady
from tts_toolkit.engines.wire import from_event, receive, send, to_utterance

if TYPE_CHECKING:
    from tts_toolkit.engines.base import Engine, EngineSpec
    from tts_toolkit.utterance import Utterance


def main(address: str) -> None:
    """Serve the parent until it closes our input, or dies."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what an interrupt means
    orders: queue.Queue[dict[str, Any]] = queue.Queue()
    # Not ``sys.stdin``: at its end Python locks that, and aborts if a thread is reading from it.
    inbox = os.fdopen(os.dup(0), "rb")
    outbox = _own_stdout()
    spec = _spec(address)
    threading.Thread(target=_listen, args=(inbox, orders), daemon=True).start()
    engine = spec.load()
    send(outbox, {"event": "ready"})
    _serve(engine, orders, outbox)


def _spec(address: str) -> EngineSpec:
    place, _, text = address.partition("?")
    module, _, attribute = place.partition(":")
    found = attrgetter(attribute)(import_module(module))
    spec: EngineSpec = found(text) if text else found
    return spec


def _own_stdout() -> BinaryIO:
    """Our standard output for messages alone; what a library prints goes to standard error."""
    outbox = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return outbox


def _listen(inbox: BinaryIO, orders: queue.Queue[dict[str, Any]]) -> None:
    """Pass orders on; leave at once when the parent is gone, even in the middle of a sentence."""
    while (message := receive(inbox)) is not None:
        orders.put(message[0])
    os._exit(0)


def _serve(engine: Engine, orders: queue.Queue[dict[str, Any]], outbox: BinaryIO) -> None:
    waiting: deque[Utterance] = deque()
    busy: set[str] = set()
    while True:
        idle = not busy and not waiting
        while idle or not orders.empty():
            order = orders.get()
            idle = False
            if "submit" in order:
                waiting.append(to_utterance(order["submit"]))
            else:
                engine.cancel(order["cancel"])
                busy.discard(order["cancel"])
                waiting = deque(u for u in waiting if u.id != order["cancel"])
        while waiting and engine.has_room():
            busy.add(waiting[0].id)
            engine.submit(waiting.popleft())
        for event in engine.step():
            header, payload = from_event(event)
            if not isinstance(event, SegmentReady):
                busy.discard(event.id)
            try:
                send(outbox, header, payload)
            except BrokenPipeError:
                os._exit(0)
