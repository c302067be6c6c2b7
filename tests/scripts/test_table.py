from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tts_toolkit.errors import ScriptError
from tts_toolkit.scripts.read import read_scripts


def texts(found):
    assert not found.problems
    return [(one.source.line, one.id, one.text) for one in found.utterances]


def reasons(found):
    return [str(problem) for problem in found.problems]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_a_csv_may_use_any_of_the_usual_separators(read, separator):
    rows = [("id", "text", "speed"), ("a", "Hello there.", "1.5"), ("b", "Bye.", "")]
    found = read("\n".join(map(separator.join, rows)), "script.csv")
    assert texts(found) == [(2, "a", "Hello there."), (3, "b", "Bye.")]
    assert [one.speed for one in found.utterances] == [1.5, None]


def test_a_tsv_keeps_commas_and_semicolons(read):
    found = read("id\ttext\na\tOne, two; three | four\n", "script.tsv")
    assert texts(found) == [(2, "a", "One, two; three | four")]


def test_every_field_may_be_a_column(read, script):
    script(b"RIFF", "sad.wav")
    found = read(
        "text,voice,lang,seed,speed,output,silence_after_ms,emotion_audio,emotion_weight\n"
        "Hello.,heart,en,7,1.5,one/a.wav,300,sad.wav,0.5\n",
        "script.csv",
    )
    [one] = found.utterances
    assert not found.problems
    assert (one.voice, one.lang, one.seed, one.speed, one.output, one.silence_after_ms) == (
        "heart",
        "en",
        7,
        1.5,
        "one/a",
        300,
    )
    assert (one.emotion.audio, one.emotion.weight) == ("sad.wav", 0.5)


def test_a_text_file_may_stand_in_a_column(read, script):
    script("From a file.", "one.txt")
    found = read("id,text_file\na,one.txt\n", "script.csv")
    assert texts(found) == [(2, "a", "From a file.")]


def test_a_row_s_line_is_where_it_starts(read):
    found = read('text,id\n"One\ntwo\n\nthree",a\n\nNext.,b\n"Four\r\nfive",c\nLast.,d', "s.csv")
    assert texts(found) == [
        (2, "a", "One\ntwo\n\nthree"),
        (7, "b", "Next."),
        (8, "c", "Four\nfive"),
        (10, "d", "Last."),
    ]


def test_quotes_inside_quotes_are_doubled(read):
    found = read('id,text\na,"She said ""hello"", twice."\n', "script.csv")
    assert texts(found) == [(2, "a", 'She said "hello", twice.')]


@pytest.mark.parametrize("blank", ["", "   ", ",", " , "])
def test_blank_rows_are_skipped_even_before_the_header(read, blank):
    found = read(f"{blank}\nid,text\n{blank}\na,Hello.\n{blank}\n", "script.csv")
    assert texts(found) == [(4, "a", "Hello.")]


def test_a_byte_order_mark_does_not_spoil_the_header(read):
    assert texts(read("\ufefftext,id\r\nHello.,a\r\n", "script.csv")) == [(2, "a", "Hello.")]


def test_a_separator_of_unicode_does_not_end_a_row(read):
    found = read("text,id\nOne\u2028more\x85.,a\nTwo.,b\n", "script.csv")
    assert texts(found) == [(2, "a", "One\u2028more\x85."), (3, "b", "Two.")]


def test_trailing_separators_in_header_and_rows_do_no_harm(read):
    assert texts(read("text,id,,\nHello.,a,,\nBye.,b\n", "s.csv")) == [
        (2, "a", "Hello."),
        (3, "b", "Bye."),
    ]


class TestColumns:
    def test_they_say_what_each_of_our_fields_is_called(self, read):
        found = read(
            "Key;Line;Character;Note\nk1;Hello.;heart;softly\n",
            "script.csv",
            columns={"text": "Line", "voice": "Character", "id": "Key"},
        )
        assert texts(found) == [(2, "k1", "Hello.")]
        assert found.utterances[0].voice == "heart"

    def test_a_column_that_they_do_not_name_is_left_alone_even_with_our_name(self, read):
        found = read("text,Line,seed\nNo.,Yes.,x\n", "script.csv", columns={"text": "Line"})
        assert texts(found) == [(2, "000001", "Yes.")]
        assert found.utterances[0].seed is None

    def test_a_column_twice_matters_only_where_it_is_read(self, read):
        found = read("Line,x,x\nHello.,1,2\n", "script.csv", columns={"text": "Line"})
        assert texts(found) == [(2, "000001", "Hello.")]

    @pytest.mark.parametrize(
        ("columns", "reason"),
        [
            ({"texd": "Line"}, "--columns: 'texd' is not a field. Did you mean \"text\"?"),
            ({"text": "line"}, "no column 'line'. Did you mean \"Line\"?; it has Line, Key"),
            ({"text": "Words"}, "no column 'Words'; it has Line, Key"),
            ({"id": "Key"}, "no column is the text; say which with --columns text=NAME"),
        ],
    )
    def test_what_they_get_wrong_is_named(self, read, columns, reason):
        with pytest.raises(ScriptError) as error:
            read("Line,Key\nHello.,a\n", "script.csv", columns=columns)
        assert any(str(one).startswith("script.csv:1 ") for one in error.value.problems)
        assert reason in str(error.value)


