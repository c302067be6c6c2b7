from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from toy_model import FILES, LARGE, whole
from tts_toolkit.errors import ModelMissingError, UsageError
from tts_toolkit.store.catalogue import find_model
from tts_toolkit.store.models import part_path, remove_model, require_model, state_of
from tts_toolkit.store.verify import verify_model

PROGRAM = Path(__file__).parents[1] / "fake_catalogue.py"


@pytest.fixture
def models(toy):
    """``tts-toolkit models …`` with the toy's catalogue."""

    def run(*args, stdin=""):
        return subprocess.run(
            [sys.executable, str(PROGRAM), str(toy), "models", *map(str, args)],
            input=stdin,
            env=os.environ,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture
def installed(toy, tmp_path):
    """The toy in the store."""
    folder = tmp_path / "home" / "models" / "toy"
    for (_, name), content in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def test_state_goes_from_not_here_over_partial_to_installed(toy, installed):
    model = find_model("toy")
    assert state_of(model).state == "installed"
    (installed / "large.bin").unlink()
    assert state_of(model).state == "partial"
    assert [file.path for file in state_of(model).missing] == ["large.bin"]
    part_path(state_of(model).missing[0], installed).write_bytes(b"123")
    assert state_of(model).bytes_here == sum(map(len, FILES.values())) - len(LARGE) + 3
    assert state_of(model, installed / "nowhere").state == "not here"


def test_list_shows_state_size_licence_and_folder(models, installed):
    done = models("list")
    assert done.returncode == 0
    assert done.stdout.split() == [
        *("toy", "installed", "307.0", "kB", "Toy", "License", str(installed)),
    ]
    (installed / "large.bin").unlink()
    assert "partial 7.0 kB of" in models("list").stdout
    (entry,) = json.loads(models("list", "--json").stdout)
    assert entry["state"] == "partial"
    assert entry["missing"] == ["large.bin"]


def test_verify_reads_every_byte(models, installed):
    done = models("verify", "toy")
    assert done.returncode == 0
    assert done.stdout.count("right ") == len(FILES)
    data = bytearray(LARGE)
    data[123_456] ^= 1
    (installed / "large.bin").write_bytes(data)
    (installed / "config.yaml").unlink()
    done = models("verify", "toy")
    assert done.returncode == 3
    assert "wrong    large.bin" in done.stdout
    assert "missing  config.yaml" in done.stdout
    assert (
        "1 missing and 1 wrong; to mend it: tts-toolkit models download toy --force" in done.stderr
    )


def test_verify_tells_a_file_of_another_size_without_reading_it(installed):
    (installed / "large.bin").write_bytes(LARGE[:-1])
    progress = []
    found = verify_model("toy", on_progress=progress.append)
    assert [file.path for file in found.wrong] == ["large.bin"]
    assert progress[-1].total == sum(map(len, FILES.values())) - len(LARGE)


def test_path_is_for_scripts(models, installed):
    done = models("path", "toy")
    assert (done.returncode, done.stdout) == (0, f"{installed}\n")
    for path in installed.rglob("*.bin"):
        path.unlink()
    done = models("path", "toy")
    assert done.returncode == 3
    assert done.stdout == ""
    assert "of 4 files 2 missing in" in done.stderr


def test_missing_files_are_one_error_with_their_source(toy, tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "config.yaml").write_text("of my own\n")
    with pytest.raises(ModelMissingError) as error:
        require_model("toy", folder)
    text = str(error.value)
    assert "large.bin (300.0 kB) from owner/model at 0123456" in text
    assert "hf_cache/sub/small.bin (7.0 kB) from other/part at 0123456" in text
    assert f"tts-toolkit models download toy --dir {folder}" in text


def test_a_model_of_the_user_s_own_may_have_other_sizes(toy, tmp_path):
    for _, name in FILES:
        path = tmp_path / "mine" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"fine-tuned")
    assert require_model("toy", tmp_path / "mine") == tmp_path / "mine"


def test_remove_deletes_the_model_s_files_and_no_other(toy, installed):
    (installed / "large.bin.0123456789ab.part").write_bytes(b"12")
    staging = installed / "config.yaml.0123456789ab.modelscope"
    staging.mkdir()
    (staging / "config.yaml.incomplete").write_bytes(b"123")
    (installed / "hf_cache" / "mine.txt").write_text("mine")
    assert remove_model("toy") == sum(map(len, FILES.values())) + 5
    left = [path.name for path in installed.rglob("*") if path.is_file()]
    assert left == ["mine.txt"]
    assert remove_model("toy") == 0


def test_remove_leaves_no_empty_folder(models, installed):
    done = models("remove", "toy", "--yes")
    assert done.stdout == f"{installed}: 307.0 kB deleted\n"
    assert not installed.exists()
    assert models("remove", "toy").returncode == 0


def test_remove_wants_a_word_where_nobody_can_be_asked(models, installed):
    done = models("remove", "toy")
    assert done.returncode == 2
    assert "307.0 kB" in done.stderr
    assert "say --yes" in done.stderr
    assert whole(installed)


def test_remove_leaves_a_download_that_is_under_way_alone(installed):
    with (
        FileLock(installed / ".download.lock"),
        pytest.raises(UsageError, match="a download is writing there"),
    ):
        remove_model("toy")
    assert whole(installed)


@pytest.mark.parametrize(("answer", "code"), [(b"y\n", 4), (b"n\n", 2), (b"\n", 2)])
def test_the_licence_is_a_question_on_a_terminal(toy, answer, code):
    ours, theirs = pty.openpty()
    os.write(ours, answer)
    done = subprocess.run(
        [sys.executable, str(PROGRAM), str(toy), "models", "download", "toy"],
        stdin=theirs,
        env={**os.environ, "HF_ENDPOINT": "http://127.0.0.1:9"},
        capture_output=True,
        text=True,
        check=False,
    )
    os.close(ours)
    os.close(theirs)
    assert done.returncode == code, done.stderr  # 4: it went on, to a server that is not there
    assert "Be kind." in done.stderr
    assert "Do you accept it? [y/N]" in done.stderr


def test_the_licence_is_in_the_refusal_where_nobody_can_be_asked(models):
    done = models("download", "toy")
    assert done.returncode == 2
    assert "Toy License" in done.stderr
    assert "Be kind." in done.stderr
    assert "--accept-license" in done.stderr
