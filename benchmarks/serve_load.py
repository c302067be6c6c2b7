"""`tts-toolkit serve` under load: 32 clients, batching, and more clients than it has places for.

    python benchmarks/serve_load.py --part load

Every clip of the embedded voice is compared with what the library says, sample for sample. IndexTTS
has a tiny checkpoint with random weights, whose texts are all equally long.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import sentences
from measure import Bar, conclude, machine, parser
from speech_server import alike, crowd, said, serving, serving_tiny

CLIENTS = 32
PARTS = ("load", "batching", "overload")
_QUEUE = 8


def main() -> int:
    """Measure and print; 1 if a bar is missed."""
    arguments = parser(__doc__)
    arguments.add_argument("--part", choices=PARTS, action="append", help="(default: all)")
    arguments.add_argument("--requests", type=int, default=500)
    arguments.add_argument("--rounds", type=int, default=30, help="of overload")
    given = arguments.parse_args()
    where = machine()
    bars: list[Bar] = []
    figures: dict[str, Any] = {}
    for part in given.part or PARTS:
        if part == "load":
            figures[part] = load(given.requests, bars)
        elif part == "batching":
            with tempfile.TemporaryDirectory(dir=given.work) as scratch:
                figures[part] = batching(Path(scratch) / "tiny", bars)
        else:
            figures[part] = overload(given.rounds, bars)
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


def batching(folder: Path, bars: list[Bar]) -> dict[str, Any]:
    """Requests a second of sixteen clients and of one; and what the library makes of as many."""
    rates: dict[int, float] = {}
    with serving_tiny(folder) as server:
        for clients in (1, 16, 1, 16):
            texts = [f"This is line {n:03}." for n in range(4 * clients + 4)]
            started = time.perf_counter()
            replies = asyncio.run(crowd(server.url, texts, clients))
            assert {status for status, _, _ in replies} == {200}
            rates[clients] = len(texts) / (time.perf_counter() - started)
    alone, together = library(folder)
    bars.append(
        Bar("16 clients against one, requests a second", rates[16] / rates[1], 3.0, at_least=True)
    )
    return {
        **{f"requests_a_second_{clients}": round(rate, 3) for clients, rate in rates.items()},
        "library_lines_a_second_alone": round(alone, 3),
        "library_lines_a_second_16_together": round(together, 3),
    }


def library(folder: Path) -> tuple[float, float]:
    """Lines a second without a server: one at a time, and sixteen at a time."""
    import tts_toolkit as tts  # noqa: PLC0415 - heavy

    texts = [f"This is line {n:03}." for n in range(16)]
    with tts.load(
        model="indextts-2.5",
        model_dir=folder,
        device="cpu",
        max_codes=50,
        no_normalize=True,
        raw=True,
        diffusion_steps=2,
    ) as synth:
        synth.say("Hello.")
        started = time.perf_counter()
        for text in texts:
            synth.say(text)
        alone = len(texts) / (time.perf_counter() - started)
        started = time.perf_counter()
        assert all(one.clip for one in synth.synthesize(texts))
        return alone, len(texts) / (time.perf_counter() - started)


def overload(rounds: int, bars: list[Bar]) -> dict[str, Any]:
    """Eight places, and sixty-four clients at once; again and again."""
    texts = sentences.ordinary(64)
    wanted = said(texts)
    ends: Counter[str] = Counter()
    with serving("--model", "builtin", "--queue", _QUEUE) as server:
        asyncio.run(crowd(server.url, texts, len(texts)))  # until caches are full
        before = server.rss()
        for _ in range(rounds):
            for text, (status, _, data) in zip(
                texts, asyncio.run(crowd(server.url, texts, len(texts))), strict=True
            ):
                ends[str(status)] += 1
                ends["wrong"] += status == 200 and not alike(data, wanted[text])
        grown = server.rss() - before
    others = ends.total() - ends["200"] - ends["503"] - ends["wrong"]
    bars += [
        Bar("replies to 64 at once that are neither 200 nor 503", others, 0),
        Bar("clips of them that are wrong", ends["wrong"], 0),
        Bar(f"MB more after {rounds} times 64 at once", grown, 50, unit="MB"),
    ]
    return {"ends": dict(ends), "rss_before_mb": round(before), "rss_grown_mb": round(grown, 1)}


if __name__ == "__main__":
    sys.exit(main())
