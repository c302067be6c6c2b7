import json
import time
from hashlib import sha256

import pytest
import soundfile

import tts_toolkit as tts
from fake_engine import FakeSession
from tts_toolkit.engines.pool import Pool
from tts_toolkit.job.folder import OutputFolder

THREE = "The first line.\nThe second line.\n\nThe third line.\n"


@pytest.fixture
def run(script, tmp_path):
    """Run a text as a script into ``out``, with one worker."""

    def go(text, *, name="script.txt", out="out", **how):
        return tts.run_script(script(text, name), tmp_path / out, workers=1, **how)

    return go


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


def rows(out):
    return {row.id: row for row in tts.read_rows(out)}


def audio(out):
    """Content by file name."""
    files = (path for path in out.rglob("*") if path.suffix in {".wav", ".flac"})
    return {p.relative_to(out).as_posix(): sha256(p.read_bytes()).hexdigest() for p in files}


def counts(report):
    return {
        name: getattr(report, name)
        for name in ("made", "kept", "renamed", "failed", "waiting", "stale", "pruned")
        if getattr(report, name)
    }


def test_a_script_becomes_a_folder(run, out):
    report = run(THREE)
    assert counts(report) == {"made": 3}
    assert report.exit_code == 0
    assert {p.name for p in out.iterdir()} == {
        ".tts-toolkit",
        "000001.wav",
        "000002.wav",
        "000003.wav",
        "job.json",
        "manifest.jsonl",
        "metadata.jsonl",
        "report.html",
    }
    third = rows(out)["000003"]
    assert (third.text, third.source["line"], third.index) == ("The third line.", 4, 3)
    assert third.status == "ok"
    with soundfile.SoundFile(out / third.file) as file:
        assert file.frames / file.samplerate == pytest.approx(third.duration_s, abs=1e-4)
        assert file.comment == "AI-generated speech"
    assert report.audio_s == pytest.approx(sum(row.duration_s for row in rows(out).values()))


def test_the_clips_are_what_say_gives(run, out, tmp_path):
    run(THREE)
    with tts.load() as synth:
        synth.say("The second line.").save(tmp_path / "say.wav")
    assert (tmp_path / "say.wav").read_bytes() == (out / "000002.wav").read_bytes()


def test_a_second_run_makes_nothing_and_changes_nothing(run, out):
    run(THREE)
    before = {path: path.stat().st_mtime_ns for path in out.iterdir() if path.is_file()}
    assert counts(run(THREE)) == {"kept": 3}
    assert {path: path.stat().st_mtime_ns for path in out.iterdir() if path.is_file()} == before


def test_a_line_at_the_top_is_the_only_one_made(run, out, tmp_path):
    run(THREE)
    before = audio(out)
    assert counts(run("A new line.\n" + THREE)) == {"made": 1, "renamed": 3}
    after = audio(out)
    for number in (1, 2, 3):
        assert after[f"00000{number + 1}.wav"] == before[f"00000{number}.wav"]
    run("A new line.\n" + THREE, out="fresh")
    assert after == audio(tmp_path / "fresh")
    fresh = (tmp_path / "fresh/manifest.jsonl").read_bytes()
    assert (out / "manifest.jsonl").read_bytes() == fresh


def test_an_edited_line_is_the_only_one_made(run, out, tmp_path):
    run(THREE)
    edited = THREE.replace("second", "other")
    assert counts(run(edited)) == {"made": 1, "kept": 2}
    run(edited, out="fresh")
    assert audio(out) == audio(tmp_path / "fresh")


def test_what_the_script_no_longer_has_stays_until_prune(run, out):
    run(THREE)
    shorter = "The first line.\nThe third line.\n"
    assert counts(run(shorter)) == {"kept": 1, "renamed": 1, "stale": 1}
    stale = rows(out)["000003"]
    assert (stale.text, stale.index) == ("The second line.", None)
    assert counts(run(THREE)) == {"kept": 1, "renamed": 2}
    assert counts(run(shorter, prune=True)) == {"kept": 1, "renamed": 1, "pruned": 1}
    assert sorted(audio(out)) == ["000001.wav", "000002.wav"]
    assert list(rows(out)) == ["000001", "000002"]


