"""`tts-toolkit serve` as a process, for the benchmarks that ask it for speech."""

from __future__ import annotations

import asyncio
import re
import signal
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx2
import numpy as np
import psutil
from measure import environment, tts_toolkit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SPEECH = "/v1/audio/speech"
# Sizes and qualities at which a tiny checkpoint says 2 s in a fraction of one.
TINY = ("--max-codes", "50", "--no-normalize", "--raw", "--diffusion-steps", "2")


class Server:
    """A server as a process.

    Args:
        arguments: of ``tts-toolkit serve``.
    """

    def __init__(self, *arguments: object) -> None:
        self.process = subprocess.Popen(
            tts_toolkit("serve", "--port", "0", *arguments),
            env=environment(),
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stderr is not None
        line = self.process.stderr.readline()
        found = re.match(r"http://[0-9.:]+", line)
        assert found, line + self.process.stderr.read()
        self.url = found[0]
        # Its log has to be read, or it would wait for that.
        self._log = subprocess.Popen(["cat"], stdin=self.process.stderr, stdout=subprocess.DEVNULL)
        while not self.healthy():
            time.sleep(0.1)

    def healthy(self) -> bool:
        """Whether it says so."""
        try:
            return httpx2.get(f"{self.url}/health", timeout=10).status_code == 200
        except httpx2.TransportError:
            return False

    def rss(self) -> float:
        """What it and its children hold in memory, in MB."""
        first = psutil.Process(self.process.pid)
        return sum(one.memory_info().rss for one in (first, *first.children())) / 1e6

    def children(self) -> set[int]:
        """Their process ids."""
        return {one.pid for one in psutil.Process(self.process.pid).children()}

    def stop(self) -> tuple[int, float]:
        """Its exit code after SIGTERM, and the seconds that it took."""
        started = time.perf_counter()
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(30)
        self._log.wait(30)
        return code, time.perf_counter() - started


@contextmanager
def serving(*arguments: object) -> Iterator[Server]:
    """A server that is stopped at the end."""
    server = Server(*arguments)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.stop()


@contextmanager
def serving_tiny(folder: Path, *arguments: object) -> Iterator[Server]:
    """A server with IndexTTS of tiny shapes and random weights, which are written to a folder."""
    from tts_toolkit.testing import make_checkpoint  # noqa: PLC0415 - torch

    model = ("--model", "indextts-2.5", "--model-dir", make_checkpoint(folder), "--device", "cpu")
    with serving(*model, *TINY, *arguments) as server:
        yield server


async def crowd(url: str, texts: list[str], clients: int) -> list[tuple[int, float, bytes]]:
    """(status, seconds until the first byte, body) of each text."""
    limits = httpx2.Limits(max_connections=None)
    replies: dict[int, tuple[int, float, bytes]] = {}
    left = iter(enumerate(texts))
    async with httpx2.AsyncClient(base_url=url, timeout=120, limits=limits) as http:

        async def client() -> None:
            for number, text in left:
                replies[number] = await ask(http, text)

        await asyncio.gather(*(client() for _ in range(clients)))
    return [replies[number] for number in range(len(texts))]


async def ask(
    http: httpx2.AsyncClient, text: str, *, voice: str = "alloy"
) -> tuple[int, float, bytes]:
    """One request for PCM: (status, seconds until the first byte, body)."""
    body = {"model": "tts-1", "input": text, "voice": voice, "response_format": "pcm"}
    started = time.perf_counter()
    async with http.stream("POST", SPEECH, json=body) as reply:
        parts = reply.aiter_bytes()
        data = await anext(parts)
        first = time.perf_counter() - started
        async for part in parts:
            data += part
    return reply.status_code, first, data


def said(texts: list[str]) -> dict[str, np.ndarray[Any, Any]]:
    """What the library says."""
    import tts_toolkit as tts  # noqa: PLC0415 - heavy

    with tts.load(model="builtin", workers=2) as synth:
        return {one.utterance.text: one.clip.samples for one in synth.synthesize(texts)}


def alike(data: bytes, samples: np.ndarray[Any, Any]) -> bool:
    """Whether 16 bits of it are the same."""
    heard = np.frombuffer(data, "<i2") / 32767
    return heard.shape == samples.shape and bool(np.abs(heard - samples).max() < 1e-4)
