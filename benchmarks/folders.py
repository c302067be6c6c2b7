"""What an output folder holds, compared with what it should hold."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_STATE = ".tts-toolkit"
# Their content tells how long computing took, or is of no meaning: only that they are there counts.
_VARYING = (f"{_STATE}/waveforms.jsonl", f"{_STATE}/lock")


def snapshot(out: Path) -> dict[str, str]:
    """Each file and folder below ``out``, with a digest of what it holds."""
    return {
        path.relative_to(out).as_posix(): _digest(path, path.relative_to(out).as_posix())
        for path in sorted(out.rglob("*"))
    }


def differences(found: Mapping[str, str], expected: Mapping[str, str]) -> list[str]:
    """How two snapshots differ, one line each; none if they are the same."""
    return [
        *(f"{name} is missing" for name in expected if name not in found),
        *(f"{name} is left over" for name in found if name not in expected),
        *(
            f"{name} differs"
            for name in expected
            if name in found and found[name] != expected[name]
        ),
    ]


def clips(out: Path) -> dict[str, str]:
    """The audio that is there, also what is set aside for a rename, each with its digest."""
    paths = [*out.glob("*.wav"), *(out / _STATE / "moving").glob("*")]
    return {path.relative_to(out).as_posix(): _digest(path, "") for path in paths}


def rows(out: Path) -> list[dict[str, Any]]:
    """The whole lines of the manifest."""
    try:
        lines = (out / "manifest.jsonl").read_bytes().splitlines(keepends=True)
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in lines if line.endswith(b"\n")]


def _digest(path: Path, name: str) -> str:
    if path.is_dir():
        return "folder"
    data = path.read_bytes()
    if name in _VARYING:
        return "there"
    if name.startswith("report"):
        return "a whole page" if data.rstrip().endswith(b"</html>") else "a torn page"
    return hashlib.sha256(data).hexdigest()
