"""/health and /metrics."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tts_toolkit import __version__

DEATH = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")


def test_a_server_that_speaks_is_healthy(builtin):
    reply = builtin.http.get("/health")
    assert reply.status_code == 200
    found = reply.json()
    assert found.pop("cuda_available") in {True, False}
    assert found == {
        "status": "healthy",
        "model_loaded": True,
        "model": "builtin",
        "device": "cpu",
        "version": __version__,
        "waiting": 0,
        "speaking": 0,
        "sending": 0,
    }


def test_until_the_model_is_loaded_it_starts(start, stage, monkeypatch):
    load = stage.load
    monkeypatch.setattr(stage, "load", lambda: stage.gate.wait() and load())
    stage.gate.clear()
    running = start(stage, state="starting")

    reply = running.http.get("/health")
    assert (reply.status_code, reply.json()["status"]) == (503, "starting")
    assert not reply.json()["model_loaded"]
    reply = running.say()
    assert (reply.status_code, reply.json()["error"]["code"]) == (503, "starting")
    assert int(reply.headers["retry-after"]) > 0

    stage.gate.set()
    running.wait()
    assert running.http.get("/health").status_code == 200


def test_who_looks_for_a_card_keeps_nobody_waiting(start, monkeypatch):
    looked = threading.Event()
    monkeypatch.setattr("tts_toolkit.server.app.this_machine", looked.wait)
    monkeypatch.setattr("tts_toolkit.server.app.why_no_cuda", lambda _: "")
    running = start(state="starting")
    try:
        assert running.http.get("/health", timeout=20).json()["cuda_available"] is False
    finally:
        looked.set()
    running.wait()
    assert running.http.get("/health").json()["cuda_available"] is True


def test_one_that_stops_while_it_starts_has_no_model(start, stage, monkeypatch):
    load = stage.load
    monkeypatch.setattr(stage, "load", lambda: stage.gate.wait() and load())
    stage.gate.clear()
    running = start(stage, state="starting")
    running.speaker.drain()
    reply = running.http.get("/health")
    assert (reply.status_code, reply.json()["status"]) == (503, "stopping")
    assert not reply.json()["model_loaded"]
    stage.gate.set()


def test_one_that_stops_while_it_speaks_has_one(start):
    running = start()
    running.spec.gate.clear()
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(running.say)
        running.until(lambda: running.speaker.speaking)
        running.speaker.drain()
        reply = running.http.get("/health").json()
        running.spec.gate.set()
        assert asked.result().status_code == 200
    assert (reply["status"], reply["model_loaded"]) == ("stopping", True)


def test_monitors_may_ask_for_the_head_alone(running):
    reply = running.http.head("/health")
    assert (reply.status_code, reply.content) == (200, b"")
    assert "head" not in running.http.get("/openapi.json").json()["paths"]["/health"]


@DEATH
def test_an_engine_that_has_died_is_told(start):
    running = start()
    reply = running.say("die")
    assert (reply.status_code, reply.json()["error"]["code"]) == (503, "dead")

    running.until(lambda: running.speaker.state == "dead")
    reply = running.http.get("/health")
    assert (reply.status_code, reply.json()["status"]) == (503, "dead")
    assert not reply.json()["model_loaded"]
    reply = running.say()
    assert (reply.status_code, reply.json()["error"]["code"]) == (503, "dead")


@DEATH
def test_who_waits_when_it_dies_is_told_too(start):
    from concurrent.futures import ThreadPoolExecutor

    running = start()
    stage = running.spec
    stage.gate.clear()
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(running.say, "die" if n == 3 else f"Line {n}.") for n in range(8)]
        running.until(lambda: running.speaker.waiting + running.speaker.speaking == 8)
        stage.gate.set()
        replies = [one.result() for one in asked]
    assert {reply.status_code for reply in replies} <= {200, 503}
    assert 503 in {reply.status_code for reply in replies}
    running.until(lambda: running.speaker.idle)


def test_metrics_are_prometheus_s(start):
    from prometheus_client.parser import text_string_to_metric_families

    running = start()
    assert running.say("Hello.").status_code == 200
    assert running.say("boom").status_code == 500
    reply = running.http.get("/metrics")
    assert reply.headers["content-type"].startswith("text/plain")
    found = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(reply.text)
        for sample in family.samples
    }
    assert found["tts_toolkit_queue_length",] == 0
    assert found["tts_toolkit_batch_size",] == 0
    assert found["tts_toolkit_audio_seconds_total",] == pytest.approx(0.05, abs=0.001)
    assert found["tts_toolkit_busy_seconds_total",] > 0
    assert found["tts_toolkit_realtime",] > 0
    assert found["tts_toolkit_latency_seconds_count",] == 1
    assert found["tts_toolkit_first_audio_seconds_count",] == 1
    assert found["tts_toolkit_failures_total", "failed"] == 1
