"""Many clients at a time: together, in bounds, and none in another's place."""

import asyncio
import json
import socket
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx2
import numpy as np
import pytest

from fake_engine import CAPACITY, clip_of
from tts_toolkit.audio.resample import resample
from tts_toolkit.engines.base import Segment, SegmentReady
from tts_toolkit.server.ticket import Ticket
from tts_toolkit.utterance import Utterance


def body(text):
    return {"model": "tts-1", "input": text, "voice": "alloy", "response_format": "pcm"}


async def ask_all(url, texts):
    limits = httpx2.Limits(max_connections=None)
    async with httpx2.AsyncClient(base_url=url, timeout=60, limits=limits) as http:
        asked = [http.post("/v1/audio/speech", json=body(text)) for text in texts]
        return await asyncio.gather(*asked)


def test_requests_that_wait_together_are_spoken_together(running, stage):
    stage.gate.clear()
    with ThreadPoolExecutor(6) as pool:
        asked = [pool.submit(running.say, f"Line {n}.") for n in range(6)]
        running.until(lambda: running.speaker.waiting + running.speaker.speaking == 6)
        stage.gate.set()
        assert {one.result().status_code for one in asked} == {200}
    assert stage.most == CAPACITY


def test_a_crowd_gets_200_or_503_and_nobody_another_s_speech(start, stage):
    running = start(stage, queue=8)
    texts = [f"This is line {n}." for n in range(64)]
    replies = asyncio.run(ask_all(running.url, texts))
    statuses = Counter(reply.status_code for reply in replies)
    assert set(statuses) == {200, 503}
    assert statuses[200] >= 8
    said = {utterance.text: utterance for utterance in stage.said}
    for text, reply in zip(texts, replies, strict=True):
        if reply.status_code == 503:
            assert reply.json()["error"]["code"] == "full"
            assert reply.headers["retry-after"] == "1"
            continue
        wanted = resample(clip_of(said[text]), 24_000).samples
        np.testing.assert_allclose(np.frombuffer(reply.content, "<i2") / 32767, wanted, atol=1e-4)
    running.until(lambda: running.speaker.idle)
    assert running.say("Afterwards.").status_code == 200


def test_a_crowd_is_bounded_by_the_queue(start, stage):
    stage.gate.clear()
    running = start(stage, queue=8)
    with ThreadPoolExecutor(64) as pool:
        asked = [pool.submit(running.say, f"Line {n}.") for n in range(64)]
        running.until(lambda: sum(one.done() for one in asked) >= 64 - 8 - CAPACITY)
        running.until(lambda: running.speaker.waiting == 8)
        speaking = running.http.get("/health").json()["speaking"]
        assert 1 <= speaking <= CAPACITY
        stage.gate.set()
        statuses = Counter(one.result().status_code for one in asked)
    assert statuses == {200: 8 + speaking, 503: 64 - 8 - speaking}


@contextmanager
def asking(running, text, **fields):
    """A request over a plain socket, whose reply nobody reads."""
    data = json.dumps({**body(text), **fields}).encode()
    host, port = running.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as client:
        head = (
            f"POST /v1/audio/speech HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(data)}\r\n\r\n"
        )
        client.sendall(head.encode() + data)
        yield


def leave_after(running, text, condition, **fields):
    """Ask, and go when something is so."""
    with asking(running, text, **fields):
        running.until(condition)


def test_a_client_that_leaves_frees_its_place_in_the_engine(running, stage):
    stage.gate.clear()
    leave_after(running, "Going.", lambda: running.speaker.speaking == 1)
    running.until(lambda: running.speaker.idle)
    stage.gate.set()
    running.until(lambda: stage.cancelled)
    assert stage.cancelled == [stage.said[-1].id]
    assert running.say().status_code == 200


def test_a_client_that_leaves_frees_its_place_in_the_queue(start, stage):
    stage.gate.clear()
    running = start(stage, queue=1)
    with ThreadPoolExecutor(CAPACITY) as pool:
        asked = [pool.submit(running.say, f"Line {n}.") for n in range(1)]
        running.until(lambda: running.speaker.speaking == 1)
        # The engine is in its step, so whoever comes now waits.
        leave_after(running, "Going.", lambda: running.speaker.waiting == 1)
        running.until(lambda: running.speaker.waiting == 0)
        stage.gate.set()
        assert asked[0].result().status_code == 200
    assert "Going." not in {one.text for one in stage.said}


def test_a_client_that_leaves_in_the_middle_frees_its_place(running, stage):
    leave_after(running, "two halves", lambda: not stage.gate.is_set())
    running.until(lambda: running.speaker.idle)
    stage.gate.set()
    running.until(lambda: stage.cancelled)
    assert running.say().status_code == 200


def test_an_engine_that_begins_anew_is_heard_from_where_it_was():
    async def heard():
        ticket = Ticket(Utterance("One. Two."), "tone")
        for number in (0, 1, 0, 1, 2):  # its process died after the second sentence
            segment = Segment(f"{number}", number, number + 1.0)
            ticket.deliver(SegmentReady("", np.zeros(1, np.float32), segment))
        events = ticket.events()
        return [(await anext(events)).segment.text for _ in range(3)]

    assert asyncio.run(heard()) == ["0", "1", "2"]


@pytest.mark.parametrize("form", ["flac", "wav"])
def test_a_reply_that_nobody_takes_is_seen_and_given_up(start, stage, monkeypatch, form):
    """What is made for it is in memory, so it has a place until then."""
    monkeypatch.setattr("tts_toolkit.server.reply.REPLY_PATIENCE", 4.0)
    monkeypatch.setattr("tts_toolkit.server.form.Form.segment", lambda *_: bytes(20_000_000))
    monkeypatch.setattr("tts_toolkit.server.form.Form.whole", lambda *_: bytes(20_000_000))
    running = start(stage, queue=1)
    with asking(running, "Long.", response_format=form):
        running.until(lambda: running.speaker.sending == 1)
        assert "tts_toolkit_sending 1.0" in running.http.get("/metrics").text
        assert running.say().json()["error"]["code"] == "full"
        running.until(lambda: running.speaker.idle)
    assert running.say().status_code == 200