def test_a_file_that_was_deleted_is_made_again(run, out):
    run(THREE)
    before = audio(out)
    (out / "000002.wav").unlink()
    (out / "000003.wav").write_bytes(b"")
    assert counts(run(THREE)) == {"made": 2, "kept": 1}
    assert audio(out) == before


def test_a_failed_line_is_a_row_and_is_tried_again(fake_engine, run, out):
    report = run("fine\nboom\n...\nfine too\n", model="indextts-2.5")
    assert counts(report) == {"made": 2, "failed": 2}
    assert report.exit_code == 1
    assert sorted(str(failure).split("script.txt:")[1] for failure in report.failures) == [
        "2 000002 the tone broke",
        "3 000003 there is nothing to pronounce",
    ]
    failed = rows(out)["000002"]
    assert (failed.status, failed.file) == ("failed", None)
    assert failed.error == {"type": "EngineError", "message": "the tone broke"}
    assert counts(run("fine\nboom\n...\nfine too\n")) == {"kept": 2, "failed": 2}
    assert counts(run("fine\nmended\nright\nfine too\n")) == {"made": 2, "kept": 2}


def test_an_edit_that_fails_leaves_no_clip_of_the_old_text(fake_engine, run, out):
    run("one\ntwo\n", model="indextts-2.5")
    assert counts(run("one\nboom\n")) == {"kept": 1, "failed": 1}
    assert list(audio(out)) == ["000001.wav"]


def test_fail_fast_stops_at_the_first(fake_engine, run):
    text = "".join("boom\n" if n == 10 else f"line {n}\n" for n in range(50))
    report = run(text, model="indextts-2.5", fail_fast=True)
    assert report.failed == 1
    assert report.waiting > 20
    assert report.exit_code == 1


def test_stopped_it_finishes_what_is_in_flight_and_goes_on_later(run, out, tmp_path):
    text = "".join(f"This is line number {n}.\n" for n in range(12))
    seen = []
    report = run(text, on_progress=seen.append, stopped=lambda: len(seen) >= 3)
    assert report.interrupted
    assert report.exit_code == 130
    assert 3 <= report.made < 12
    assert len(rows(out)) == report.made
    again = run(text)
    assert counts(again) == {"made": 12 - report.made, "kept": report.made}
    run(text, out="fresh")
    assert audio(out) == audio(tmp_path / "fresh")
    fresh = (tmp_path / "fresh/manifest.jsonl").read_bytes()
    assert (out / "manifest.jsonl").read_bytes() == fresh


def test_workers_give_the_same_folder(run, script, out, tmp_path):
    text = "".join(f"Number {n} of the lot. And more of it.\n" for n in range(10))
    run(text)
    report = tts.run_script(script(text), tmp_path / "pool", workers=2)
    assert report.made == 10
    assert audio(out) == audio(tmp_path / "pool")
    same = (tmp_path / "pool/manifest.jsonl").read_bytes()
    assert (out / "manifest.jsonl").read_bytes() == same


def test_takes_are_further_seeds(run, out):
    assert counts(run("One line.\nTwo lines.\n", takes=3, seed=5)) == {"made": 6}
    assert [(row.id, row.seed) for row in rows(out).values()] == [
        ("000001", 5),
        ("000001_take1", 6),
        ("000001_take2", 7),
        ("000002", 5),
        ("000002_take1", 6),
        ("000002_take2", 7),
    ]
    assert [row.index for row in rows(out).values()] == [1, 2, 3, 4, 5, 6]
    assert len(set(audio(out).values())) == 6
    assert counts(run("One line.\nTwo lines.\n", seed=5)) == {"kept": 2, "stale": 4}
    assert counts(run("One line.\nTwo lines.\n", takes=3, seed=5)) == {"kept": 6}


def test_only_a_line_is_all_of_its_takes(run, out):
    assert counts(run(THREE, takes=2, only=["2"])) == {"made": 2, "waiting": 4}
    assert sorted(audio(out)) == ["000002.wav", "000002_take1.wav"]
    assert counts(run(THREE, takes=2, only=["000003_take1"])) == {
        "made": 1,
        "kept": 2,
        "waiting": 3,
    }


