"""Wheels of a stand-in base: names and versions as NVIDIA's image has them, and no library."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from pathlib import Path

TAG = "py3-none-any"
NOTHING = "# Of a stand-in base: only its name and version count.\n"


def nvidia_wheels(folder: Path, torch: str) -> list[Path]:
    """The base's own packages, with this version of torch."""
    fake_torch = Path(__file__).with_name("fake_torch.py").read_text("utf-8")
    return [
        wheel(folder, "torch", torch, fake_torch),
        wheel(folder, "torchvision", "0.25.0a0+standin.nv26.01", NOTHING),
        wheel(folder, "triton", "3.5.0+standin.nv26.01", NOTHING),
        wheel(folder, "nvidia_dali_cuda130", "1.53.0", NOTHING),
    ]


def wheel(folder: Path, name: str, version: str, source: str) -> Path:
    """A wheel of one module, with a list of its files as pip and uv want it."""
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}/__init__.py": source,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {TAG}\n",
    }
    lines = [f"{path},sha256={_digest(text)},{len(text.encode())}" for path, text in files.items()]
    files[f"{info}/RECORD"] = "\n".join([*lines, f"{info}/RECORD,,", ""])
    path = folder / f"{name}-{version}-{TAG}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for member, text in files.items():
            archive.writestr(member, text)
    return path


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
