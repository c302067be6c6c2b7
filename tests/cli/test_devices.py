"""``devices`` and ``doctor`` as processes, on whatever machine this is."""

from __future__ import annotations

import json

import pytest

from tts_toolkit.devices.choose import choose_device
from tts_toolkit.devices.cuda import why_no_cuda
from tts_toolkit.devices.probe import this_machine
from tts_toolkit.store.catalogue import find_model

NEEDS = find_model("indextts-2.5").memory
LANGUAGES = ("en", "zh", "ja", "es", "ar")


def test_devices_shows_what_auto_would_take_and_why(cli):
    done = cli("devices")
    choice = choose_device("auto", this_machine(), needs=NEEDS)
    assert done.returncode == 0
    assert done.stdout.startswith("device ")
    assert f"in {choice.dtype}, which needs about" in done.stdout
    name = choice.devices[0]
    assert f"-> {name}" in done.stdout


def test_devices_speaks_json(cli):
    done = cli("devices", "--device", "cpu", "--dtype", "float32", "--json")
    said = json.loads(done.stdout)
    assert said["choice"]["devices"] == ["cpu"]
    assert said["choice"]["dtype"] == "float32"
    assert said["needs"] == dict(NEEDS)
    assert len(said["cards"]) == len(this_machine().cards)


@pytest.mark.parametrize("command", [("devices",), ("say", "Hi.", "-o", "x.wav")])
def test_a_wish_that_can_not_be_had_gets_the_reason(cli, tmp_path, command):
    why = why_no_cuda(this_machine())
    done = cli(*command, "--device", "cuda:99")
    assert done.returncode == 3
    assert (why or "there is no such GPU") in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "x.wav").exists()


def test_the_environment_asks_too(cli):
    done = cli("devices", env={"TTS_TOOLKIT_DEVICE": "cuda:99"})
    assert done.returncode == 3
    assert "--device cuda:99" in done.stderr


def test_doctor_has_a_row_for_everything_and_a_remedy_for_what_is_missing(cli):
    done = cli("doctor", "--json")
    checks = {one["name"]: one for one in json.loads(done.stdout)}
    assert done.returncode == 0
    for name in (
        *("Python", "torch", "indextts25-inference", "NVIDIA driver", "processor"),
        *("device for indextts-2.5", "builtin voice", "indextts-2.5", "extra modelscope"),
        *("config file", "cache folder", *(f"text normaliser {one}" for one in LANGUAGES)),
    ):
        assert name in checks
    assert checks["indextts-2.5"]["need"] == "tts-toolkit models download indextts-2.5"
    assert {one["state"] for one in checks.values()} <= {"ok", "missing"}


def test_doctor_has_what_is_wrong_with_the_options(cli):
    done = cli("doctor", env={"TTS_TOOLKIT_CONFIG": "no.yaml", "TTS_TOOLKIT_SEED": "x"})
    assert done.returncode == 3
    assert "there is no file no.yaml; TTS_TOOLKIT_SEED: 'x' is not a whole number" in done.stdout


def test_doctor_asks_the_network_only_when_told(cli):
    nowhere = {"HF_ENDPOINT": "http://127.0.0.1:9"}
    assert "127.0.0.1" not in cli("doctor", env=nowhere).stdout
    done = cli("doctor", "--network", env=nowhere)
    assert done.returncode == 3
    assert "http://127.0.0.1:9 does not answer" in done.stdout
    assert "HF_ENDPOINT" in done.stdout
    offline = cli("doctor", "--network", env={"HF_HUB_OFFLINE": "1"})
    assert "not asked: HF_HUB_OFFLINE is set" in offline.stdout


def test_doctor_says_where_the_cache_is_and_whether_it_can_be_written(cli, tmp_path):
    done = cli("doctor", "--json", env={"TTS_TOOLKIT_HOME": str(tmp_path / "home" / "deep")})
    checks = {one["name"]: one for one in json.loads(done.stdout)}
    assert str(tmp_path / "home" / "deep") in checks["cache folder"]["detail"]
    assert "free on its disk" in checks["cache folder"]["detail"]
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    done = cli("doctor", env={"TTS_TOOLKIT_HOME": str(blocked / "home")})
    assert done.returncode == 0
    assert "can be read and not written" in done.stdout