def test_a_reroll_is_for_good_and_follows_its_line(run, out):
    run(THREE)
    first = audio(out)
    assert counts(run(THREE, reroll=["2"])) == {"made": 1, "kept": 2}
    second = audio(out)
    assert second["000002.wav"] != first["000002.wav"]
    assert counts(run(THREE)) == {"kept": 3}
    assert counts(run("New.\n" + THREE)) == {"made": 1, "renamed": 3}
    assert audio(out)["000003.wav"] == second["000002.wav"]
    assert counts(run("New.\n" + THREE, reroll=["000003"])) == {"made": 1, "kept": 3}
    assert audio(out)["000003.wav"] not in {first["000002.wav"], second["000002.wav"]}


def test_equal_lines_are_rerolled_one_by_one(run, out):
    twice = "The same.\nThe same.\n"
    run(twice)
    same = audio(out)["000001.wav"]
    assert counts(run(twice, reroll=["2"])) == {"made": 1, "kept": 1}
    assert audio(out)["000001.wav"] == same != audio(out)["000002.wav"]
    assert counts(run(twice)) == {"kept": 2}
    assert counts(run(twice, reroll=["1"])) == {"made": 1, "kept": 1}
    assert counts(run(twice)) == {"kept": 2}


def test_only_and_limit_make_less_and_drop_nothing(run, out):
    assert counts(run(THREE, limit=2)) == {"made": 2, "waiting": 1}
    assert counts(run(THREE, only=["3"])) == {"made": 1, "kept": 2}
    edited = THREE.replace("line", "word")
    assert counts(run(edited, only=["000002"])) == {"made": 1, "waiting": 2}
    assert [row.text for row in rows(out).values()] == [
        "The first line.",
        "The second word.",
        "The third line.",
    ]
    assert len(audio(out)) == 3
    assert counts(run(edited)) == {"made": 2, "kept": 1}


def test_only_keeps_the_failed_rows_of_the_others(fake_engine, run, out):
    run("boom\nfine\n", model="indextts-2.5")
    run("boom\nfiner\n", only=["2"])
    assert [row.status for row in rows(out).values()] == ["failed", "ok"]


def test_a_dry_run_says_what_would_be_done_and_does_nothing(run, out):
    report = run(THREE, dry_run=True)
    assert report.to_make == ("000001", "000002", "000003")
    assert not out.exists()
    run(THREE)
    before = audio(out)
    report = run("New.\n" + THREE, dry_run=True)
    assert report.to_make == ("000001",)
    assert ("000001.wav", "000002.wav") in report.to_rename
    assert counts(report) == {"renamed": 3, "waiting": 1}
    assert audio(out) == before
    assert counts(run(THREE)) == {"kept": 3}


@pytest.mark.parametrize(
    "other", [{"format": "flac"}, {"sampling_rate": 16_000}, {"subtype": "PCM_24"}]
)
def test_another_format_needs_force_and_then_leaves_one_clip_a_line(run, out, other):
    run(THREE)
    before = audio(out)
    with pytest.raises(tts.OutputMismatchError, match="--force"):
        run(THREE, **other)
    assert audio(out) == before
    assert counts(run(THREE, force=True, **other)) == {"made": 3}
    assert len(audio(out)) == 3
    assert not set(audio(out).values()) & set(before.values())
    assert counts(run(THREE, **other)) == {"kept": 3}


def test_the_folder_remembers_its_engine(fake_engine, run, out):
    run("one\n", model="indextts-2.5")
    assert run("one\n").engine == "indextts-2.5"
    with pytest.raises(tts.OutputMismatchError, match="engine builtin, not indextts"):
        run("one\n", model="builtin")
    assert counts(run("one\n", model="builtin", force=True)) == {"made": 1}
    assert json.loads((out / "job.json").read_text())["engine"] == "builtin"


def test_a_folder_with_strangers_in_it_is_refused(run, out):
    out.mkdir()
    (out / "000002.wav").write_bytes(b"mine")
    with pytest.raises(tts.OutputMismatchError, match=r"000002\.wav"):
        run(THREE)
    assert (out / "000002.wav").read_bytes() == b"mine"
    assert counts(run(THREE, force=True)) == {"made": 3}


