from __future__ import annotations

import pytest

from tts_toolkit.devices.host import is_container, is_wsl, read_cpu

INTEL = "model name\t: Intel Xeon\nflags\t\t: fpu avx512f amx_bf16 amx_tile\n"
ZEN4 = "model name\t: AMD EPYC 9654\nflags\t\t: fpu avx512_bf16\n"
ZEN3 = "model name\t: AMD EPYC 7763\nflags\t\t: fpu avx2\n"
ARM = "CPU implementer\t: 0x41\nFeatures\t: fp asimd bf16 sve\n"
MEMORY = "MemTotal:       16000000 kB\nMemFree:         1000000 kB\nMemAvailable:    8000000 kB\n"


@pytest.fixture
def root(tmp_path):
    def write(files):
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path

    return write


@pytest.mark.parametrize(
    ("info", "has"), [(INTEL, True), (ZEN4, True), (ZEN3, False), (ARM, True), ("", False)]
)
def test_bfloat16_is_read_from_the_processor_s_flags(root, info, has):
    assert read_cpu(root({"proc/cpuinfo": info})).bfloat16 is has


def test_memory_is_what_can_be_had(root):
    cpu = read_cpu(root({"proc/meminfo": MEMORY, "proc/cpuinfo": ZEN4}))
    assert (cpu.total, cpu.free) == (16_000_000 * 1024, 8_000_000 * 1024)
    assert cpu.name == "AMD EPYC 9654"


@pytest.mark.parametrize(
    ("limit", "used"),
    [
        ("memory.max", "memory.current"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
    ],
)
def test_a_container_s_limit_counts(root, limit, used):
    files = {f"sys/fs/cgroup/{limit}": "4000000000\n", f"sys/fs/cgroup/{used}": "1500000000\n"}
    cpu = read_cpu(root({"proc/meminfo": MEMORY, **files}))
    assert (cpu.total, cpu.free) == (4_000_000_000, 2_500_000_000)


def test_no_limit_is_no_limit(root):
    cpu = read_cpu(root({"proc/meminfo": MEMORY, "sys/fs/cgroup/memory.max": "max\n"}))
    assert cpu.total == 16_000_000 * 1024


def test_systems_are_told_apart(root, monkeypatch):
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    plain = root({"proc/version": "Linux version 6.1 (Debian)"})
    assert not is_wsl(plain)
    assert not is_container(plain)
    other = root({"proc/version": "Linux 5.15-microsoft-standard-WSL2", ".dockerenv": ""})
    assert is_wsl(other)
    assert is_container(other)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    assert is_container(other / "nowhere")


def test_this_machine_has_a_processor_and_memory():
    cpu = read_cpu()
    assert cpu.cores >= 1
    assert 0 < cpu.free <= cpu.total
