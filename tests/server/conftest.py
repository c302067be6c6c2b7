"""Servers for the tests: the real one, in a thread, over our own engine or the embedded voice."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from contextlib import ExitStack, contextmanager

import httpx2
import pytest

from fake_engine import Fake, FakeSession, clip_of
from tts_toolkit.config import Options
from tts_toolkit.engines.base import Finished, Segment, SegmentReady
from tts_toolkit.engines.builtin import BUILTIN
from tts_toolkit.server.app import create_app
from tts_toolkit.server.run import bound, serving
from tts_toolkit.server.settings import ServerSettings


class Stage(Fake):
    """The fake engine, held by a gate; "die" in a text kills it, "two" makes two segments."""

    def __init__(self):
        self.gate = threading.Event()
        self.gate.set()
        self.most = 0
        self.said = []
        self.cancelled = []

    def workers(self, _asked, _utterances):
        return 1

    def load(self):
        return StageSession(self)


class StageSession(FakeSession):
    def __init__(self, stage):
        super().__init__(stage.info)
        self._stage = stage
        self._halves = deque()

    def submit(self, utterance):
        super().submit(utterance)
        self._stage.said.append(utterance)
        self._stage.most = max(self._stage.most, len(self.taken))

    def step(self):
        if self.taken and "Hello there." not in self.taken[-1].text:
            self._stage.gate.wait()
        if any("die" in one.text for one in self.taken):
            raise RuntimeError("the engine has caught fire")
        if self.taken and self.taken[-1].text.startswith("two"):
            return self._say_half(self.taken[-1])
        return super().step()

    def _say_half(self, utterance):
        tone = clip_of(utterance)
        second = utterance in self._halves
        start = tone.duration if second else 0.0
        segment = Segment(utterance.text, start, start + tone.duration)
        half = SegmentReady(utterance.id, tone.samples, segment)
        if not second:
            self._halves.append(utterance)
            self._stage.gate.clear()
            return [half]
        self._halves.remove(utterance)
        self.taken.pop()
        if "boom" in utterance.text:
            self.taken.append(utterance)
            return super().step()
        return [half, Finished(utterance.id, tone, (segment,), "", 0.001)]

    def cancel(self, utterance_id):
        self._stage.cancelled.append(utterance_id)
        super().cancel(utterance_id)


def until(condition, seconds=30.0):
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.01)


class Running:
    """A server that answers at ``url``."""

    def __init__(self, spec, folder, options=None, **settings):
        self.spec = spec
        self.folder = folder
        self.settings = ServerSettings(**{"port": 0, **settings})
        self.app, self.speaker = create_app(spec, options or Options(), self.settings, folder)
        self._server = serving(self.app, self.speaker)

    @contextmanager
    def listening(self):
        with bound(self.settings) as listening:
            self.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
            loop = self._server.serve(sockets=[listening])
            thread = threading.Thread(target=lambda: asyncio.run(loop))
            thread.start()
            try:
                with httpx2.Client(base_url=self.url, timeout=60) as self.http:
                    yield self
            finally:
                self._server.should_exit = True
                thread.join(20)
                assert not thread.is_alive()

    def wait(self, state="healthy"):
        until(lambda: self.speaker.state == state and self._server.started)
        return self

    until = staticmethod(until)

    def say(self, text="Good morning.", **fields):
        body = {"model": "tts-1", "input": text, "voice": "alloy", **fields}
        return self.http.post("/v1/audio/speech", json=body)


@contextmanager
def serving_in(folder, spec=None, *, state="healthy", options=None, **settings):
    running = Running(spec or Stage(), folder, options, **settings)
    with running.listening():
        yield running.wait(state)


@pytest.fixture(scope="session")
def serve():
    """A server for a ``with`` block: of a folder for voices, an engine, and settings."""
    return serving_in


@pytest.fixture
def start(tmp_path):
    """Start servers that end with the test."""
    with ExitStack() as servers:
        yield lambda *args, **named: servers.enter_context(serving_in(tmp_path, *args, **named))


@pytest.fixture(scope="session")
def _shared(tmp_path_factory):
    with serving_in(tmp_path_factory.mktemp("voices")) as running:
        yield running


@pytest.fixture
def running(_shared):
    """A server over the stage, which a test leaves as it found it: most tests need no more."""
    stage = _shared.spec
    stage.most = 0
    stage.said.clear()
    stage.cancelled.clear()
    yield _shared
    stage.gate.set()
    _shared.until(lambda: _shared.speaker.idle)
    for one in _shared.http.get("/v1/voices").json()["data"]:
        if one["uploaded"]:
            _shared.http.delete(f"/v1/voices/{one['id']}")


@pytest.fixture
def stage(running):
    """The engine of that server."""
    return running.spec


@pytest.fixture(scope="session")
def builtin(tmp_path_factory):
    """A server with the embedded voice."""
    folder = tmp_path_factory.mktemp("voices")
    with serving_in(folder, BUILTIN, options=Options(workers=1)) as running:
        yield running
