"""How many connections the descriptors are enough for."""

import asyncio
import errno
import os
import resource
from contextlib import closing

import pytest

from tts_toolkit.server.descriptors import Shortage, most_at_once, most_connections


@pytest.mark.parametrize(
    ("descriptors", "connections", "at_once"),
    [
        (64, 32, 4),
        (256, 128, 16),
        (1024, 512, 64),
        (1_000_000, 1000, 100),
        (resource.RLIM_INFINITY, 1000, 100),
    ],
)
def test_there_is_room_for_files(monkeypatch, descriptors, connections, at_once):
    monkeypatch.setattr(resource, "getrlimit", lambda _: (descriptors, descriptors))
    assert (most_connections(), most_at_once()) == (connections, at_once)


@pytest.fixture
def loop():
    with closing(asyncio.new_event_loop()) as loop:
        yield loop


def complain(loop, number):
    error = OSError(number, os.strerror(number))
    loop.call_exception_handler({"message": "accept() failed", "exception": error})


def test_that_there_are_none_is_said_once(loop, caplog):
    loop.set_exception_handler(Shortage())
    for _ in range(1000):
        complain(loop, errno.EMFILE)
    [record] = caplog.records
    assert record.getMessage().endswith("Too many open files (ulimit -n)")


def test_other_complaints_are_asyncio_s(loop, caplog):
    loop.set_exception_handler(Shortage())
    for _ in range(2):
        complain(loop, errno.EPIPE)
    loop.call_exception_handler({"message": "something else"})
    assert [record.name for record in caplog.records] == ["asyncio"] * 3
