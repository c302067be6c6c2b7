from __future__ import annotations

import re
import subprocess
import sys

import click
import pytest

from tts_toolkit import __version__
from tts_toolkit.cli import cli as root
from tts_toolkit.config import FORMATS, MODELS, RULES

HEAVY = ("torch", "transformers", "librosa", "onnxruntime", "numpy", "scipy", "soundfile", "hibari")


def commands(command=root, path=()):
    yield path
    for name, child in sorted(getattr(command, "commands", {}).items()):
        yield from commands(child, (*path, name))


COMMANDS = list(commands())


@pytest.mark.parametrize("flag", ["--help", "-h"])
@pytest.mark.parametrize("path", COMMANDS, ids=[" ".join(path) or "root" for path in COMMANDS])
def test_every_command_has_help(path, flag, cli):
    done = cli(*path, flag)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"Usage: {' '.join(['tts-toolkit', *path])}")
    assert "\\b" not in done.stdout


def test_the_commands_are_those_of_the_plan():
    assert COMMANDS == [
        (),
        ("completion",),
        ("config",),
        ("config", "path"),
        ("config", "show"),
        ("devices",),
        ("doctor",),
        ("models",),
        ("models", "download"),
        ("models", "list"),
        ("models", "path"),
        ("models", "remove"),
        ("models", "verify"),
        ("say",),
        ("serve",),
        ("synth",),
        ("voices",),
        ("voices", "download"),
        ("voices", "list"),
        ("warm",),
    ]


def test_every_option_is_shown_with_its_choices_and_default(cli):
    shown = cli("synth", "--help").stdout + cli("models", "download", "--help").stdout
    flat = re.sub(r"\s+", " ", shown)
    for name, rule in RULES.items():
        assert f"--{name.replace('_', '-')} " in flat
        assert rule.help.replace("  ", " ") in flat
        assert all(choice in flat for choice in rule.choices)
    assert f"[{'|'.join(FORMATS)}]" in shown
    assert "Seed of each utterance without its own. [default: 0]" in flat


def test_every_flag_of_synth_is_told_what_it_is_for():
    synth = root.commands["synth"]
    assert all(one.help for one in synth.params if isinstance(one, click.Option))


def test_synth_s_help_tells_the_exit_codes_and_keeps_examples_on_their_lines(cli):
    shown = cli("synth", "--help").stdout
    assert "\n  tts-toolkit synth script.txt -o out/\n" in shown
    for code in ("0 all done", "1 some utterances failed", "3 model, voice", "130 interrupted"):
        assert code in re.sub(r"\s+", " ", shown)


def test_without_a_command_the_help_is_shown(cli):
    done = cli()
    assert done.returncode == 2
    assert "Usage: tts-toolkit [OPTIONS] COMMAND" in done.stderr


def test_the_version_is_shown(cli):
    assert cli("--version").stdout == f"tts-toolkit, version {__version__}\n"


@pytest.mark.parametrize(
    "program",
    [
        "import tts_toolkit; dir(tts_toolkit); tts_toolkit.__version__",
        "import tts_toolkit.cli as c; c.cli.main(['--help'], standalone_mode=False)",
        "import tts_toolkit.cli as c; c.cli.main(['synth', '--help'], standalone_mode=False)",
        "import tts_toolkit.cli as c; c.cli.main(['config', 'show'], standalone_mode=False)",
        "import tts_toolkit.cli as c; c.cli.main(['completion', 'bash'], standalone_mode=False)",
    ],
)
def test_a_cheap_start_loads_nothing_heavy(program):
    ending = f"import sys; sys.exit(' '.join(set({HEAVY!r}) & set(sys.modules)) or 0)"
    done = subprocess.run(
        [sys.executable, "-c", f"{program}; {ending}"], capture_output=True, text=True, check=False
    )
    assert (done.stderr.strip(), done.returncode) == ("", 0)


def test_the_console_script_is_the_command_line():
    from importlib.metadata import entry_points

    [script] = [one for one in entry_points(group="console_scripts") if one.name == "tts-toolkit"]
    from tts_toolkit.cli import main

    assert script.load() is main


@pytest.mark.parametrize(
    ("shell", "line"),
    [
        ("bash", "complete -o nosort -F _tts_toolkit_completion tts-toolkit"),
        ("zsh", "#compdef tts-toolkit"),
        ("fish", "complete --no-files --command tts-toolkit"),
    ],
)
def test_a_completion_script_is_printed(shell, line, cli):
    done = cli("completion", shell)
    assert (done.returncode, done.stderr) == (0, "")
    assert line in done.stdout
    assert f"_TTS_TOOLKIT_COMPLETE={shell}_complete" in done.stdout


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("tts-toolkit synth --format ", list(FORMATS)),
        ("tts-toolkit synth --format o", ["ogg", "opus"]),
        ("tts-toolkit synth --model ", list(MODELS)),
        ("tts-toolkit s", ["say", "serve", "synth"]),
        ("tts-toolkit voices d", ["download"]),
        ("tts-toolkit synth --samp", ["--sampling-rate"]),
        ("tts-toolkit completion ", ["bash", "zsh", "fish"]),
    ],
)
def test_bash_completes_what_is_typed(typed, words, cli):
    env = {
        "_TTS_TOOLKIT_COMPLETE": "bash_complete",
        "COMP_WORDS": typed,
        "COMP_CWORD": str(len(typed.split(" ")) - 1),
    }
    done = cli(env=env)
    assert [line.partition(",")[2] for line in done.stdout.split()] == words


def test_config_shows_each_option_and_where_it_comes_from(cli, tmp_path):
    (tmp_path / "c.yaml").write_text("format: flac\n")
    env = {"TTS_TOOLKIT_CONFIG": "c.yaml", "TTS_TOOLKIT_SEED": "7"}
    done = cli("config", "show", env=env)
    rows = [line.split() for line in done.stdout.splitlines()]
    assert [row[0] for row in rows] == list(RULES)
    assert ["format", "flac", "config"] in rows
    assert ["seed", "7", "environment"] in rows
    assert ["speed", "1.0", "default"] in rows
    assert cli("config", "path", env=env).stdout == "c.yaml\n"


def test_a_variable_that_is_none_of_ours_is_told_and_no_error(cli):
    done = cli("config", "show", env={"TTS_TOOLKIT_SPED": "2"})
    assert (done.returncode, done.stderr) == (
        0,
        "Warning: unknown variable 'TTS_TOOLKIT_SPED'. Did you mean \"TTS_TOOLKIT_SPEED\"?\n",
    )
    ours = {"TTS_TOOLKIT_HOME": "x", "TTS_TOOLKIT_API_KEY": "x", "TTS_TOOLKIT_SPEED": "2"}
    assert cli("config", "show", env=ours).stderr == ""


@pytest.mark.parametrize("words", [("voices",), ("voices", "list")], ids=" ".join)
def test_voices_are_listed_with_the_way_to_get_them(cli, words):
    lines = cli(*words).stdout.splitlines()
    assert re.match(r"heart +American +female +here$", lines[0])
    assert [line.split()[-1] for line in lines[1:]] == [line.split()[0] for line in lines[1:]]
    assert all("tts-toolkit voices download " in line for line in lines[1:])
