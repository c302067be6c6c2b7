"""The server as a process: it starts, is told to stop, finishes what it has, and exits with 0."""

import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

LONG = " ".join(f"This is sentence number {n} of a long text." for n in range(40))


@pytest.fixture
def process(tmp_path):
    """A server of its own, and a client that knows it."""
    with subprocess.Popen(
        [sys.executable, "-m", "tts_toolkit", "serve", "--port", "0", "--workers", "1"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        line = process.stderr.readline()
        url = re.match(r"(http://127.0.0.1:[0-9]+) \(builtin: ", line)[1]
        with httpx2.Client(base_url=url, timeout=60) as process.http:
            try:
                yield process
            finally:
                process.kill()


def healthy(process):
    deadline = time.monotonic() + 30
    while _status(process) != 200:
        assert time.monotonic() < deadline, process.stderr.read()
        time.sleep(0.05)


def _status(process):
    try:
        return process.http.get("/health").status_code
    except httpx2.TransportError:
        return 0


def say(process, text):
    body = {"model": "tts-1", "input": text, "response_format": "pcm"}
    return process.http.post("/v1/audio/speech", json=body)


def speaking(process):
    return process.http.get("/health").json()["speaking"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_server_exits_with_0(process, number):
    healthy(process)
    started = time.monotonic()
    process.send_signal(number)
    _, stderr = process.communicate(timeout=20)
    assert process.returncode == 0, stderr
    assert time.monotonic() - started < 5
    assert "Traceback" not in stderr


def test_a_server_that_starts_exits_with_0(process):
    process.send_signal(signal.SIGTERM)
    _, stderr = process.communicate(timeout=20)
    assert process.returncode == 0, stderr


def test_what_is_in_flight_is_finished_and_nothing_new_begun(process):
    healthy(process)
    with ThreadPoolExecutor(2) as pool:
        asked = pool.submit(say, process, LONG[:700])
        while not speaking(process):
            time.sleep(0.01)
        started = time.monotonic()
        process.send_signal(signal.SIGTERM)
        statuses = []
        while not asked.done() and (status := _status(process)):
            if status == 503:
                statuses.append(say(process, "More.").status_code)
        done = asked.result()
    _, stderr = process.communicate(timeout=20)
    assert process.returncode == 0, stderr
    assert time.monotonic() - started < 10
    assert done.status_code == 200
    assert len(done.content) > 24_000 * 2 * 20
    assert set(statuses) == {503}
    assert "Traceback" not in stderr


def test_what_takes_too_long_is_given_up(process):
    healthy(process)
    with ThreadPoolExecutor(30) as pool:
        asked = [pool.submit(say, process, LONG) for _ in range(30)]
        while not speaking(process):
            time.sleep(0.01)
        started = time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.wait(20)
        assert time.monotonic() - started < 10
        ends = {_end_of(one) for one in asked}
    assert process.returncode == 0, process.stderr.read()
    assert ends <= {200, 503, "cut"}
    assert 503 in ends


def _end_of(asked):
    try:
        return asked.result().status_code
    except httpx2.TransportError:
        return "cut"
