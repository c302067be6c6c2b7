"""The processor, its memory, and what kind of system this is."""

from __future__ import annotations

import os
import platform
from contextlib import suppress
from pathlib import Path

from tts_toolkit.devices.machine import Cpu

# How /proc/cpuinfo names arithmetic in bfloat16: Intel's and AMD's, Intel's matrices, Arm's.
_BFLOAT16 = frozenset({"avx512_bf16", "amx_bf16", "bf16"})


def read_cpu(root: Path = Path("/")) -> Cpu:
    """The processor; ``root`` is where its files are (``/proc``, ``/sys``)."""
    info = _text(root / "proc/cpuinfo")
    fields = dict(_field(line) for line in info.splitlines() if ":" in line)
    flags = fields.get("flags") or fields.get("Features") or ""
    total, free = _memory(root)
    return Cpu(
        name=fields.get("model name") or platform.processor() or platform.machine(),
        cores=usable_cpus(),
        total=total,
        free=free,
        bfloat16=not _BFLOAT16.isdisjoint(flags.split()),
    )


def is_container(root: Path = Path("/")) -> bool:
    """Whether this runs in Docker, Podman or Kubernetes."""
    marks = (root / ".dockerenv", root / "run/.containerenv")
    return any(mark.exists() for mark in marks) or "KUBERNETES_SERVICE_HOST" in os.environ


def is_wsl(root: Path = Path("/")) -> bool:
    """Whether this is Linux in Windows."""
    return "microsoft" in _text(root / "proc/version").lower()


def has_mps() -> bool:
    """Whether this is a Mac with Apple's own processor."""
    return platform.system() == "Darwin" and platform.machine() == "arm64"


def _memory(root: Path) -> tuple[int, int]:
    """Total and free memory in bytes, within the container's limit."""
    fields = dict(_field(line) for line in _text(root / "proc/meminfo").splitlines() if ":" in line)
    if "MemTotal" in fields:
        total = _kib(fields["MemTotal"])
        free = _kib(fields.get("MemAvailable", fields["MemTotal"]))
    else:
        total = free = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    # cgroup 2, then 1; "max", or a number beyond the machine's own, is no limit.
    for limit, used in (
        ("memory.max", "memory.current"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
    ):
        most = _text(root / "sys/fs/cgroup" / limit).strip()
        if most.isdigit() and int(most) < total:
            now = _text(root / "sys/fs/cgroup" / used).strip()
            total = int(most)
            free = min(free, total - int(now)) if now.isdigit() else min(free, total)
    return total, max(free, 0)


def usable_cpus() -> int:
    """The CPUs that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _field(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.strip(), value.strip()


def _kib(value: str) -> int:
    return int(value.split(maxsplit=1)[0]) * 1024


def _text(path: Path) -> str:
    with suppress(OSError):
        return path.read_text("utf-8", errors="replace")
    return ""
