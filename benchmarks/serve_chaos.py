"""Minutes of clients that misbehave, and of voices that come and go, against `tts-toolkit serve`.

    python benchmarks/serve_chaos.py

Every clip of the embedded voice is compared with what the library says, sample for sample. The
voices are uploaded to IndexTTS with a tiny checkpoint of random weights, since only that clones.
"""

from __future__ import annotations

import asyncio
import io
import json
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import numpy as np
import sentences
import soundfile as sf
from measure import Bar, conclude, machine, parser
from speech_server import SPEECH, Server, alike, ask, said, serving, serving_tiny

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

_CLIENTS = 12
_NAMES = ("anna", "bert", "carl")


def main() -> int:
    """Measure and print; 1 if a bar is missed."""
    arguments = parser(__doc__)
    arguments.add_argument("--part", choices=("chaos", "voices"), action="append")
    arguments.add_argument("--minutes", type=float, default=10.0, help="(voices: a fifth of it)")
    given = arguments.parse_args()
    where = machine()
    bars: list[Bar] = []
    figures: dict[str, Any] = {}
    for part in given.part or ("chaos", "voices"):
        if part == "chaos":
            figures[part] = chaos(given.minutes, bars)
        else:
            with tempfile.TemporaryDirectory(dir=given.work) as scratch:
                figures[part] = voices(given.minutes / 5, Path(scratch) / "tiny", bars)
        print(f"{part}: {json.dumps(figures[part])}")
    return conclude("serve_chaos", figures, bars, where=where, save=given.save)


def chaos(minutes: float, bars: list[Bar]) -> dict[str, Any]:
    """Good requests among clients that leave, send what is no request, and send too much."""
    texts = sentences.ordinary(200)
    wanted = said(texts)

    async def client(http: httpx2.AsyncClient, dice: random.Random, ends: Counter[str]) -> None:
        await misbehave(http, dice, ends, texts, wanted)

    with serving("--model", "builtin", "--queue", "8") as server:
        return endure(server, client, minutes, "chaos", bars, warm_up_s=10.0)


def voices(minutes: float, folder: Path, bars: list[Bar]) -> dict[str, Any]:
    """Clients that upload voices, speak with them and delete them under each other."""
    with serving_tiny(folder) as server:
        # IndexTTS keeps what it makes of the last 64 clips.
        return endure(server, come_and_go, minutes, "voices", bars, warm_up_s=120.0)


def endure(
    server: Server,
    client: Callable[[httpx2.AsyncClient, random.Random, Counter[str]], Coroutine[Any, Any, None]],
    minutes: float,
    what: str,
    bars: list[Bar],
    *,
    warm_up_s: float,
) -> dict[str, Any]:
    """Let clients loose on a server, and look what they have done to it."""
    asyncio.run(crowded(server, client, warm_up_s, Counter()))  # until caches are full
    before, children = server.rss(), server.children()
    ends: Counter[str] = Counter()
    asyncio.run(crowded(server, client, 60 * minutes, ends))
    grown = server.rss() - before
    dead = len(children - server.children())
    code, _ = server.stop()
    bars += [
        Bar(f"MB more after {minutes:g} minutes of {what}", grown, 50, unit="MB"),
        Bar(f"wrong replies in {what}", ends["wrong"], 0),
        Bar(f"wrong health in {what}", ends["unwell"], 0),
        Bar(f"workers that died in {what}", dead, 0),
        Bar(f"exit code after SIGTERM, {what}", code, 0),
    ]
    return {"ends": dict(ends), "rss_before_mb": round(before), "rss_grown_mb": round(grown, 1)}


async def crowded(
    server: Server,
    client: Callable[[httpx2.AsyncClient, random.Random, Counter[str]], Coroutine[Any, Any, None]],
    seconds: float,
    ends: Counter[str],
) -> None:
    """Clients, each with its own dice, until the time is over; then the server is idle."""
    end = time.monotonic() + seconds
    limits = httpx2.Limits(max_connections=None)
    async with httpx2.AsyncClient(base_url=server.url, timeout=60, limits=limits) as http:

        async def again(seed: int) -> None:
            dice = random.Random(seed)
            while time.monotonic() < end:
                await client(http, dice, ends)

        async def watch() -> None:
            while time.monotonic() < end:
                health = (await http.get("/health")).json()
                ends["well" if health["status"] == "healthy" else "unwell"] += 1
                await asyncio.sleep(0.5)

        await asyncio.gather(watch(), *(again(seed) for seed in range(_CLIENTS)))
        while True:
            health = (await http.get("/health")).json()
            if not health["speaking"] + health["waiting"] + health["sending"]:
                break
            await asyncio.sleep(0.1)


async def misbehave(
    http: httpx2.AsyncClient,
    dice: random.Random,
    ends: Counter[str],
    texts: list[str],
    wanted: dict[str, np.ndarray[Any, Any]],
) -> None:
    """One request, or what is none."""
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


async def bad(http: httpx2.AsyncClient, kind: str, dice: random.Random) -> int:
    """The status of a request that is none."""
    headers = {"content-type": "application/json"}
    if kind == "body":
        content = dice.randbytes(dice.randrange(2000))
        return (await http.post(SPEECH, content=content, headers=headers)).status_code
    if kind == "large":
        return (await http.post(SPEECH, content=b" " * 1_500_000, headers=headers)).status_code
    files = {"file": ("a.wav", dice.randbytes(dice.choice((10_000, 11_000_000))), "audio/wav")}
    fields = {"name": "anna", "consent": "true"}
    return (await http.post("/v1/voices", data=fields, files=files)).status_code


async def come_and_go(http: httpx2.AsyncClient, dice: random.Random, ends: Counter[str]) -> None:
    """Upload, speak with or delete one of a few voices, whatever the others do with it."""
    name = dice.choice(_NAMES)
    kind = dice.choice(("upload", "upload", "speak", "speak", "leave", "delete"))
    if kind == "upload":
        files = {"file": ("a.wav", noise(dice), "audio/wav")}
        fields = {"name": name, "consent": "true"}
        status = (await http.post("/v1/voices", data=fields, files=files)).status_code
        right = {201, 409}
    elif kind == "delete":
        status, right = (await http.delete(f"/v1/voices/{name}")).status_code, {200, 404}
    else:
        patience = dice.uniform(0.0, 2.0) if kind == "leave" else None
        try:
            status, _, _ = await asyncio.wait_for(ask(http, "Hello.", voice=name), patience)
        except asyncio.TimeoutError:
            status = 0
        right = {200, 400, 503} if kind == "speak" else {0, 200, 400, 503}
    ends[f"{kind}: {status or 'left'}"] += 1
    ends["wrong"] += status not in right


def noise(dice: random.Random) -> bytes:
    """A clip of one to three seconds that no other is like."""
    samples = np.random.default_rng(dice.randrange(2**32)).normal(
        0, 0.1, dice.randrange(24_000, 72_000)
    )
    file = io.BytesIO()
    sf.write(file, samples, 24_000, format="WAV")
    return file.getvalue()


if __name__ == "__main__":
    sys.exit(main())
