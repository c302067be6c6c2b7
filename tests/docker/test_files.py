"""What the image's files say, held against each other and against the project."""

import os
import re
import stat
import subprocess
from pathlib import Path

import pytest
import yaml

import tts_toolkit

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
PAGE = (ROOT / "docs" / "docker.md").read_text("utf-8")
WORDS = ("build", "start", "stop", "logs")


def argument(name):
    return re.search(rf'^ARG {name}="?([^"\n]+)"?$', DOCKERFILE, re.MULTILINE)[1]


def program(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def run(*command, path):
    return subprocess.run(
        [str(part) for part in command],
        env={**os.environ, "PATH": f"{path}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def test_the_image_has_the_projects_version():
    assert argument("VERSION") == tts_toolkit.__version__


def test_images_are_pinned():
    assert re.fullmatch(r"nvcr\.io/nvidia/pytorch:2\d\.\d\d-py3", argument("BASE_IMAGE"))
    assert re.fullmatch(r"ghcr\.io/astral-sh/uv:\d+\.\d+\.\d+", argument("UV_IMAGE"))


def test_the_extras_are_the_projects():
    from importlib.metadata import metadata

    assert set(argument("EXTRAS").split()) <= set(metadata("tts-toolkit").get_all("Provides-Extra"))


def test_no_recipe_follows_one_that_failed():
    assert "||" not in DOCKERFILE


def test_compose_builds_the_same_base():
    for service in COMPOSE["services"].values():
        assert argument("BASE_IMAGE") in service["build"]["args"]["BASE_IMAGE"]


def test_ports_are_open_to_this_machine_alone():
    for service in COMPOSE["services"].values():
        for port in service.get("ports", ()):
            assert port.startswith("127.0.0.1:")


def test_without_a_profile_compose_starts_the_server_alone():
    assert [name for name, one in COMPOSE["services"].items() if "profiles" not in one] == [
        "server"
    ]


def test_each_service_may_be_told_another_model():
    for name, service in COMPOSE["services"].items():
        default = "auto" if "cpu" in name else "indextts-2.5"
        assert service["environment"]["TTS_TOOLKIT_MODEL"] == f"${{TTS_TOOLKIT_MODEL:-{default}}}"
        assert ("deploy" in service) == ("cpu" not in name)


def test_compose_has_the_volume_of_the_pages_commands():
    volume = COMPOSE["volumes"]["models"]["name"]
    assert set(re.findall(r"-v ([\w/-]+):/models", PAGE)) == {volume, "/srv/models"}


def test_the_pages_commands_write_as_the_reader():
    commands = re.findall(r"^docker run (?:.*\\\n)*.*", PAGE, re.MULTILINE)
    writing = [command for command in commands if '"$PWD:/data"' in command]
    assert len(writing) >= 4
    assert all('--user "$(id -u):$(id -g)"' in command for command in writing)


class _Override(yaml.SafeLoader):
    """YAML with Compose's word for a list that replaces another."""


_Override.add_constructor("!override", lambda loader, node: loader.construct_sequence(node))


def test_the_pages_overrides_fit_what_they_override():
    blocks = re.findall(r":caption: compose\.override\.yaml\n(.*?)```", PAGE, re.DOTALL)
    published, offline = [yaml.load(block, _Override)["services"]["server"] for block in blocks]
    server = COMPOSE["services"]["server"]
    assert set(published["command"]) <= set(server["command"]) - {"--no-auth"}
    assert [f"127.0.0.1:{port}" for port in published["ports"]] == server["ports"]
    targets = [volume.split(":")[1] for volume in server["volumes"]]
    assert [volume.split(":")[1] for volume in offline["volumes"]] == targets[:1]


def test_the_pages_recipe_is_the_dockerfiles():
    [export] = re.findall(r"uv export (.*?) && uv pip", DOCKERFILE, re.DOTALL)
    [shown] = re.findall(r"^uv export (?:.*\\\n)*.*", PAGE, re.MULTILINE)
    words = re.findall(r"--(?:prune \S+|(?!prune|quiet)[\w-]+)", export)
    extras = [f"--extra {extra}" for extra in argument("EXTRAS").split()]
    assert [word for word in (*words, *extras) if word not in shown] == []


@pytest.mark.parametrize("word", WORDS)
def test_the_helpers_four_words_are_those_of_the_page(tmp_path, word):
    program(tmp_path / "docker", f'echo "docker $*" in $(pwd) > {tmp_path}/called')
    done = run(ROOT / "tts-toolkit-helper.sh", word, path=tmp_path)
    assert done.returncode == 0, done.stderr
    command, _, folder = (tmp_path / "called").read_text().strip().partition(" in ")
    assert Path(folder) == ROOT
    assert f"| `{word}` | `{command}` |" in PAGE
    batch = (ROOT / "tts-toolkit-helper.bat").read_bytes().decode()
    assert f'"{word}" {command}&' in batch


@pytest.mark.parametrize("words", [(), ("restart",)])
def test_the_helper_knows_no_other_word(tmp_path, words):
    program(tmp_path / "docker", "exit 99")
    done = run(ROOT / "tts-toolkit-helper.sh", *words, path=tmp_path)
    assert done.returncode == 2
    assert "build|start|stop|logs" in done.stderr


def test_the_batch_file_has_windows_line_ends():
    lines = (ROOT / "tts-toolkit-helper.bat").read_bytes().split(b"\n")
    assert all(line.endswith(b"\r") for line in lines[:-1])


def entrypoint(tmp_path):
    """The entrypoint, with a tts-toolkit that shows its arguments and NVIDIA's below tmp_path."""
    text = (ROOT / "docker" / "entrypoint.sh").read_text("utf-8")
    program(tmp_path / "entrypoint", text.replace("/opt/nvidia", str(tmp_path / "nvidia")))
    program(tmp_path / "tts-toolkit", 'for one in "$@"; do echo "<$one>"; done; exit 3')
    return run(tmp_path / "entrypoint", "say", "Hello  there.", path=tmp_path)


def test_the_entrypoint_ends_in_the_command(tmp_path):
    done = entrypoint(tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (3, "<say>\n<Hello  there.>\n", "")


def test_the_entrypoint_keeps_nvidias_banner_off_stdout(tmp_path):
    program(tmp_path / "nvidia" / "nvidia_entrypoint.sh", 'echo A banner; exec "$@"')
    done = entrypoint(tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (
        3,
        "<say>\n<Hello  there.>\n",
        "A banner\n",
    )
