from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tts_toolkit.errors import ScriptError
from tts_toolkit.scripts.read import read_scripts


@pytest.fixture(autouse=True)
def _in_the_folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)


def ids(found):
    assert not found.problems
    return [one.id for one in found.utterances]


def refusal(scripts, **how):
    with pytest.raises(ScriptError) as error:
        read_scripts(scripts, **how)
    return str(error.value)


class TestIds:
    def test_one_script_has_the_ids_of_its_rows_or_their_numbers(self, script):
        script(
            '{"text": "A."}\n{"id": "b", "text": "B."}\n{"output": "c", "text": "C."}', "s.jsonl"
        )
        assert ids(read_scripts(["s.jsonl"])) == ["000001", "b", "c"]

    def test_an_output_decides_the_file_and_an_id_the_name(self, script):
        script('{"id": "b", "output": "x/y.wav", "text": "B."}', "s.jsonl")
        [one] = read_scripts(["s.jsonl"]).utterances
        assert (one.id, one.output) == ("b", "x/y")

    def test_several_scripts_stand_below_their_own_names(self, script):
        script("A.\nB.", "one.txt")
        script('{"id": "x", "text": "C."}', "two.jsonl")
        found = read_scripts(["one.txt", "two.jsonl"])
        assert ids(found) == ["one/000001", "one/000002", "two/x"]
        assert [one.output for one in found.utterances] == ids(found)
        assert [one.index for one in found.utterances] == [1, 2, 3]
        assert [str(one.source) for one in found.utterances] == [
            "one.txt:1",
            "one.txt:2",
            "two.jsonl:1",
        ]

    def test_a_script_beside_standard_input_has_a_prefix_too(self, script):
        script("A.", "one.txt")
        found = read_scripts(["one.txt", "-"], stdin=io.BytesIO(b"B."))
        assert ids(found) == ["one/000001", "stdin/000001"]


class TestFolder:
    def test_its_scripts_are_read_by_name_and_with_its_subfolders(self, script):
        script("A.", "book/b.txt")
        script("text\nB.", "book/a.csv")
        script("text\nC.", "book/part/c.TSV")
        script('{"text": "D."}', "book/part/d.jsonl")
        assert ids(read_scripts(["book"])) == [
            "a/000001",
            "b/000001",
            "part/c/000001",
            "part/d/000001",
        ]

    def test_other_and_hidden_files_are_no_scripts(self, script):
        for name in ("b/.hidden.txt", "b/.git/x.txt", "b/notes.md", "b/README", "b/x.wav"):
            script("No.", name)
        script("Yes.", "b/yes.txt")
        assert ids(read_scripts(["b"])) == ["yes/000001"]

    def test_the_output_folder_inside_it_is_no_script(self, script, tmp_path):
        script("A.", "book/a.txt")
        script('{"id": "x"}', "book/out/manifest.jsonl")
        script("A.", "book/out/deep/x.txt")
        assert ids(read_scripts(["book"], skip=tmp_path / "book/out")) == ["a/000001"]

    def test_a_folder_that_is_hidden_itself_may_be_read(self, script):
        script("A.", ".book/a.txt")
        assert ids(read_scripts([".book"])) == ["a/000001"]

    @pytest.mark.parametrize("name", ["empty", "empty/"])
    def test_a_folder_without_scripts_is_refused(self, script, name):
        script("x", "empty/notes.md")
        assert refusal([name]) == f"{name}: no .txt, .jsonl, .csv or .tsv file in this folder"

    def test_a_bad_script_does_not_hide_what_is_wrong_with_the_others(self, script):
        script(b"\xe9", "b/a.txt")
        script("oops", "b/b.jsonl")
        script("A.", "b/c.txt")
        found = read_scripts(["b"])
        assert [str(one).split(" ")[0] for one in found.problems] == [
            str(Path("b", "a.txt:1")),
            str(Path("b", "b.jsonl:1")),
        ]


class TestCollisions:
    @pytest.mark.parametrize(
        "names", [("a.txt", "a.csv"), ("a.txt", "A.csv"), ("x/a.txt", "a.csv")]
    )
    def test_scripts_of_one_name_would_write_to_one_place(self, script, names):
        for name in names:
            script("text\nA.\n", name)
        [problem] = read_scripts(list(names)).problems
        prefix = names[1].removesuffix(".csv")
        assert str(problem) == (
            f"{names[0]} and {names[1]} would both write below {prefix}/; rename one"
        )

    def test_a_script_given_twice_is_refused(self, script):
        script("A.")
        [problem] = read_scripts(["script.txt", "script.txt"]).problems
        assert str(problem) == "script.txt is given twice"

    def test_standard_input_can_be_read_once(self):
        found = read_scripts(["-", "-"], stdin=io.BytesIO(b"A."))
        assert "<stdin> is given twice" in [str(one) for one in found.problems]


