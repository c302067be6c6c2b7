"""`tts-toolkit serve` under load: 32 clients, batching, and minutes of clients that misbehave.

    python benchmarks/serve_load.py --part load

Every clip is compared with what the library says, sample for sample. IndexTTS has a tiny checkpoint
with random weights, whose texts are all equally long.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import numpy as np
import psutil
import sentences
from measure import Bar, conclude, environment, machine, parser, tts_toolkit

if TYPE_CHECKING:
    from collections.abc import Iterator

CLIENTS = 32
PARTS = ("load", "batching", "chaos")
_SPEECH = "/v1/audio/speech"
_TINY = ("--max-codes", "50", "--no-normalize", "--raw", "--diffusion-steps", "2")


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


def main() -> int:
    """Measure and print; 1 if a bar is missed."""
    arguments = parser(__doc__)
    arguments.add_argument("--part", choices=PARTS, action="append", help="(default: all)")
    arguments.add_argument("--requests", type=int, default=500)
    arguments.add_argument("--minutes", type=float, default=10.0)
    given = arguments.parse_args()
    where = machine()
    bars: list[Bar] = []
    figures: dict[str, Any] = {}
    for part in given.part or PARTS:
        if part == "load":
            figures[part] = load(given.requests, bars)
        elif part == "batching":
            with tempfile.TemporaryDirectory(dir=given.work) as scratch:
                figures[part] = batching(Path(scratch), bars)
        else:
            figures[part] = chaos(given.minutes, bars)
        print(f"{part}: {json.dumps(figures[part])}")
    return conclude("serve_load", figures, bars, where=where, save=given.save)


def load(requests: int, bars: list[Bar]) -> dict[str, Any]:
    """Clients that ask again as soon as they have their answer."""
    texts = sentences.short(requests)
    wanted = said(texts)
    with serving("--model", "builtin") as server:
        started = time.perf_counter()
        replies = asyncio.run(crowd(server.url, texts, CLIENTS))
        seconds = time.perf_counter() - started
        code, farewell = server.stop()
    wrong = [
        text
        for text, (status, _, data) in zip(texts, replies, strict=True)
        if status != 200 or not alike(data, wanted[text])
    ]
    firsts = sorted(first for _, first, _ in replies)
    p95 = firsts[int(0.95 * len(firsts))]
    bars += [
        Bar(f"requests of {requests} that failed or are wrong", len(wrong), 0),
        Bar(f"p95 of the first byte, {CLIENTS} clients", p95, 1.0, unit="s"),
        Bar("exit code after SIGTERM", code, 0),
    ]
    audio = sum(len(data) for _, _, data in replies) / 48_000
    return {
        "requests_a_second": round(requests / seconds, 2),
        "first_byte_p50_s": round(firsts[len(firsts) // 2], 3),
        "first_byte_p95_s": round(p95, 3),
        "x_realtime": round(audio / seconds, 1),
        "farewell_s": round(farewell, 2),
    }


def batching(scratch: Path, bars: list[Bar]) -> dict[str, Any]:
    """Requests a second of sixteen clients and of one."""
    from tts_toolkit.testing import make_checkpoint  # noqa: PLC0415 - torch

    folder = make_checkpoint(scratch / "tiny")
    rates = {}
    with serving(
        "--model", "indextts-2.5", "--model-dir", folder, "--device", "cpu", *_TINY
    ) as one:
        for clients in (1, 16, 1, 16):
            texts = [f"This is line {n:03}." for n in range(4 * clients + 4)]
            started = time.perf_counter()
            replies = asyncio.run(crowd(one.url, texts, clients))
            assert {status for status, _, _ in replies} == {200}
            rates[clients] = len(texts) / (time.perf_counter() - started)
    bars.append(
        Bar("16 clients against one, requests a second", rates[16] / rates[1], 3.0, at_least=True)
    )
    return {f"requests_a_second_{clients}": round(rate, 3) for clients, rate in rates.items()}


def chaos(minutes: float, bars: list[Bar]) -> dict[str, Any]:
    """Good requests among clients that leave, send what is no request, and send too much."""
    texts = sentences.ordinary(200)
    wanted = said(texts)
    with serving("--model", "builtin", "--queue", "8") as server:
        asyncio.run(misbehave(server, texts, wanted, 5.0, Counter()))  # until caches are full
        before, children = server.rss(), server.children()
        ends: Counter[str] = Counter()
        asyncio.run(misbehave(server, texts, wanted, 60 * minutes, ends))
        grown = server.rss() - before
        dead = len(children - server.children())
        code, _ = server.stop()
    bars += [
        Bar(f"MB more after {minutes:g} minutes of chaos", grown, 50, unit="MB"),
        Bar("wrong replies in chaos", ends["wrong"], 0),
        Bar("wrong health in chaos", ends["unwell"], 0),
        Bar("workers that died in chaos", dead, 0),
        Bar("exit code after SIGTERM", code, 0),
    ]
    return {"ends": dict(ends), "rss_before_mb": round(before), "rss_grown_mb": round(grown, 1)}


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


async def ask(http: httpx2.AsyncClient, text: str) -> tuple[int, float, bytes]:
    """One request for PCM."""
    body = {"model": "tts-1", "input": text, "response_format": "pcm"}
    started = time.perf_counter()
    async with http.stream("POST", _SPEECH, json=body) as reply:
        parts = reply.aiter_bytes()
        data = await anext(parts)
        first = time.perf_counter() - started
        async for part in parts:
            data += part
    return reply.status_code, first, data


async def misbehave(
    server: Server,
    texts: list[str],
    wanted: dict[str, np.ndarray[Any, Any]],
    seconds: float,
    ends: Counter[str],
) -> None:
    """Twelve clients, each with its own dice, until the time is over; then the server is idle."""
    end = time.monotonic() + seconds
    limits = httpx2.Limits(max_connections=None)
    async with httpx2.AsyncClient(base_url=server.url, timeout=60, limits=limits) as http:

        async def client(seed: int) -> None:
            dice = random.Random(seed)
            while time.monotonic() < end:
                text = dice.choice(texts)
                kind = dice.choice(("good", "good", "leave", "leave", "body", "large", "upload"))
                if kind == "good":
                    status, _, data = await ask(http, text)
                    if status == 200:
                        ends["right" if alike(data, wanted[text]) else "wrong"] += 1
                    else:
                        ends[f"good: {status}"] += 1
                        ends["wrong"] += status != 503
                elif kind == "leave":
                    try:
                        await asyncio.wait_for(ask(http, text), dice.uniform(0.0, 0.5))
                    except asyncio.TimeoutError:
                        ends["left"] += 1
                else:
                    status = await bad(http, kind, dice)
                    ends[f"{kind}: {status}"] += 1
                    ends["wrong"] += status not in {400, 413}

        async def watch() -> None:
            while time.monotonic() < end:
                health = (await http.get("/health")).json()
                ends["well" if health["status"] == "healthy" else "unwell"] += 1
                await asyncio.sleep(0.5)

        await asyncio.gather(watch(), *(client(seed) for seed in range(12)))
        while (  # noqa: ASYNC110 - the other process tells nobody when it is idle
            health := (await http.get("/health")).json()
        )["speaking"] + health["waiting"]:
            await asyncio.sleep(0.1)


async def bad(http: httpx2.AsyncClient, kind: str, dice: random.Random) -> int:
    """The status of a request that is none."""
    headers = {"content-type": "application/json"}
    if kind == "body":
        content = dice.randbytes(dice.randrange(2000))
        return (await http.post(_SPEECH, content=content, headers=headers)).status_code
    if kind == "large":
        return (await http.post(_SPEECH, content=b" " * 1_500_000, headers=headers)).status_code
    files = {"file": ("a.wav", dice.randbytes(dice.choice((10_000, 11_000_000))), "audio/wav")}
    fields = {"name": "anna", "consent": "true"}
    return (await http.post("/v1/voices", data=fields, files=files)).status_code


def said(texts: list[str]) -> dict[str, np.ndarray[Any, Any]]:
    """What the library says."""
    import tts_toolkit as tts  # noqa: PLC0415 - heavy

    with tts.load(model="builtin", workers=2) as synth:
        return {one.utterance.text: one.clip.samples for one in synth.synthesize(texts)}


def alike(data: bytes, samples: np.ndarray[Any, Any]) -> bool:
    """Whether 16 bits of it are the same."""
    heard = np.frombuffer(data, "<i2") / 32767
    return heard.shape == samples.shape and bool(np.abs(heard - samples).max() < 1e-4)


if __name__ == "__main__":
    sys.exit(main())
