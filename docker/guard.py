"""Prove that an installation left the base image's torch, CUDA libraries and numpy alone.

Usage:
    python3 guard.py before base.json
    python3 guard.py after base.json --project tts-toolkit --extra ja

``before`` refuses a base that is too old, and writes down what it has. ``after`` compares, and
looks whether all that the project requires is there. Each problem is a line on standard error, and
the exit code is then 1. Runs in the base's own Python, which has ``packaging``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from importlib.metadata import distributions
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from importlib.metadata import Distribution

# The oldest that tts-toolkit runs with, as pyproject.toml says.
LEAST = {"torch": "2.8", "numpy": "2.0.2"}
# What NVIDIA builds for its image; a public wheel of the same name does not fit beside the others.
NAMES = {"numpy", "pytorch-triton", "torch", "torchaudio", "torchvision", "triton"}
FAMILIES = ("cuda-", "nvidia-")
# Pure Python, and ours: it brings no library.
EXEMPT = {"nvidia-ml-py"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; its exit code."""
    parser = argparse.ArgumentParser(
        description="Prove that the base image's torch, CUDA libraries and numpy were left alone."
    )
    parser.add_argument("when", choices=("before", "after"))
    parser.add_argument("record", type=Path, help="file that before writes and after reads")
    parser.add_argument("--project", help="after: whose requirements have to hold")
    parser.add_argument("--extra", action="append", default=[], help="of the project")
    parser.add_argument(
        "--path", action="append", help="folder with packages, in place of this Python's own"
    )
    given = parser.parse_args(arguments)
    installed = packages(given.path or sys.path)
    base = {name: facts(copies) for name, copies in installed.items() if guarded(name)}
    if given.when == "before":
        problems = list(too_old(base))
        if not problems:
            given.record.write_text(json.dumps(base, indent=1, sort_keys=True), "utf-8")
    else:
        problems = list(changes(json.loads(given.record.read_text("utf-8")), base))
        if given.project:
            problems += unsatisfied(installed, given.project, given.extra)
    for problem in problems:
        sys.stderr.write(f"guard: {problem}\n")
    if not problems:
        shown = ", ".join(f"{name} {versions(base[name])}" for name in sorted(base))
        sys.stdout.write(f"guard: {given.when}: {shown}\n")
    return 1 if problems else 0


def packages(path: Sequence[str]) -> dict[str, list[Distribution]]:
    """What is installed by its normalised name; the copy that is imported comes first."""
    found: dict[str, list[Distribution]] = {}
    places = set()
    for one in distributions(path=list(path)):
        name = canonicalize_name(one.metadata["Name"] or "")
        place = (name, one.version, str(one.locate_file("")))
        if name and place not in places:
            places.add(place)
            found.setdefault(name, []).append(one)
    return found


def guarded(name: str) -> bool:
    """Whether the package is the base's own."""
    return name in NAMES or (name.startswith(FAMILIES) and name not in EXEMPT)


def facts(copies: Sequence[Distribution]) -> list[dict[str, str]]:
    """What tells each copy of a package from another: its version, its list of files, its place."""
    return [
        {
            "version": one.version,
            "record": hashlib.sha256((one.read_text("RECORD") or "").encode()).hexdigest(),
            "folder": str(one.locate_file("")),
        }
        for one in copies
    ]


def versions(copies: Sequence[dict[str, str]]) -> str:
    """The copies' versions, in words."""
    return " and ".join(one["version"] for one in copies)


def too_old(base: dict[str, list[dict[str, str]]]) -> Iterator[str]:
    """Why nothing can be installed on this base."""
    for name, least in LEAST.items():
        if name not in base:
            yield f"the base has no {name}: BASE_IMAGE has to be NVIDIA's PyTorch image"
        elif Version(base[name][0]["version"]) < Version(least):
            yield (
                f"the base's {name} {base[name][0]['version']} is older than {least}: "
                "take a later BASE_IMAGE, 26.01 or one after it"
            )


def changes(
    before: dict[str, list[dict[str, str]]], after: dict[str, list[dict[str, str]]]
) -> Iterator[str]:
    """What of the base is no longer as it was."""
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name, []), after.get(name, [])
        if old == new:
            continue
        if not old:
            yield f"{name} {versions(new)} was added: the base brings its own CUDA"
        elif not new:
            yield f"{name} {versions(old)} is gone"
        elif len(new) > len(old):
            folders = " and ".join(one["folder"] for one in new)
            yield f"{name} is there more than once: {versions(new)}, in {folders}"
        elif versions(old) != versions(new):
            yield f"{name} was replaced: {versions(old)} before, {versions(new)} now"
        else:
            yield f"{name} {versions(new)} was installed anew: its files are not the base's"


def unsatisfied(
    installed: dict[str, list[Distribution]], project: str, extras: Sequence[str]
) -> Iterator[str]:
    """What the project requires, itself or through others, and does not have.

    What the base's own packages require is the base's matter.
    """
    waiting = [(canonicalize_name(project), extra) for extra in ("", *extras)]
    seen = set(waiting)
    if waiting[0][0] not in installed:
        yield f"{project} is not installed"
        return
    while waiting:
        name, extra = waiting.pop(0)
        for text in installed[name][0].requires or ():
            need = Requirement(text)
            # Of an extra only what it adds: the rest is looked at without one.
            if need.marker and not need.marker.evaluate({"extra": extra}):
                continue
            if extra and not (need.marker and "extra" in str(need.marker)):
                continue
            target = canonicalize_name(need.name)
            if target not in installed:
                yield f"{name} wants {need.name}{need.specifier}, which is not installed"
                continue
            # NVIDIA's builds are pre-releases by their version.
            have = installed[target][0].version
            if not need.specifier.contains(have, prereleases=True):
                yield f"{name} wants {need.name}{need.specifier}, have {have}"
            following = {(target, wanted) for wanted in ("", *need.extras)} - seen
            if not guarded(target):
                seen |= following
                waiting += sorted(following)


if __name__ == "__main__":
    sys.exit(main())