class TestFormat:
    @pytest.mark.parametrize("name", ["s.txt", "S.TXT", "script", "s.weird"])
    def test_plain_text_by_suffix_or_by_name(self, script, name):
        script("A, B.", name)
        found = read_scripts([name], script_format="txt" if name == "s.weird" else "auto")
        assert [one.text for one in found.utterances] == ["A, B."]

    @pytest.mark.parametrize("name", ["s.jsonl", "s.ndjson", "s.JSONL"])
    def test_json_lines_by_suffix(self, script, name):
        script('{"text": "A."}', name)
        assert [one.text for one in read_scripts([name]).utterances] == ["A."]

    def test_what_is_asked_for_beats_the_suffix(self, script):
        script('{"text": "A."}', "s.txt")
        found = read_scripts(["s.txt"], script_format="jsonl")
        assert [one.text for one in found.utterances] == ["A."]

    @pytest.mark.parametrize("name", ["s.docx", "s.json", "s.wav"])
    def test_an_unknown_suffix_is_refused(self, script, name):
        script("A.", name)
        suffix = name[1:]
        assert refusal([name]) == (
            f"{name}: {suffix} is no script format; use .txt, .jsonl, .csv, .tsv or --script-format"
        )

    @pytest.mark.parametrize("name", ["s.txt", "s.jsonl"])
    def test_columns_are_for_tables(self, script, name):
        script('{"text": "A."}', name)
        assert refusal([name], columns={"text": "Line"}) == (
            f"{name}: --columns is for tables; this is {name[2:]}"
        )


class TestStandardInput:
    def test_it_is_text_unless_it_is_said_to_be_something_else(self):
        assert [
            one.text for one in read_scripts(["-"], stdin=io.BytesIO(b"A.\n\nB.\n")).utterances
        ] == ["A.", "B."]

    @pytest.mark.parametrize(
        ("kind", "data"), [("jsonl", b'{"text": "A."}'), ("csv", b"text\nA."), ("tsv", b"text\nA.")]
    )
    def test_it_may_be_any_format(self, kind, data):
        found = read_scripts(["-"], stdin=io.BytesIO(data), script_format=kind)
        assert [one.text for one in found.utterances] == ["A."]

    def test_its_lines_are_named(self):
        found = read_scripts(["-"], stdin=io.BytesIO(b"A.\nB."))
        assert [str(one.source) for one in found.utterances] == ["<stdin>:1", "<stdin>:2"]

    def test_an_empty_one_is_refused(self):
        assert refusal(["-"], stdin=io.BytesIO()) == "<stdin>: nothing to say; the script is empty"


class TestWhatIsNotThere:
    def test_a_missing_script_is_named(self):
        assert refusal(["nope.txt"]) == "nope.txt: no such file"

    def test_the_empty_name_is_not_the_current_folder(self, script):
        script("A.")
        assert refusal([""]) == ": no such file"

    def test_a_name_that_is_too_long_is_refused(self):
        assert refusal(["n" * 5000]).startswith("nnn")

    def test_everything_that_is_missing_is_told_at_once(self, script):
        script("", "empty.txt")
        assert refusal(["a.txt", "empty.txt", "b.txt"]).split("\n") == [
            "a.txt: no such file",
            "b.txt: no such file",
            "empty.txt: nothing to say; the script is empty",
        ]

    def test_an_empty_script_among_others_is_told(self, script):
        script("A.", "a.txt")
        script("\n", "b.txt")
        assert [str(one) for one in read_scripts(["a.txt", "b.txt"]).problems] == [
            "b.txt: nothing to say; the script is empty"
        ]

    def test_a_script_that_can_not_be_read_is_named(self, script, monkeypatch):
        path = script("A.")

        def fail(_path):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(type(path), "read_bytes", fail)
        assert refusal(["script.txt"]) == "script.txt: can't be read: Permission denied"

    @pytest.mark.skipif(os.name != "posix", reason="file names are bytes on POSIX only")
    def test_a_file_name_that_is_no_text_is_refused(self, tmp_path):
        name = os.fsdecode(b"b\xff.txt")
        (tmp_path / name).write_text("A.")
        [problem] = read_scripts([name]).problems
        assert str(problem) == "'b\\udcff.txt': the file's name is not UTF-8; rename it"


def test_the_scripts_themselves_are_inputs(script, tmp_path):
    script("A.", "a.txt")
    script("B.", "b.txt")
    assert read_scripts(["a.txt", "b.txt"]).inputs == {
        (tmp_path / "a.txt").resolve(),
        (tmp_path / "b.txt").resolve(),
    }


FRAGMENTS = st.lists(
    st.sampled_from(
        [
            *("\n", "\r", ",", "|", "\t", ";", '"', '""', "{", "}", "[", "]", ":", "text", "id"),
            *('"text"', '"seed"', "seed", "voice", "1", "-1", "1e999", "NaN", "null", "true"),
            *("{}", '{"text":"a"}', '{"text_file":"', "\\ud800", "\\u0000", "\0", "\u2028", " "),
            *("../x", "/etc/passwd", "~x", "a.wav", "output", "emotion_vector", "é", "\ufeff"),
        ]
    )
).map("".join)


@settings(deadline=None, max_examples=300)
@given(
    data=st.binary() | FRAGMENTS.map(str.encode) | FRAGMENTS.map(lambda s: s.encode("utf-16")),
    suffix=st.sampled_from([".txt", ".jsonl", ".csv", ".tsv"]),
    columns=st.sampled_from([None, None, {"text": "text"}, {"text": "id", "id": "text"}]),
)
def test_no_bytes_bring_the_readers_down(tmp_path_factory, data, suffix, columns):
    path = tmp_path_factory.getbasetemp() / f"property{suffix}"
    path.write_bytes(data)
    try:
        found = read_scripts([path], columns=columns)
    except ScriptError:
        return
    assert found.utterances
    bad = {problem.source for problem in found.problems}
    assert all(one.text.strip() for one in found.utterances if one.source not in bad)
    str(ScriptError(found.problems)).encode()
