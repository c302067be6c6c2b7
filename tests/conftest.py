"""What every test may ask for, and what is left out where this machine can't run it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says more of the machine than of the code.
settings.register_profile("tests", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")

# torch's threads wait for each other by spinning: with more threads than idle cores a small model
# takes a hundred times as long. Read when torch is loaded, here and in the processes that we start.
os.environ.setdefault("OMP_NUM_THREADS", "1")

if TYPE_CHECKING:
    from collections.abc import Callable

NEEDS = {
    "chromium": "Debian's chromium (apt-get install chromium)",
    "ffmpeg": "Debian's ffmpeg (apt-get install ffmpeg), with which datasets decodes audio",
    "cuda": "an NVIDIA GPU that torch can use",
    "mount": "the right to mount in a namespace of its own (unshare -Urm true)",
}

# No sandbox, since tests may run as root; none of the calls that a browser makes by itself.
CHROMIUM = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]


def _has(marker: str) -> bool:
    if marker in {"chromium", "ffmpeg"}:
        return shutil.which(marker) is not None
    if marker == "cuda":
        import torch

        return torch.cuda.is_available()
    unshare = shutil.which("unshare")
    command = "mount -t tmpfs none /mnt"
    return (
        bool(unshare)
        and not subprocess.run(
            [unshare, "-Urm", "sh", "-c", command], capture_output=True, check=False
        ).returncode
    )


def pytest_collection_modifyitems(items):
    for marker, need in NEEDS.items():
        marked = [item for item in items if item.get_closest_marker(marker)]
        if marked and not _has(marker):
            for item in marked:
                item.add_marker(pytest.mark.skip(reason=f"needs {need}"))


@pytest.fixture(scope="module")
def browser():
    """A headless Chromium; a test that asks for it carries the marker "chromium"."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=CHROMIUM
        )
        yield browser
        browser.close()


@pytest.fixture(autouse=True)
def _own_settings(monkeypatch, tmp_path_factory):
    """No test sees the settings of whoever runs it, or the network's voices."""
    for name in list(os.environ):
        if name.startswith("TTS_TOOLKIT_"):
            monkeypatch.delenv(name)
    nowhere = tmp_path_factory.mktemp("settings")
    monkeypatch.setenv("TTS_TOOLKIT_CONFIG", os.devnull)
    monkeypatch.setenv("HIBARI_HOME", str(nowhere / "voices"))


@pytest.fixture
def cli(tmp_path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the command line as a process, in the test's folder."""

    def run(*args, stdin="", cwd=tmp_path, env=None, timeout=120):
        return subprocess.run(
            [sys.executable, "-m", "tts_toolkit", *map(str, args)],
            input=stdin,
            cwd=cwd,
            env={**os.environ, **(env or {})},
            capture_output=True,
            encoding="utf-8",
            timeout=timeout,
            check=False,
        )

    return run


@pytest.fixture
def script(tmp_path) -> Callable[..., Path]:
    """Write a script into the test's folder."""

    def write(text: str | bytes, name: str = "script.txt") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return write


@pytest.fixture
def fake_engine(monkeypatch):
    """An engine that honours every field and says nothing aloud, in IndexTTS's place."""
    from tts_toolkit.engines import choose

    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    from fake_engine import FAKE

    monkeypatch.setattr(choose, "ENGINES", {**choose.ENGINES, "indextts-2.5": FAKE})
    return FAKE
