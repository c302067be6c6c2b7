"""A base to build on where NVIDIA's can't be had: Debian, its Python, and NVIDIA's versions."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from wheels import nvidia_wheels

if TYPE_CHECKING:
    from buildah import Buildah

# As in NVIDIA's image: a system Python, and a compiler for packages that come as source.
DEBIAN = "ca-certificates,g++,gcc,libc6-dev,libpython3-dev,python3"
# What the base has besides, some of it older than our lock has it.
PYTHON = ("numpy==2.1.0", "setuptools==80.9.0", "packaging==25.0", "wheel==0.45.1")
OLDER = ("filelock==3.20.0", "jinja2==3.1.5", "typing-extensions==4.15.0")


@dataclass(frozen=True)
class Debian:
    """Where the base's system comes from.

    Attributes:
        suite: as debootstrap names it.
        mirror: where it is fetched; "" for the one that apt uses here.
        keyring: file with the keys that sign it; "" for Debian's own.
    """

    suite: str
    mirror: str = ""
    keyring: str = ""


def make_base(buildah: Buildah, tag: str, debian: Debian, torch: str) -> None:
    """Make the image ``tag``."""
    name = buildah("from", "scratch")
    root = Path(buildah("mount", name))
    keyring = [f"--keyring={debian.keyring}"] if debian.keyring else []
    mirror = debian.mirror or _own_mirror()
    bootstrap = ["debootstrap", "--variant=minbase", f"--include={DEBIAN}", *keyring]
    _run([*bootstrap, debian.suite, str(root), *([mirror] if mirror else [])])
    for archive in (root / "var/cache/apt/archives").glob("*.deb"):
        archive.unlink()
    # Whoever signs for the network here has to be known in there.
    here = Path(os.environ.get("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt"))
    shutil.copyfile(here, root / "etc/ssl/certs/ca-certificates.crt")
    entrypoint = root / "opt/nvidia/nvidia_entrypoint.sh"
    entrypoint.parent.mkdir(parents=True)
    shutil.copy(Path(__file__).with_name(entrypoint.name), entrypoint)
    site = _packages(root)
    with tempfile.TemporaryDirectory() as folder:
        own = [str(path) for path in nvidia_wheels(Path(folder), torch)]
        _install(root, *own, *PYTHON, *OLDER)
    buildah("run", name, "--", "python3", "-m", "compileall", "-q", f"/{site.relative_to(root)}")
    buildah("config", "--entrypoint", '["/opt/nvidia/nvidia_entrypoint.sh"]', name)
    buildah("commit", "--rm", name, tag)


def make_old_base(buildah: Buildah, tag: str, base: str, torch: str) -> None:
    """Make the image ``tag`` of ``base``, with another torch."""
    name = buildah("from", base)
    root = Path(buildah("mount", name))
    for old in _packages(root).glob("torch-*.dist-info"):
        shutil.rmtree(old)
    with tempfile.TemporaryDirectory() as folder:
        _install(root, str(nvidia_wheels(Path(folder), torch)[0]))
    buildah("commit", "--rm", name, tag)


def make_uv_image(buildah: Buildah, tag: str, uv: Path) -> None:
    """Make an image that has what uv's own image has: ``/uv``."""
    name = buildah("from", "scratch")
    buildah("copy", name, uv, "/uv")
    buildah("commit", "--rm", name, tag)


def _packages(root: Path) -> Path:
    python = (root / "usr/bin/python3").readlink().name
    return root / "usr/local/lib" / python / "dist-packages"


def _install(root: Path, *requirements: str) -> None:
    site = _packages(root)
    version = site.parent.name.removeprefix("python")
    target = ["--target", str(site), "--python-version", version, "--link-mode", "copy"]
    _run(["uv", "pip", "install", "--quiet", "--no-deps", *target, *requirements])


def _own_mirror() -> str:
    """Where apt gets Debian on this machine, or ""."""
    command = ["apt-get", "indextargets", "--format=$(REPO_URI)", "Created-By: Packages"]
    listed = subprocess.run(
        [*command, "Origin: Debian"], capture_output=True, encoding="utf-8", check=False
    )
    return next(iter(listed.stdout.split()), "")


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