@pytest.mark.parametrize(
    "file", ["../secret.wav", "/etc/hostname", "a/../../secret.wav", "link/x.wav"]
)
def test_a_row_that_was_tampered_with_reaches_nothing_outside(run, out, tmp_path, file):
    run(THREE)
    secret = tmp_path / "secret.wav"
    secret.write_bytes(b"mine")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/x.wav").write_bytes(b"mine too")
    (out / "link").symlink_to(tmp_path / "elsewhere")
    rows_now = [json.loads(line) for line in (out / "manifest.jsonl").read_text().splitlines()]
    rows_now[1] |= {"id": "gone", "file": file}
    (out / "manifest.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows_now))
    report = run("The first line.\n", prune=True)
    assert counts(report) == {"kept": 1, "pruned": 1}
    assert secret.read_bytes() == b"mine"
    assert (tmp_path / "elsewhere/x.wav").read_bytes() == b"mine too"


@pytest.mark.parametrize(
    "damage",
    [{"file": 5}, {"key": [1]}, {"id": None}, {"segments": "x"}, {"duration_s": "1"}, {"cue": 0}],
)
def test_a_damaged_row_costs_its_own_clip_only(run, out, damage):
    run(THREE)
    before = audio(out)
    rows_now = [json.loads(line) for line in (out / "manifest.jsonl").read_text().splitlines()]
    rows_now[1] |= damage
    (out / "manifest.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows_now))
    assert counts(run(THREE)) == {"made": 1, "kept": 2}
    assert audio(out) == before


@pytest.mark.parametrize(
    "damage",
    [{"rerolls": None}, {"rerolls": {"a": "b"}}, {"options": []}, {"schema": "1"}, {"schema": 0}],
)
def test_damaged_settings_are_told(run, out, damage):
    run(THREE)
    settings = json.loads((out / "job.json").read_text()) | damage
    (out / "job.json").write_text(json.dumps(settings))
    with pytest.raises(tts.OutputMismatchError, match="can't be read as a run's settings"):
        run(THREE)


def test_an_engine_that_is_not_known_is_told(run, out):
    run(THREE)
    settings = json.loads((out / "job.json").read_text()) | {"engine": "nonsense"}
    (out / "job.json").write_text(json.dumps(settings))
    with pytest.raises(tts.OptionError, match="'nonsense', an engine that is not known here"):
        run(THREE)


@pytest.mark.parametrize("option", [{"voice": "hart"}, {"lang": "zh"}, {"speed": 3.0}])
def test_a_wrong_option_is_told_once_and_not_for_each_line(run, out, option):
    with pytest.raises(tts.OptionError) as caught:
        run(THREE, **option)
    assert "script.txt" not in str(caught.value)
    assert not out.exists()


def test_an_output_without_a_name_is_refused(script):
    with pytest.raises(tts.UsageError, match="has no name"):
        tts.run_script(script(THREE), "")


def test_ids_and_outputs_are_the_names(run, out):
    lines = [
        {"text": "One.", "id": "intro"},
        {"text": "Two.", "output": "sub/two.wav"},
        {"text": "Three.", "id": "three", "output": "sub/deep/3"},
        {"text": "Four.", "silence_after_ms": "300"},
    ]
    run("\n".join(map(json.dumps, lines)), name="script.jsonl")
    assert [(row.id, row.file) for row in rows(out).values()] == [
        ("intro", "intro.wav"),
        ("sub/two", "sub/two.wav"),
        ("three", "sub/deep/3.wav"),
        ("000004", "000004.wav"),
    ]
    assert rows(out)["000004"].cue == {"silence_after_ms": 300}
    lines[1]["output"] = "other/two.wav"
    assert counts(run("\n".join(map(json.dumps, lines)), name="script.jsonl")) == {
        "kept": 3,
        "renamed": 1,
    }
    assert not (out / "sub/two.wav").exists()


def test_another_lines_text_under_the_same_id_is_not_the_same_audio(run, out):
    run('{"text": "One.", "id": "a"}', name="s.jsonl")
    first = audio(out)
    run('{"text": "Two.", "id": "a"}', name="s.jsonl")
    assert audio(out).keys() == first.keys()
    assert audio(out) != first


def test_several_scripts_stand_in_folders_of_their_own(script, out):
    one, two = script("One.\n", "one.txt"), script('{"text": "Two.", "id": "x"}', "two.jsonl")
    tts.run_script([one, two], out)
    assert [row.file for row in tts.read_rows(out)] == ["one/000001.wav", "two/x.wav"]


def test_a_line_of_its_own_beats_the_options(run, out):
    line = {"text": "One.", "seed": 9, "speed": 1.5}
    run(json.dumps(line), name="s.jsonl", seed=3, speed=0.8)
    row = rows(out)["000001"]
    assert (row.seed, row.speed, row.voice, row.lang) == (9, 1.5, "heart", "en")


def test_the_folder_is_locked_while_a_run_goes_on(run, tmp_path):
    refused = []

    def second(_progress):
        if not refused:
            with pytest.raises(tts.OutputInUseError, match="in use by another run"):
                tts.run_script(tmp_path / "script.txt", tmp_path / "out")
            refused.append(True)

    run(THREE, on_progress=second)
    assert refused


def test_progress_tells_how_far_it_is(run):
    seen = []
    run(THREE, on_progress=seen.append)
    assert [(one.done, one.failed, one.total) for one in seen] == [(1, 0, 3), (2, 0, 3), (3, 0, 3)]
    assert seen[0].x_realtime > 0
    assert seen[0].seconds_left > 0
    assert seen[2].seconds_left == 0


def test_a_script_of_which_nothing_can_be_said_is_refused_whole(run, out):
    with pytest.raises(tts.ScriptError) as caught:
        run("你好\n再见\n")
    assert [problem.source.line for problem in caught.value.problems] == [1, 2]
    assert not out.exists()


def test_a_slow_disk_does_not_pile_up_clips(fake_engine, run, monkeypatch):
    finished, stored, ahead = [], [], []
    step, store = FakeSession.step, OutputFolder.store

    def counted_step(self):
        events = step(self)
        finished.extend(events[1:])
        ahead.append(len(finished) - len(stored))
        return events

    def slow_store(self, file, data):
        time.sleep(0.01)
        store(self, file, data)
        stored.append(file)

    monkeypatch.setattr(FakeSession, "step", counted_step)
    monkeypatch.setattr(OutputFolder, "store", slow_store)
    text = "".join(f"Line {n}.\n" for n in range(60))
    assert run(text, model="indextts-2.5").made == 60
    assert max(ahead) <= 12


def test_a_pool_is_closed_when_the_disk_fails(run, monkeypatch, script, tmp_path):
    closed = []
    close = Pool.close
    monkeypatch.setattr(Pool, "close", lambda self: (closed.append(True), close(self)))
    store = OutputFolder.store

    def full(self, file, data):
        if file.endswith(".wav"):
            raise tts.StorageError(f"{file}: No space left on device")
        store(self, file, data)

    monkeypatch.setattr(OutputFolder, "store", full)
    with pytest.raises(tts.StorageError, match="No space left"):
        tts.run_script(script(THREE), tmp_path / "out", workers=2)
    assert closed


def test_a_clip_that_gives_the_emotion_counts_by_its_content(run, out, fake_engine, tmp_path):
    clip = tmp_path / "sad.wav"
    clip.write_bytes(b"one")
    feel = {"model": "indextts-2.5", "emotion_audio": clip}
    assert counts(run(THREE, **feel)) == {"made": 3}
    assert counts(run(THREE, **feel)) == {"kept": 3}
    moved = clip.rename(tmp_path / "elsewhere.wav")
    assert counts(run(THREE, **feel | {"emotion_audio": moved})) == {"kept": 3}
    moved.write_bytes(b"another")
    assert counts(run(THREE, **feel | {"emotion_audio": moved})) == {"made": 3}
    assert counts(run(THREE, model="indextts-2.5", emotion_weight=0.5)) == {"made": 3}


def test_a_clip_for_the_emotion_that_is_not_there_stops_the_run(run, out, fake_engine, tmp_path):
    with pytest.raises(tts.OptionError, match=r"--emotion-audio .*gone\.wav: No such file"):
        run(THREE, model="indextts-2.5", emotion_audio=tmp_path / "gone.wav")
    assert not out.exists()
