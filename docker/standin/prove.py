"""Build the image on a stand-in base, look into it, and let it speak: ``nox -s image``.

NVIDIA's image is large and can't be pulled everywhere, and neither can a GPU be had everywhere. So
the real Dockerfile is built, with buildah and without a daemon, on Debian's system Python with
packages that carry NVIDIA's names and versions. Everything else is real: the lock, the index, the
grammars, the voice. It takes root, and 8 GB of disk while it runs.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import sys
import tempfile
from pathlib import Path

from base import Debian, make_base, make_old_base, make_uv_image
from buildah import Buildah
from findings import Findings
from trials import is_at_home, serves, speaks

ROOT = Path(__file__).parents[2]
CONTEXT = ("Dockerfile", ".dockerignore", "LICENSE", "README.md", "pyproject.toml", "uv.lock")
NEEDED = ("buildah", "debootstrap", "crun", "uv")
BASE, OLD_BASE, UV, IMAGE = (
    f"localhost/standin-{name}" for name in ("base", "old", "uv", "tts-toolkit")
)
TORCH = "2.10.0a0+standin.nv26.01"
OLD_TORCH = "2.8.0a0+standin.nv25.08"
MOST_ADDED = 1.7e9


def main() -> int:
    """Run the program; its exit code."""
    parser = argparse.ArgumentParser(description="Build the image on a stand-in base and try it.")
    parser.add_argument("--suite", default="trixie", help="of Debian, for debootstrap")
    parser.add_argument("--mirror", default="", help="of that suite (default: as apt has it here)")
    parser.add_argument("--keyring", default="", help="file with the keys of another mirror")
    parser.add_argument("--folder", type=Path, help="keep all in this folder (default: nothing)")
    given = parser.parse_args()
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing:
        sys.stderr.write(
            f"{', '.join(missing)}: not here; "
            "apt-get install -y --no-install-recommends buildah debootstrap crun\n"
        )
        return 2
    findings = Findings()
    debian = Debian(given.suite, given.mirror, given.keyring)
    if given.folder:
        prove(findings, given.folder, debian)
    else:
        with tempfile.TemporaryDirectory(prefix="tts-toolkit-image-") as folder:
            prove(findings, Path(folder), debian)
    sys.stdout.write(f"{len(findings.failed)} failed\n")
    return 1 if findings.failed else 0


def prove(findings: Findings, folder: Path, debian: Debian) -> None:
    """Make the bases and the image, and check all that is promised of it."""
    buildah = Buildah(folder)
    try:
        _prove(findings, buildah, folder, debian)
    finally:
        buildah.clear()


def _prove(findings: Findings, buildah: Buildah, folder: Path, debian: Debian) -> None:
    make_uv_image(buildah, UV, Path(shutil.which("uv") or "").resolve())
    make_base(buildah, BASE, debian, TORCH)
    build(findings, buildah, folder / "context")
    left_alone(findings, buildah)
    speaks(findings, buildah, IMAGE, folder / "data", ROOT / "examples" / "script.txt")
    is_at_home(findings, buildah, IMAGE, folder / "models")
    serves(findings, buildah, IMAGE, ROOT / "compose.yaml")
    make_old_base(buildah, OLD_BASE, BASE, OLD_TORCH)
    refused = buildah.build(folder / "context", f"{IMAGE}-old", arguments(OLD_BASE))
    line = f"guard: the base's torch {OLD_TORCH} is older than 2.8"
    findings.check(
        "a base with torch 2.8.0a0 is refused",
        held=refused.status != 0 and line in refused.stderr,
        detail=next((text for text in refused.stderr.splitlines() if "guard:" in text), ""),
    )


def arguments(base: str) -> dict[str, str]:
    """Of a build on a stand-in."""
    return {"BASE_IMAGE": base, "UV_IMAGE": UV, "UV_SYSTEM_CERTS": "true"}


def build(findings: Findings, buildah: Buildah, context: Path) -> None:
    """Build from nothing, again, and after an edit."""
    context.mkdir()
    for name in CONTEXT:
        shutil.copy(ROOT / name, context / name)
    for name in ("docker", "src"):
        shutil.copytree(ROOT / name, context / name, ignore=shutil.ignore_patterns("__pycache__"))
    built = buildah.build(context, IMAGE, arguments(BASE))
    if built.status:
        raise SystemExit(f"{built.stdout.decode()[-4000:]}{built.stderr[-4000:]}")
    findings.figure("build, cold", f"{built.wall_s:.0f} s")
    added = buildah.added_bytes(IMAGE, BASE)
    findings.check(
        f"our layers add at most {MOST_ADDED / 1e9} GB",
        held=added <= MOST_ADDED,
        detail=f"{added / 1e9:.2f} GB",
    )
    findings.figure("build, nothing changed", f"{_again(buildah, context):.0f} s")
    with (context / "src/tts_toolkit/__init__.py").open("a", encoding="utf-8") as file:
        file.write("# An edit.\n")
    findings.figure("build, a line of source changed", f"{_again(buildah, context):.0f} s")


def _again(buildah: Buildah, context: Path) -> float:
    built = buildah.build(context, IMAGE, arguments(BASE))
    if built.status:
        raise SystemExit(built.stderr[-4000:])
    return built.wall_s


def left_alone(findings: Findings, buildah: Buildah) -> None:
    """Compare files with the base's, without the guard and then with it."""
    with buildah.files(BASE) as base, buildah.files(IMAGE) as image:
        before, after = _digests(base), _digests(image)
        findings.check(
            "every file of torch, torchvision, triton and numpy is the base's",
            held=bool(before) and before == after,
            detail=f"{len(before)} files",
        )
        more = _cuda(image) - _cuda(base)
        findings.check(
            "no nvidia-* or cuda-* package was added", held=not more, detail=sorted(more)
        )
    asked = buildah.start(
        IMAGE, "/opt/tts-toolkit/guard.py", "after", "/opt/tts-toolkit/base.json",
        "--project", "tts-toolkit", "--extra", "server",
        entrypoint=["python3"],
    )  # fmt: skip
    findings.check("the guard says so again", held=asked.status == 0, detail=asked.stderr.strip())


def _digests(root: Path) -> dict[str, str]:
    """What is in each file of the base's packages, compiled ones left out."""
    return {
        str(file.relative_to(root)): hashlib.sha256(file.read_bytes()).hexdigest()
        for name in ("torch", "torchvision", "triton", "numpy")
        for folder in root.glob(f"usr/local/lib/python3*/dist-packages/{name}[-.]*")
        for file in sorted([*folder.rglob("*"), *folder.with_name(name).rglob("*")])
        if file.is_file() and file.suffix != ".pyc"
    }


def _cuda(root: Path) -> set[str]:
    names = (path.name for path in root.glob("usr/local/lib/python3*/dist-packages/*.dist-info"))
    return {
        name
        for name in names
        if name.startswith(("nvidia_", "cuda_")) and not name.startswith("nvidia_ml_py-")
    }


if __name__ == "__main__":
    sys.exit(main())
