import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tts_toolkit.manifest import (
    MANIFEST,
    Journal,
    ManifestRow,
    portable,
    read_entries,
    read_rows,
    row_at,
    with_metadata,
)
from tts_toolkit.scripts.names import stays_inside


def row(name="000001", **fields):
    base = {
        "id": name,
        "index": 1,
        "source": {"file": "s.txt", "line": 1},
        "status": "ok",
        "text": "Hello.",
        "text_spoken": "Hello.",
        "voice": "heart",
        "voice_sha256": "ab",
        "lang": "en",
        "file": f"{name}.wav",
        "duration_s": 1.5,
        "sampling_rate": 24_000,
        "seed": 0,
        "speed": 1.0,
        "engine": "builtin",
        "model": "hibari-tts",
        "model_revision": "1",
        "key": "k" + name,
        "segments": [{"text": "Hello.", "start_s": 0.0, "end_s": 1.5}],
        "peak": 0.5,
    }
    return ManifestRow(**base | fields)


SCHEMA_1 = (
    "schema id index source status text text_spoken voice voice_sha256 lang file duration_s "
    "sampling_rate seed speed engine model model_revision key segments peak error warnings "
    "attempts check cue"
)


def test_a_row_has_the_fields_of_schema_1():
    assert " ".join(json.loads(row().to_line())) == SCHEMA_1


@given(st.text(), st.text(), st.lists(st.text()))
def test_a_row_is_one_line_and_comes_back(name, text, warnings):
    written = row(name, text=text, warnings=warnings)
    assume(stays_inside(written.file))  # a row that would lead elsewhere is not believed
    line = written.to_line()
    assert line.count(b"\n") == 1
    assert ManifestRow.from_line(line) == written


def test_the_last_row_of_an_id_wins(tmp_path):
    with Journal(tmp_path) as journal:
        journal.append(row("a", text="first"))
        journal.append(row("b"))
        journal.append(row("a", text="second"))
    assert [(one.id, one.text) for one in read_rows(tmp_path)] == [("a", "second"), ("b", "Hello.")]


def test_an_entry_finds_its_row(tmp_path):
    with Journal(tmp_path) as journal:
        entries = [journal.append(row(name)) for name in "abc"]
    assert list(read_entries(tmp_path).values()) == entries
    with (tmp_path / MANIFEST).open("rb") as file:
        assert [row_at(file, entry).id for entry in reversed(entries)] == ["c", "b", "a"]


def test_torn_at_any_byte_the_whole_rows_stay_and_the_next_one_is_whole(tmp_path):
    whole = row("a").to_line() + row("b").to_line()
    for cut in range(len(whole) + 1):
        (tmp_path / MANIFEST).write_bytes(whole[:cut])
        complete = whole[:cut].count(b"\n")
        assert [one.id for one in read_rows(tmp_path)] == ["a", "b"][:complete]
        with Journal(tmp_path) as journal:
            journal.append(row("c"))
        assert [one.id for one in read_rows(tmp_path)] == [*["a", "b"][:complete], "c"]


@pytest.mark.parametrize(
    "junk", [b"\n", b"{}\n", b"[1]\n", b"null\n", b'{"schema": 9}\n', b"\xff\n"]
)
def test_a_line_that_is_no_row_is_passed_over(tmp_path, junk):
    (tmp_path / MANIFEST).write_bytes(row("a").to_line() + junk + row("b").to_line())
    assert [one.id for one in read_rows(tmp_path)] == ["a", "b"]


def test_no_manifest_has_no_rows(tmp_path):
    assert list(read_rows(tmp_path)) == []


def test_metadata_has_the_ok_rows_with_their_file(tmp_path):
    path = tmp_path / "metadata.jsonl"
    failed = row("b", status="failed", file=None, error={"type": "EngineError", "message": "x"})
    rows = [row("a", file="sub/ä.wav"), failed]
    assert list(with_metadata(path, rows)) == rows
    [only] = [json.loads(line) for line in path.read_text().splitlines()]
    assert only["file_name"] == "sub/ä.wav"
    assert only["text"] == "Hello."


@pytest.mark.parametrize(
    ("given_name", "name"),
    [
        ("script.txt", "script.txt"),
        ("examples/script.txt", "examples/script.txt"),
        ("/home/me/script.txt", "script.txt"),
        ("../script.txt", "script.txt"),
        ("C:\\Users\\me\\script.txt", "script.txt"),
        ("sub\\script.txt", "sub/script.txt"),
        ("<stdin>", "<stdin>"),
    ],
)
def test_a_row_names_no_absolute_path(given_name, name):
    assert portable(given_name) == name
