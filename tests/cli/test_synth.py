"""The command as a process: what it prints, and where."""

import json
import subprocess
import sys

import pytest

THREE = "The first line.\nThe second line.\nThe third line.\n"


def test_results_go_to_stdout_and_talk_to_stderr(cli, script, tmp_path):
    done = cli("synth", script(THREE), "-o", "out")
    assert done.returncode == 0
    assert done.stdout.startswith("3 made, ")
    assert "x realtime; listen: out/report.html\n" in done.stdout
    assert (
        done.stderr == "builtin: the embedded English voice (IndexTTS-2.5's weights are not here)\n"
    )
    again = cli("synth", script(THREE), "-o", "out")
    assert again.stdout == "3 kept; listen: out/report.html\n"


def test_json_is_the_last_line_of_stdout(cli, script):
    done = cli("synth", script("Fine.\n你好\n"), "-o", "out", "--json")
    assert done.returncode == 1
    summary = json.loads(done.stdout.splitlines()[-1])
    assert {name: summary[name] for name in ("made", "failed", "total", "engine", "out")} == {
        "made": 1,
        "failed": 1,
        "total": 2,
        "engine": "builtin",
        "out": "out",
    }
    [failure] = summary["failures"]
    assert (failure["line"], failure["id"]) == (2, "000002")


def test_a_failure_names_its_line_id_and_reason(cli, script):
    done = cli("synth", script("Fine.\n你好\n"), "-o", "out", "-q")
    assert done.returncode == 1
    assert done.stdout == ""
    [line] = done.stderr.splitlines()
    assert line.endswith(
        "script.txt:2 000002 the builtin voice speaks English and can't read Han script"
    )


@pytest.mark.parametrize("more", [[], ["-q"]])
def test_progress_as_json_is_an_event_a_line(cli, script, more):
    done = cli("synth", script(THREE), "-o", "out", "--progress", "json", *more)
    events = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    assert [event["done"] for event in events] == [1, 2, 3]
    assert events[0].keys() == {"done", "failed", "total", "x_realtime", "seconds_left"}


def test_a_bar_shows_what_counts(cli, script):
    done = cli("synth", script("Fine.\n你好\nFine too.\n"), "-o", "out", "--progress", "bar")
    assert "3/3" in done.stderr
    assert "1 failed" in done.stderr
    assert "x realtime" in done.stderr


def test_standard_input_is_a_script(cli, tmp_path):
    done = cli("synth", "-", "-o", "out", stdin="From a pipe.\n")
    assert done.returncode == 0
    rows = (tmp_path / "out/manifest.jsonl").read_text().splitlines()
    assert json.loads(rows[0])["source"] == {"file": "<stdin>", "line": 1}
    as_jsonl = ("--script-format", "jsonl")
    done = cli("synth", "-", "-o", "out2", *as_jsonl, stdin='{"text": "One.", "id": "a"}\n')
    assert (tmp_path / "out2/a.wav").exists()


def test_a_folder_of_scripts(cli, script, tmp_path):
    script("One.\n", "book/ch1.txt")
    script("Two.\n", "book/part/ch2.txt")
    assert cli("synth", "book", "-o", "book/out").returncode == 0
    assert (tmp_path / "book/out/ch1/000001.wav").exists()
    assert (tmp_path / "book/out/part/ch2/000001.wav").exists()
    again = cli("synth", "book", "-o", "book/out")
    assert again.stdout.startswith("2 kept")


def test_a_dry_run_prints_the_plan(cli, script, tmp_path):
    cli("synth", script(THREE), "-o", "out")
    script("New.\n" + THREE)
    done = cli("synth", "script.txt", "-o", "out", "--dry-run")
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        "rename 000001.wav -> 000002.wav",
        "rename 000002.wav -> 000003.wav",
        "rename 000003.wav -> 000004.wav",
        "make 000001",
        "out: 1 to make, 3 to rename (dry run)",
    ]
    assert not (tmp_path / "out/000004.wav").exists()


def test_verbose_tells_what_the_library_logs(cli, script):
    done = cli("synth", script(THREE), "-o", "out", "-v")
    assert "3 to make, 0 to rename" in done.stderr


def test_the_table_is_read_by_the_columns_that_are_named(cli, script, tmp_path):
    script("Key,Character,Line\nx1,heart,Hello there.\n", "s.csv")
    columns = ("--columns", "text=Line,voice=Character,id=Key")
    assert cli("synth", "s.csv", "-o", "out", *columns).returncode == 0
    assert (tmp_path / "out/x1.wav").exists()


def test_settings_are_shown_with_their_origin(cli, tmp_path):
    (tmp_path / "c.yaml").write_text("format: flac\n")
    env = {"TTS_TOOLKIT_CONFIG": str(tmp_path / "c.yaml"), "TTS_TOOLKIT_SEED": "7"}
    shown = [line.split() for line in cli("config", "show", env=env).stdout.splitlines()]
    assert ["format", "flac", "config"] in shown
    assert ["seed", "7", "environment"] in shown
    assert ["speed", "1.0", "default"] in shown
    assert ["offline", "false", "default"] in shown
    assert cli("config", "path", env=env).stdout.strip() == str(tmp_path / "c.yaml")


def test_voices_are_listed_with_how_to_get_them(cli):
    lines = cli("voices").stdout.splitlines()
    assert lines[0].split() == ["heart", "American", "female", "here"]
    assert "tts-toolkit voices download emma" in lines[1]


def test_a_voice_is_not_fetched_offline(cli):
    done = cli("voices", "download", "emma", "--offline")
    assert done.returncode == 4
    assert "offline is set" in done.stderr
    assert cli("voices", "download", "heart", "--offline").returncode == 0


def test_a_reader_that_leaves_early_is_no_error(script, tmp_path):
    script("".join(f"Line {n}.\n" for n in range(20_000)))
    command = f"{sys.executable} -m tts_toolkit synth script.txt -o out --dry-run -q | head -1"
    done = subprocess.run(
        command, shell=True, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stdout == "make 000001\n"
    assert done.stderr == ""
