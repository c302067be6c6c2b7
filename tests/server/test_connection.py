"""Connections that say nothing, take nothing, or are too many."""

import contextlib
import logging
import re
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

HEAD = b"GET /health HTTP/1.1\r\nhost: localhost\r\n"
HURRY = (
    "import sys, tts_toolkit.server.limits as limits\n"
    "limits.HEAD_PATIENCE = 0.5\n"
    "sys.argv = ['tts-toolkit', 'serve', '--port', '0', '--workers', '1']\n"
    "from tts_toolkit.cli import main\n"
    "main()\n"
)


@pytest.fixture
def hasty(start, monkeypatch):
    """A server that does not wait long."""
    monkeypatch.setattr("tts_toolkit.server.connection.HEAD_PATIENCE", 0.2)
    return start()


@contextlib.contextmanager
def connected(running, receive_buffer=0):
    host, port = running.url.removeprefix("http://").split(":")
    with socket.socket() as client:
        if receive_buffer:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        client.settimeout(30)
        client.connect((host, int(port)))
        yield client


def wait_for_end(client):
    """Read until the other side closes it, within the socket's patience."""
    with contextlib.suppress(ConnectionError):
        while client.recv(65536):
            pass


def dribble(client, piece):
    """Send a little at a time until the other side closes it."""
    client.settimeout(0.05)
    deadline = time.monotonic() + 30
    with contextlib.suppress(ConnectionError):
        while True:
            assert time.monotonic() < deadline, "it is still open"
            client.sendall(piece)
            with contextlib.suppress(TimeoutError):
                if not client.recv(65536):
                    return


def reply_of(client):
    """The head of the next reply, and its body."""
    with client.makefile("rb") as file:
        head = b"".join(iter(file.readline, b"\r\n"))
        body = file.read(int(re.search(rb"content-length: (\d+)", head)[1]))
    return head, body


def test_one_that_is_silent_is_closed(hasty):
    with connected(hasty) as client:
        wait_for_end(client)


def test_one_whose_head_does_not_end_is_closed(hasty):
    with connected(hasty) as client:
        client.sendall(HEAD)
        dribble(client, b"x: y\r\n")


def test_one_whose_next_head_does_not_end_is_closed(hasty):
    with connected(hasty) as client:
        client.sendall(HEAD + b"\r\n")
        assert reply_of(client)[0].startswith(b"HTTP/1.1 200 ")
        client.sendall(HEAD)
        dribble(client, b"x: y\r\n")


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"POST /health HTTP/1.1\r\nhost: localhost\r\n", b"405"),
        (b"POST /v1/audio/speech HTTP/1.1\r\nhost: evil.example\r\n", b"403"),
    ],
)
def test_one_whose_body_comes_after_the_reply_is_closed(hasty, head, status):
    with connected(hasty) as client:
        client.sendall(head + b"content-length: 900000\r\n\r\n")
        assert reply_of(client)[0].split(b" ")[1] == status
        dribble(client, b"x")


def test_one_that_takes_nothing_is_closed(hasty, monkeypatch):
    monkeypatch.setattr("tts_toolkit.server.connection.UNREAD_PATIENCE", 0.5)
    open_now = hasty._server.server_state.connections
    with connected(hasty, receive_buffer=4096) as client:
        client.settimeout(1)
        with contextlib.suppress(TimeoutError, ConnectionError):
            while True:  # until the server reads no more of them, since nobody takes the replies
                client.sendall(b"GET /docs HTTP/1.1\r\nhost: localhost\r\n\r\n" * 100)
        hasty.until(lambda: not open_now)


def test_one_that_is_answered_is_not_closed(hasty):
    hasty.spec.gate.clear()
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(hasty.say)
        hasty.until(lambda: hasty.speaker.speaking)
        time.sleep(1)
        hasty.spec.gate.set()
        assert asked.result().status_code == 200


def test_one_that_asks_again_and_again_is_not_closed(hasty):
    """Each head has a time of its own."""
    with connected(hasty) as client:
        until = time.monotonic() + 1
        while time.monotonic() < until:
            client.sendall(HEAD + b"\r\n")
            assert reply_of(client)[0].startswith(b"HTTP/1.1 200 ")


def test_one_too_many_is_closed_at_once(start, monkeypatch):
    monkeypatch.setattr("tts_toolkit.server.connection.most_connections", lambda: 2)
    running = start()
    open_now = running._server.server_state.connections
    with connected(running) as first, connected(running) as second:
        running.until(lambda: len(open_now) == 2)
        with connected(running) as third:
            wait_for_end(third)
        second.sendall(HEAD + b"\r\n")
        assert reply_of(second)[0].startswith(b"HTTP/1.1 200 ")
        first.close()
        running.until(lambda: len(open_now) == 1)
        assert running.http.get("/health").status_code == 200


def test_nobody_is_told_to_install_something_for_websockets(running, caplog):
    headers = {"connection": "upgrade", "upgrade": "websocket", "sec-websocket-key": "x"}
    with caplog.at_level(logging.INFO, logger="uvicorn.error"):
        logging.getLogger("uvicorn.error").addHandler(caplog.handler)
        try:
            assert running.http.get("/health", headers=headers).status_code == 200
        finally:
            logging.getLogger("uvicorn.error").removeHandler(caplog.handler)
    assert "websocket" not in caplog.text.lower()
    assert "upgrade" not in caplog.text.lower()


def test_a_crowd_that_says_nothing_neither_deafens_it_nor_fills_its_log(tmp_path):
    """With so few descriptors that the crowd has more than there are."""
    command = 'ulimit -n 128 && exec "$0" -c "$1"'
    with (
        subprocess.Popen(
            ["sh", "-c", command, sys.executable, HURRY],
            cwd=tmp_path,
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
        contextlib.ExitStack() as crowd,
    ):
        try:
            url = re.match(r"http://[0-9.]+:[0-9]+", process.stderr.readline())[0]
            wait_for_health(url)
            port = int(url.rpartition(":")[2])
            for _ in range(200):
                one = crowd.enter_context(socket.socket())
                one.setblocking(False)
                one.connect_ex(("127.0.0.1", port))
                time.sleep(0.01)  # or most would come while the door is not looked at
            wait_for_health(url)
        finally:
            process.terminate()
            stderr = process.communicate(timeout=20)[1]
    assert "Traceback" not in stderr
    assert len(stderr.splitlines()) < 1000


def wait_for_health(url):
    deadline = time.monotonic() + 60
    while not is_healthy(url):
        assert time.monotonic() < deadline, "it never was"
        time.sleep(0.1)


def is_healthy(url):
    try:
        return httpx2.get(f"{url}/health", timeout=5).status_code == 200
    except httpx2.TransportError:
        return False
