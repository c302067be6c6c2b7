"""Buildah, with a storage of its own: no daemon, and nothing is left once the folder is deleted."""

from __future__ import annotations

import json
import os
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


@dataclass(frozen=True)
class Ran:
    """A finished process.

    Attributes:
        status: its exit code.
        stdout: as it came.
        stderr: as text.
        wall_s: from its start to its end.
    """

    status: int
    stdout: bytes
    stderr: str
    wall_s: float


class Buildah:
    """Images and containers in one folder.

    Args:
        folder: for images, containers and caches; made if it is not there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        for name in ("storage", "run", "tmp"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        # Buildah keeps the caches of RUN --mount=type=cache in TMPDIR.
        self._environ = {**os.environ, "TMPDIR": str(folder / "tmp"), "BUILDAH_ISOLATION": "chroot"}
        self._command = [
            "buildah",
            f"--root={folder / 'storage'}",
            f"--runroot={folder / 'run'}",
            "--storage-driver=overlay",
        ]

    def run(self, *arguments: object) -> Ran:
        """Run a command of buildah's to its end, whatever that is."""
        started = time.perf_counter()
        done = subprocess.run(
            [*self._command, *map(str, arguments)],
            env=self._environ,
            capture_output=True,
            check=False,
        )
        wall_s = time.perf_counter() - started
        return Ran(done.returncode, done.stdout, done.stderr.decode("utf-8", "replace"), wall_s)

    def __call__(self, *arguments: object) -> str:
        """Run a command of buildah's that has to succeed; what it prints."""
        done = self.run(*arguments)
        if done.status:
            raise SystemExit(f"buildah {' '.join(map(str, arguments))}\n{done.stderr[-4000:]}")
        return done.stdout.decode().strip()

    def build(self, context: Path, tag: str, arguments: Mapping[str, str]) -> Ran:
        """Build ``context`` with its Dockerfile, layer by layer as Docker does."""
        options = [f"--build-arg={name}={value}" for name, value in arguments.items()]
        # The format that can hold all that a Dockerfile says.
        return self.run("bud", "--layers", "--format=docker", *options, f"--tag={tag}", context)

    @contextmanager
    def container(self, image: str) -> Iterator[str]:
        """A container of the image, gone at the end."""
        name = self("from", image)
        try:
            yield name
        finally:
            self("rm", name)

    @contextmanager
    def files(self, image: str) -> Iterator[Path]:
        """The image's files, to look at."""
        with self.container(image) as name:
            yield Path(self("mount", name))

    def start(
        self,
        image: str,
        *arguments: object,
        user: str | None = None,
        mounts: Sequence[str] = (),
        environ: Mapping[str, str] | None = None,
        entrypoint: Sequence[str] | None = None,
    ) -> Ran:
        """What ``docker run --rm`` does: a fresh container, the image's entrypoint and user."""
        with self.container(image) as name:
            config = json.loads(self("inspect", name))["Docker"]["config"]
            before = config["Entrypoint"] if entrypoint is None else entrypoint
            options = [f"--volume={mount}" for mount in mounts]
            options += [f"--env={key}={value}" for key, value in (environ or {}).items()]
            options += [f"--user={user}"] if user else []
            return self.run("run", *options, name, "--", *before, *arguments)

    def added_bytes(self, image: str, base: str) -> int:
        """What the layers of ``image`` hold that are not those of ``base``, uncompressed."""
        layers = {one["id"]: one for one in self._stored("layers")}
        below = set(self._layers_of(base, layers))
        own = (layer for layer in self._layers_of(image, layers) if layer not in below)
        return sum(layers[layer].get("diff-size", 0) for layer in own)

    def clear(self) -> None:
        """Remove the containers, and with them the mounts that a build leaves when it fails."""
        self("rm", "--all")

    def _layers_of(self, image: str, layers: Mapping[str, dict[str, Any]]) -> Iterator[str]:
        number = json.loads(self("inspect", "--type=image", image))["FromImageID"]
        top: str | None = next(
            one["layer"] for one in self._stored("images") if one["id"] == number
        )
        while top:
            yield top
            top = layers[top].get("parent")

    def _stored(self, kind: str) -> list[dict[str, Any]]:
        path = self._folder / "storage" / f"overlay-{kind}" / f"{kind}.json"
        return list(json.loads(path.read_text("utf-8")))
