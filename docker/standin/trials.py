"""What a user does with the image: one-shot jobs, as the image's user and as anybody."""

from __future__ import annotations

import io
import json
import math
import shutil
import wave
from array import array
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

    from buildah import Buildah, Ran
    from findings import Findings

ENTRYPOINT = "/opt/tts-toolkit/entrypoint.sh"
# Nobody in the image's list of users.
STRANGER = 54321
# A second run may take this much longer than the first by chance.
CHANCE = 1.15


def speaks(findings: Findings, buildah: Buildah, image: str, data: Path, script: Path) -> None:
    """One-shot jobs: a line to stdout, and a script into a mounted folder."""
    line = ("say", "Welcome aboard the night train to the coast.", "--model", "builtin", "-o", "-")
    first, second = (buildah.start(image, *line) for _ in range(2))
    findings.check(
        "say speaks, with NVIDIA's banner on stderr",
        held=_is_speech(first.stdout, at_least=2.0) and "A banner" in first.stderr,
        detail=_shown(first),
    )
    findings.check(
        "the second one-shot is no slower",
        held=second.stdout == first.stdout and second.wall_s <= CHANCE * first.wall_s,
        detail=f"{first.wall_s:.1f} s, then {second.wall_s:.1f} s",
    )
    for user in (None, f"{STRANGER}:{STRANGER}"):
        who = user or "the image's user"
        owner = STRANGER if user else 10001
        mounted = data / str(owner)
        mounted.mkdir(parents=True)
        shutil.copy(script, mounted / "script.txt")
        shutil.chown(mounted, owner, owner)
        done = buildah.start(
            image, "synth", "script.txt", "--model", "builtin", "-o", "out",
            user=user,
            mounts=[f"{mounted}:/data"],
        )  # fmt: skip
        made = list(_rows(mounted / "out"))
        findings.check(
            f"synth makes examples/script.txt as {who}",
            held=done.status == 0 and bool(made) and all(made),
            detail=f"{len(made)} lines, {_shown(done)}",
        )
        owners = {path.stat().st_uid for path in (mounted / "out").rglob("*")}
        findings.check(f"the files are {who}'s", held=owners == {owner}, detail=owners)


def _rows(out: Path) -> Iterator[bool]:
    """Of each row whether its file is speech of the length that the row says."""
    manifest = out / "manifest.jsonl"
    for text in manifest.read_text("utf-8").splitlines() if manifest.is_file() else ():
        row = json.loads(text)
        yield row["status"] == "ok" and _is_speech(
            (out / row["file"]).read_bytes(), at_least=max(1.0, row["duration_s"] - 0.01)
        )


def _is_speech(data: bytes, *, at_least: float) -> bool:
    """Whether it is a WAV of at least so many seconds that is neither silence nor a tone's peak."""
    try:
        with wave.open(io.BytesIO(data)) as file:
            samples = array("h", file.readframes(file.getnframes()))
            seconds = file.getnframes() / file.getframerate()
    except (EOFError, wave.Error):
        return False
    loudness = math.sqrt(sum(value * value for value in samples) / max(1, len(samples))) / 32768
    quiet, loud = 0.01, 0.5
    return seconds >= at_least and quiet < loudness < loud


def is_at_home(findings: Findings, buildah: Buildah, image: str, models: Path) -> None:
    """What any user finds: grammars, a read-only volume, and a refusal that says what to do."""
    anybody = f"{STRANGER}:{STRANGER}"
    warm = buildah.start(
        image, "warm", "--lang", "en", "--lang", "zh", "--lang", "es", user=anybody
    )
    waits = [int(line.split(" in ")[1].split(" s,")[0]) for line in _lines(warm)]
    findings.check(
        "an unknown user finds the grammars, ready in seconds",
        held=warm.status == 0 and bool(waits) and max(waits) <= 5,  # noqa: PLR2004 - compiled: 25 and more
        detail=", ".join(line.partition(", ")[0] for line in _lines(warm)) or warm.stderr,
    )
    models.mkdir()
    mounts = [f"{models}:/models:ro"]
    said = buildah.start(
        image, "say", "It is ready.", "--model", "builtin", "-o", "-", user=anybody, mounts=mounts
    )
    findings.check(
        "an unknown user speaks with a read-only /models",
        held=_is_speech(said.stdout, at_least=0.5),
        detail=_shown(said),
    )
    without = buildah.start(image, "say", "It is ready.", "-o", "-", user=anybody, mounts=mounts)
    findings.check(
        "without weights the image says how to get them",
        held=without.status == 3 and "tts-toolkit models download" in without.stderr,  # noqa: PLR2004 - what is missing
        detail=next((x for x in without.stderr.splitlines() if "download" in x), without.stderr),
    )


def serves(findings: Findings, buildah: Buildah, image: str, compose: Path) -> None:
    """The server as compose.yaml starts it, asked for its health as compose.yaml asks."""
    service = yaml.safe_load(compose.read_text("utf-8"))["services"]["cpu"]
    health = service["healthcheck"]["test"][-1]
    command = [ENTRYPOINT, *service["command"], "--model", "builtin"]
    served = buildah.start(
        image, "/client.py", health, "--", *command,
        user=f"{STRANGER}:{STRANGER}",
        mounts=[f"{Path(__file__).with_name('client.py')}:/client.py:ro"],
        entrypoint=["python3"],
    )  # fmt: skip
    waited = [line for line in served.stderr.splitlines() if line.startswith("healthy")]
    findings.check(
        "the server is healthy, speaks, and ends with 0 on SIGTERM",
        held=served.status == 0 and _is_speech(served.stdout, at_least=0.5),
        detail=" ".join(waited) or served.stderr[-600:],
    )


def _lines(ran: Ran) -> list[str]:
    return [line for line in ran.stdout.decode().splitlines() if " ready in " in line]


def _shown(ran: Ran) -> str:
    return f"{ran.wall_s:.1f} s" if ran.status == 0 else ran.stderr[-600:]
