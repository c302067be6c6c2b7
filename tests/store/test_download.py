"""Downloads with the real code from a local server that speaks the hub's protocol."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub_server import Fault, HubServer, catalogue_of
from toy_model import FILES, LARGE, whole
from tts_toolkit.errors import DownloadError, OptionError, StorageError
from tts_toolkit.store import catalogue
from tts_toolkit.store.catalogue import find_model
from tts_toolkit.store.download import download_model
from tts_toolkit.store.models import part_path

ROOT = Path(__file__).parents[2]


def ranges(hub, name="large.bin"):
    """The Range of each GET of a file."""
    return [
        one.headers.get("range")
        for one in hub.requests
        if one.method == "GET" and one.path.endswith(name)
    ]


def large():
    return next(file for file in find_model("toy").files if file.path == "large.bin")


def test_a_model_comes_whole_with_its_folders(download, hub):
    progress = []
    folder = download(on_progress=progress.append)
    assert whole(folder)
    last = progress[-1]
    assert (last.phase, last.done, last.files_done) == ("download", last.total, len(FILES))
    assert last.total == sum(map(len, FILES.values()))


def test_a_second_download_checks_and_asks_nothing(download, hub):
    download()
    asked = len(hub.requests)
    download()
    assert len(hub.requests) == asked


@settings(deadline=None, max_examples=25, suppress_health_check=list(HealthCheck))
@given(cuts=st.lists(st.integers(0, len(LARGE)), max_size=6))
def test_a_connection_that_is_cut_is_gone_on_with_where_it_was(download, hub, tmp_path, cuts):
    folder = tmp_path / "toy"
    hub.requests.clear()
    hub.faults["GET", "large.bin"].clear()
    hub.faults["GET", "large.bin"].extend(Fault(cut=cut) for cut in cuts)
    try:
        download(folder)
    except DownloadError as error:
        # Four answers in a row that brought nothing.
        assert cuts.count(0) >= 4
        assert "large.bin" in str(error)  # noqa: PT017
    else:
        assert whole(folder)
        starts = [int(one[6:-1]) if one else 0 for one in ranges(hub)]
        assert starts == sorted(starts)
    finally:
        shutil.rmtree(folder)


def test_what_a_killed_process_has_is_gone_on_with(toy, hub, tmp_path):
    folder = tmp_path / "toy"
    hub.always["large.bin"] = Fault(pace=150_000)
    part = part_path(large(), folder)
    process = subprocess.Popen(command(toy, folder), env=env(hub), stderr=subprocess.DEVNULL)
    until(lambda: part.exists() and part.stat().st_size > 50_000)
    process.send_signal(signal.SIGKILL)
    process.wait()
    had = part.stat().st_size
    assert 0 < had < len(LARGE)
    assert not (folder / "large.bin").exists()
    hub.always.clear()
    hub.requests.clear()
    subprocess.run(command(toy, folder), env=env(hub), check=True, capture_output=True)
    assert whole(folder)
    assert ranges(hub) == [f"bytes={had}-"]


def test_an_interrupted_process_leaves_at_once_and_says_so(toy, hub, tmp_path):
    folder = tmp_path / "toy"
    hub.always["large.bin"] = Fault(stall=60)
    part = part_path(large(), folder)
    process = subprocess.Popen(
        command(toy, folder), env=env(hub), stderr=subprocess.PIPE, text=True
    )
    until(lambda: part.exists() and part.stat().st_size > 1000)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "Interrupted" in said
    assert "Traceback" not in said
    assert not (folder / "large.bin").exists()


def test_wrong_content_is_fetched_once_more(download, hub):
    hub.faults["GET", "large.bin"].append(Fault(flip=150_000))
    notes = []
    folder = download(notes=notes)
    assert whole(folder)
    assert ranges(hub) == [None, None]
    assert "once more from the beginning" in notes[0]


def test_content_that_is_wrong_twice_is_refused_and_the_rest_is_kept(download, hub, tmp_path):
    hub.always["large.bin"] = Fault(flip=0)
    with pytest.raises(DownloadError, match=r"large\.bin: what came has sha256 .* twice, so it is"):
        download()
    assert len(ranges(hub)) == 2
    kept = {path.name for path in (tmp_path / "toy").rglob("*") if path.is_file()}
    assert kept == {"config.yaml", "empty.txt", "small.bin", ".download.lock"}
    hub.always.clear()
    assert whole(download())


@pytest.mark.parametrize("claim", [0, 1000, 299_999, 300_001, 900_000])
def test_a_file_of_another_length_is_refused(download, hub, claim, tmp_path):
    hub.always["large.bin"] = Fault(claim=claim)
    with pytest.raises(DownloadError, match=rf"large\.bin: the server's file is of {claim} bytes"):
        download()
    assert not (tmp_path / "toy" / "large.bin").exists()


def test_a_file_of_another_hash_is_refused_before_it_comes(download, hub):
    hub._hashes["owner/model", "large.bin"] = "0" * 64
    with pytest.raises(DownloadError, match=r"large\.bin: the server's file has sha256 0000"):
        download()
    assert ranges(hub) == []


def test_several_files_that_can_not_be_had_are_told_at_once(download, hub):
    del hub.files["owner/model", "large.bin"]
    del hub.files["other/part", "hf_cache/sub/small.bin"]
    with pytest.raises(DownloadError) as error:
        download()
    lines = str(error.value).splitlines()
    assert len(lines) == 2
    for name in ("large.bin", "small.bin"):
        assert any(f"{name}: 404" in line and "no such file" in line for line in lines)


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_says_how_to_give_a_token(download, hub, status):
    hub.always["large.bin"] = Fault(status=status)
    with pytest.raises(DownloadError, match=rf"large\.bin: {status} .*hf auth login.*HF_TOKEN"):
        download()
    assert whole_but_large(hub)


def whole_but_large(hub):
    return len(ranges(hub, "config.yaml")) == 1


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_trouble_that_passes_is_waited_for(download, hub, status):
    hub.faults["HEAD", "large.bin"].append(Fault(status=status))
    hub.faults["GET", "large.bin"].append(Fault(status=status))
    notes = []
    assert whole(download(notes=notes))
    assert [f"the server answers {status}" in note for note in notes] == [True, True]


def test_the_server_s_own_wish_to_wait_is_honoured(download, hub):
    hub.faults["GET", "large.bin"].append(Fault(status=429, headers=(("Retry-After", "1"),)))
    notes = []
    started = time.monotonic()
    download(notes=notes)
    # A second is asked for, and the test's patience is 0.3 s at most.
    assert time.monotonic() - started >= 0.3
    assert "again in 0.3 s" in notes[0] or "again in 0.4 s" in notes[0]


def test_trouble_that_does_not_pass_ends_with_what_came(download, hub, tmp_path):
    hub.faults["HEAD", "large.bin"].append(Fault())
    hub.faults["GET", "large.bin"].append(Fault(cut=100_000))
    hub.always["large.bin"] = Fault(status=503)
    with pytest.raises(DownloadError, match=r"503 .*tried 4 times in vain.*the same command goes"):
        download()
    assert part_path(large(), tmp_path / "toy").read_bytes() == LARGE[:100_000]


def test_a_server_that_is_silent_is_left_and_asked_again(download, hub):
    hub.faults["GET", "large.bin"].append(Fault(stall=2))
    notes = []
    assert whole(download(notes=notes))
    assert "silent for too long" in notes[0]


def test_a_server_that_is_slow_is_borne_with(download, hub):
    hub.always["large.bin"] = Fault(pace=600_000)
    notes = []
    assert whole(download(notes=notes))
    assert notes == []


def test_no_server_at_all_is_told(download, hub):
    with pytest.raises(DownloadError, match="the connection broke"):
        download(endpoint="http://127.0.0.1:9")


@pytest.mark.parametrize("fault", [Fault(whole=True), Fault(shift=7)])
def test_an_answer_to_another_range_is_never_joined(download, hub, fault):
    hub.faults["GET", "large.bin"].extend([Fault(cut=100_000), fault])
    assert whole(download())


def test_the_token_is_for_the_hub_alone(download, hub, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    hub.elsewhere = True
    assert whole(download())
    port = hub.storage.rpartition(":")[2]
    there = [one for one in hub.requests if one.headers["host"].endswith(port)]
    here = [one for one in hub.requests if not one.headers["host"].endswith(port)]
    assert there
    assert not [one for one in there if "authorization" in one.headers]
    assert {one.headers["authorization"] for one in here} == {"Bearer hf_secret"}


def test_offline_says_what_is_missing_and_asks_nothing(download, hub, tmp_path):
    with pytest.raises(DownloadError, match=r"not complete, and offline is set.*large\.bin"):
        download(offline=True)
    assert hub.requests == []
    folder = download()
    assert download(offline=True) == folder


def test_the_hub_s_own_switch_is_told(toy, hub, tmp_path):
    done = subprocess.run(
        command(toy, tmp_path / "toy"),
        env=env(hub) | {"HF_HUB_OFFLINE": "1", "TTS_TOOLKIT_OFFLINE": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 4
    assert "large.bin: HF_HUB_OFFLINE is set" in done.stderr
    assert hub.requests == []


def test_the_licence_is_asked_for_before_anything_comes(download, hub):
    with pytest.raises(OptionError, match=r"(?s)Toy License.*Be kind\..*--accept-license"):
        download(accept_license=False)
    assert hub.requests == []
    asked = []
    download(accept_license=False, on_license=lambda model: asked.append(model) or True)
    assert [model.name for model in asked] == ["toy"]
    download(accept_license=False)  # all is here: nothing to accept


def test_what_the_user_has_under_a_file_s_name_is_not_overwritten(download, hub, tmp_path):
    mine = tmp_path / "toy" / "large.bin"
    mine.parent.mkdir()
    mine.write_bytes(b"my own weights")
    with pytest.raises(StorageError, match=r"not the published ones: large\.bin.*--force"):
        download()
    assert mine.read_bytes() == b"my own weights"
    assert hub.requests == []
    assert whole(download(force=True))


def test_a_full_disk_is_told_before_anything_comes(download, hub, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 9, 1000))
    with pytest.raises(StorageError, match=r"307\.0 kB are still to come, and 1\.0 kB are free"):
        download()
    assert ranges(hub) == []


def test_room_for_what_is_already_here_is_not_needed(download, hub, tmp_path, monkeypatch):
    part = part_path(large(), tmp_path / "toy")
    part.parent.mkdir()
    part.write_bytes(LARGE[:299_000])
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 9, 9000))
    assert whole(download())


@pytest.mark.mount
def test_a_disk_that_fills_up_keeps_what_came(toy, hub, tmp_path):
    inner = " ".join(map(str, command(toy, "/mnt/toy")))
    # The disk is said to have room, so that it fills up on the way.
    lie = "import shutil; shutil.disk_usage = lambda _: shutil._ntuple_diskusage(9**9, 0, 9**9)"
    script = (
        "mount -t tmpfs -o size=200k none /mnt && mkdir -p /tmp/site || exit 9\n"
        f"mount -t tmpfs none /tmp/site && echo '{lie}' > /tmp/site/sitecustomize.py\n"
        f"PYTHONPATH=/tmp/site {inner}; code=$?; ls -l /mnt/toy >&2; exit $code"
    )
    done = subprocess.run(
        ["unshare", "-Urm", "sh", "-c", script],
        env=env(hub),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 4, done.stderr
    assert "No space left on device; what has come is kept" in done.stderr
    assert "Traceback" not in done.stderr
    assert ".part" in done.stderr


@pytest.mark.mount
def test_a_read_only_store_is_used_and_not_written(toy, hub, download, tmp_path):
    folder = download()
    quiet = " ".join(map(str, command(toy, folder)))
    script = f"mount --bind {folder} {folder} && mount -o remount,bind,ro {folder} && {quiet}"
    run = ["unshare", "-Urm", "sh", "-c", script]
    done = subprocess.run(run, env=env(hub), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, str(folder))
    (folder / "large.bin").unlink()
    done = subprocess.run(run, env=env(hub), capture_output=True, text=True, check=False)
    assert done.returncode == 4
    assert "Read-only file system" in done.stderr
    assert "Traceback" not in done.stderr


def test_two_downloads_at_once_fetch_each_file_once(toy, hub, tmp_path):
    folder = tmp_path / "toy"
    hub.always["large.bin"] = Fault(pace=300_000)
    first, second = (
        subprocess.Popen(command(toy, folder), env=env(hub), stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    )
    said = [process.communicate(timeout=60)[1] for process in (first, second)]
    assert [first.returncode, second.returncode] == [0, 0]
    assert whole(folder)
    assert len(ranges(hub)) == 1
    assert sum("another download is under way here" in one for one in said) == 1


def test_four_files_come_at_once(tmp_path, monkeypatch):
    files = {("owner/model", f"{number}.bin"): bytes(1000 + number) for number in range(9)}
    known = catalogue.read_catalogue(json.dumps(catalogue_of(files)))
    monkeypatch.setattr(catalogue, "catalogue", lambda: known)
    most, now = 0, 0
    lock = threading.Lock()

    def fault(method, _name):
        nonlocal most, now
        if method == "GET":
            with lock:
                now += 1
                most = max(most, now)
            time.sleep(0.1)
            with lock:
                now -= 1
        return Fault()

    with HubServer(files) as hub:
        hub.fault = fault
        download_model("toy", tmp_path, endpoint=hub.endpoint, accept_license=True)
    assert most == 4


def test_a_part_of_another_revision_is_not_gone_on_with(download, hub, tmp_path):
    folder = tmp_path / "toy"
    folder.mkdir()
    (folder / "large.bin.ffffffffffff.part").write_bytes(b"x" * 1000)
    assert whole(download())
    assert ranges(hub) == [None]


def test_a_part_that_is_too_long_begins_again(download, hub, tmp_path):
    part = part_path(large(), tmp_path / "toy")
    part.parent.mkdir()
    part.write_bytes(LARGE + b"more")
    assert whole(download())


def test_a_part_that_is_whole_needs_no_request(download, hub, tmp_path):
    part = part_path(large(), tmp_path / "toy")
    part.parent.mkdir()
    part.write_bytes(LARGE)
    assert whole(download())
    assert ranges(hub) == []


def test_json_progress_is_a_line_an_event(toy, hub, tmp_path):
    hub.always["large.bin"] = Fault(pace=600_000)
    done = subprocess.run(
        [*command(toy, tmp_path / "toy"), "--progress", "json"],
        env=env(hub),
        capture_output=True,
        text=True,
        check=True,
    )
    events = [json.loads(line) for line in done.stderr.splitlines()]
    counts = [one["done"] for one in events if one["phase"] == "download"]
    assert counts == sorted(counts)
    assert counts[-1] == sum(map(len, FILES.values()))


def command(toy, folder):
    program = ROOT / "tests" / "fake_catalogue.py"
    return [
        *(sys.executable, str(program), str(toy), "models", "download", "toy"),
        *("--dir", str(folder), "--accept-license"),
    ]


def env(hub):
    return {**os.environ, "HF_ENDPOINT": hub.endpoint}


def until(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)