class TestHeader:
    def test_a_table_without_a_text_column_is_refused_with_the_way_out(self, read):
        with pytest.raises(ScriptError) as error:
            read("\nLine,Key\nHello.,a\n", "script.csv")
        assert str(error.value) == (
            "script.csv:2 no column is the text; say which with --columns text=NAME "
            "(there are Line, Key)"
        )

    def test_an_unknown_column_is_named_once_with_the_nearest(self, read):
        with pytest.raises(ScriptError) as error:
            read("text,voise\n" + "Hello.,heart\n" * 9, "script.csv")
        [problem] = error.value.problems
        assert str(problem).startswith(
            "script.csv:1 unknown column 'voise'. Did you mean \"voice\"? (name the columns"
        )

    def test_a_column_twice_is_refused(self, read):
        with pytest.raises(ScriptError, match=r"script\.csv:1 has the column 'text' twice"):
            read("text,id,text\nHello.,a,Bye.\n", "script.csv")

    def test_an_unclosed_quote_in_it_is_suspected(self, read):
        with pytest.raises(ScriptError, match=r"script\.csv:1 the header is not a readable row"):
            read('"text,id\nHello.,a\n', "script.csv")

    @pytest.mark.parametrize("text", ["text\n", "text,id\n\n,\n", "", "\n\n"])
    def test_a_table_without_a_row_is_empty(self, read, text):
        with pytest.raises(ScriptError, match=r"script\.csv: nothing to say"):
            read(text, "script.csv")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("Hello.,a,more", "script.csv:3 has 3 cells, the header has 2"),
        ('"Hello.,a\nNext.,b\n', "script.csv:3 is not a readable row: unexpected end of data"),
        ('"Hello" there.,a', "script.csv:3 is not a readable row: ',' expected after '\"'"),
        (",a", "script.csv:3 a text is empty"),
    ],
)
def test_a_row_that_can_not_be_used_is_named(read, row, reason):
    found = read(f"text,id\nFine.,z\n{row}\n", "script.csv")
    assert found.utterances[0].text == "Fine."
    assert len(found.problems) == 1
    assert reasons(found)[0].startswith(reason)


def test_the_rows_below_a_bad_one_are_judged_too(read):
    found = read("text,speed\nA.,9\nB.,1,2\nC.,1\n,1\nE.,x\n", "script.csv")
    assert [one.source.line for one in found.problems] == [2, 3, 5, 6]


def test_a_cell_below_no_name_is_not_dropped(read):
    found = read("text,\nHello, world\n", "script.csv")
    assert reasons(found) == ["script.csv:2 has 'world' in a column without a name"]


class TestLJSpeech:
    def test_id_and_text_need_no_header(self, read):
        found = read("LJ001-0001|Printing, in the sense\nLJ001-0002|in being\n", "metadata.csv")
        assert texts(found) == [
            (1, "LJ001-0001", "Printing, in the sense"),
            (2, "LJ001-0002", "in being"),
        ]

    def test_the_normalised_text_is_the_one_that_is_read(self, read):
        found = read("LJ001-0007|about 1455,|about fourteen fifty-five,\n", "metadata.csv")
        assert texts(found) == [(1, "LJ001-0007", "about fourteen fifty-five,")]

    def test_quotes_are_text(self, read):
        found = read('a|"Not closed, said he.|"Not closed, said he.\nb|B "x" b.|B.\n', "m.csv")
        assert texts(found) == [(1, "a", '"Not closed, said he.'), (2, "b", "B.")]

    def test_a_row_of_another_length_is_named(self, read):
        found = read("a|One.|One.\nb|Two.\nc|Three.|Three.|3\n", "metadata.csv")
        assert reasons(found) == [
            "metadata.csv:2 has 2 cells, the first row has 3",
            "metadata.csv:3 has 4 cells, the first row has 3",
        ]

    def test_an_empty_text_is_named(self, read):
        found = read("a|One.\nb|\n", "metadata.csv")
        assert reasons(found) == ["metadata.csv:2 b text is empty"]


CELLS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12
).filter(str.strip)


@settings(deadline=None)
@given(
    rows=st.lists(st.tuples(CELLS, st.integers(0, 99)), min_size=1, max_size=8),
    separator=st.sampled_from([",", ";", "\t", "|"]),
    end=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_what_was_written_is_what_is_read(tmp_path_factory, rows, separator, end, quoting):
    path = tmp_path_factory.getbasetemp() / "property.csv"
    file = io.StringIO(newline="")
    if any("\r" in text for text, _ in rows):
        quoting = csv.QUOTE_ALL  # csv.writer itself does not see that a lone \r needs quotes
    writer = csv.writer(file, delimiter=separator, lineterminator=end, quoting=quoting)
    writer.writerow(["text", "seed"])
    starts = []
    for row in rows:
        starts.append(len(plain(file.getvalue()).split("\n")))
        writer.writerow(row)
    path.write_text(file.getvalue(), encoding="utf-8", newline="")
    found = read_scripts([path])
    assert not found.problems
    assert [(one.source.line, one.text, one.seed) for one in found.utterances] == [
        (start, plain(text).strip(), seed) for start, (text, seed) in zip(starts, rows, strict=True)
    ]


def plain(text):
    return text.replace("\r\n", "\n").replace("\r", "\n")
