"""The server as a process: it starts, is told to stop, finishes what it has, and exits with 0."""

import os
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
        env={**os.environ, "TMPDIR": str(tmp_path)},
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


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_an_idle_server_exits_with_0_and_leaves_no_voices(process, number, tmp_path):
    healthy(process)
    assert list(tmp_path.glob("tts-toolkit-voices-*"))
    started = time.monotonic()
    process.send_signal(number)
    _, stderr = process.communicate(timeout=20)
    assert process.returncode == 0, stderr
    assert time.monotonic() - started < 5
    assert "Traceback" not in stderr
    assert not list(tmp_path.glob("tts-toolkit-voices-*"))


def test_a_server_that_starts_exits_with_0(process):
    process.send_signal(signal.SIGTERM)
    _, stderr = process.communicate(timeout=20)
    assert process.returncode == 0, stderr


def program(*lines):
    """A process that runs the lines, and then the server."""
    lines = (
        "import os, signal, sys",
        *lines,
        "sys.argv = ['tts-toolkit', 'serve', '--port', '0', '--workers', '1']",
        "from tts_toolkit.cli import main",
        "main()",
    )
    return subprocess.run(
        [sys.executable, "-c", "\n".join(lines)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("number", ["SIGTERM", "SIGINT", "SIGHUP"])
@pytest.mark.parametrize(
    "moment", ["tts_toolkit.config.resolve", "tts_toolkit.engines.choose.choose"]
)
def test_a_server_that_has_not_begun_to_start_exits_with_0(moment, number):
    module, _, name = moment.rpartition(".")
    done = program(
        f"import {module} as module",
        f"real = module.{name}",
        f"def first(*args, **named): os.kill(os.getpid(), signal.{number}); "
        "return real(*args, **named)",
        f"module.{name} = first",
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_under_nohup_a_hangup_is_none():
    done = program(
        "signal.signal(signal.SIGHUP, signal.SIG_IGN)",
        "import tts_toolkit.server.run as run",
        "def run_server(*_, asked, say):",
        "    for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):",
        "        os.kill(os.getpid(), number)",
        "    print(asked())",
        "run.run_server = run_server",
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "2\n", "")


def test_a_server_whose_engine_has_died_exits_with_1():
    """So that whoever watches over it starts it again."""
    done = program(
        "import tts_toolkit.server.limits as limits",
        "limits.DEATH_PATIENCE = 0.5",
        "from tts_toolkit.engines.pool import Pool",
        "Pool.step = None",
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1] == (
        "Error: the engine has died, and the server ends; it has to be started again"
    )


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
