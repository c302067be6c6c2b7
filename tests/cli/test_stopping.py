"""A run that is stopped, killed or out of disk keeps what it has, and the same command goes on."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from hashlib import sha256

import psutil
import pytest

LINES = "".join(
    f"Line number {n} says a few words. And then it says some more.\n" for n in range(24)
)
pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")


def start(folder, *args):
    return subprocess.Popen(
        [sys.executable, "-m", "tts_toolkit", "synth", "script.txt", "-o", "out", *args],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(folder):
    """Run the command to its end."""
    with start(folder) as process:
        process.communicate()
    assert process.returncode == 0


def wait_for_rows(folder, count, process):
    manifest = folder / "out/manifest.jsonl"
    while process.poll() is None:
        if manifest.exists() and manifest.read_bytes().count(b"\n") >= count:
            return
        time.sleep(0.01)


def contents(out):
    """Everything that a run leaves, except for what it may leave differently."""
    return {
        path.relative_to(out).as_posix(): sha256(path.read_bytes()).hexdigest()
        for path in out.rglob("*")
        if path.is_file() and path.name not in {"waveforms.jsonl", "report.html"}
    }


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    (folder / "script.txt").write_text(LINES)
    finish(folder)
    return contents(folder / "out")


@pytest.fixture
def folder(script, tmp_path):
    script(LINES)
    return tmp_path


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_interrupt_finishes_what_is_in_flight(folder, undisturbed, workers, number):
    process = start(folder, "--workers", str(workers))
    wait_for_rows(folder, 3, process)
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    assert "once more to stop now" in stderr
    assert "interrupted: the same command goes on" in stdout
    assert "Traceback" not in stderr
    made = (folder / "out/manifest.jsonl").read_bytes().count(b"\n")
    assert 3 <= made < 16
    assert len(list((folder / "out").glob("*.wav"))) == made
    finish(folder)
    assert contents(folder / "out") == undisturbed


def test_two_interrupts_stop_now(folder, undisturbed):
    process = start(folder, "--workers", "2")
    wait_for_rows(folder, 3, process)
    children = psutil.Process(process.pid).children()
    process.send_signal(signal.SIGINT)
    time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "Traceback" not in stderr
    assert psutil.wait_procs(children, timeout=5)[1] == []
    finish(folder)
    assert contents(folder / "out") == undisturbed


@pytest.mark.parametrize("seed", range(4))
def test_killed_at_a_random_moment_nothing_is_lost(folder, undisturbed, seed):
    """The benchmark crash.py does this thirty times and more."""
    moments = random.Random(seed)
    for _ in range(2):
        process = start(folder, "--workers", str(1 + seed % 2))
        wait_for_rows(folder, moments.randrange(16), process)
        time.sleep(moments.random() * 0.1)
        children = psutil.Process(process.pid).children() if process.poll() is None else []
        process.kill()
        process.communicate()
        assert psutil.wait_procs(children, timeout=5)[1] == []
    finish(folder)
    assert contents(folder / "out") == undisturbed


def test_a_second_run_into_the_same_folder_is_refused(folder, cli):
    process = start(folder)
    wait_for_rows(folder, 1, process)
    second = cli("synth", "script.txt", "-o", "out")
    assert second.returncode == 2
    assert "in use by another run" in second.stderr
    process.communicate()
    assert process.returncode == 0


IN_A_NAMESPACE = """
set -e
mkdir -p out
{mount}
"$@"
"""


def in_a_namespace(folder, mount, *args):
    """Run the command line where ``out`` is a file system of its own."""
    return subprocess.run(
        [
            shutil.which("unshare"),
            "-Urm",
            "sh",
            "-c",
            IN_A_NAMESPACE.format(mount=mount),
            "sh",
            sys.executable,
            "-m",
            "tts_toolkit",
            *args,
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.mount
def test_a_full_disk_is_told_and_keeps_what_is_done(folder):
    keep = "cp -r out kept"
    script = f'mount -t tmpfs -o size=1500k none out; trap "{keep}" EXIT'
    done = in_a_namespace(folder, script, "synth", "script.txt", "-o", "out")
    assert done.returncode == 4, done.stderr
    assert "out/" in done.stderr
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr
    rows = [json.loads(line) for line in (folder / "kept/manifest.jsonl").read_text().splitlines()]
    assert rows
    for row in rows:
        assert (folder / "kept" / row["file"]).stat().st_size > 1000
    parts = folder / "kept/.tts-toolkit/parts"
    assert not parts.exists() or list(parts.iterdir()) == []


@pytest.mark.mount
def test_a_read_only_folder_is_told(folder):
    done = in_a_namespace(
        folder,
        "mount --bind out out; mount -o remount,ro,bind out",
        "synth",
        "script.txt",
        "-o",
        "out",
    )
    assert done.returncode == 4, done.stderr
    assert "out" in done.stderr
    assert "Read-only file system" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_that_can_not_be_made_is_told(cli, script):
    done = cli("synth", script("Hello.\n"), "-o", "/proc/nowhere/out")
    assert done.returncode == 4
    assert "/proc/nowhere" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_limit_on_file_size_is_told(folder):
    import resource

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))

    done = subprocess.run(
        [sys.executable, "-m", "tts_toolkit", "synth", "script.txt", "-o", "out"],
        cwd=folder,
        preexec_fn=limit,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 4
    assert "File too large" in done.stderr
    assert "Traceback" not in done.stderr
