from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tts_toolkit.errors import ScriptError
from tts_toolkit.scripts.read import read_scripts


def lines_of(found):
    return [(one.source.line, one.text) for one in found.utterances]


def test_each_line_that_is_not_blank_is_an_utterance_with_its_line_number(read):
    found = read("One.\n\n  Two. \n \t\nThree.")
    assert lines_of(found) == [(1, "One."), (3, "Two."), (5, "Three.")]
    assert not found.problems


def test_utterances_are_numbered_without_the_blank_lines(read):
    found = read("One.\n\nTwo.\n")
    assert [(one.index, one.id, one.output) for one in found.utterances] == [
        (1, "000001", "000001"),
        (2, "000002", "000002"),
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_kind_of_line_end_counts_as_one(read, end):
    found = read(end.join(["One.", "", "Two.", "Three.", ""]))
    assert lines_of(found) == [(1, "One."), (3, "Two."), (4, "Three.")]


def test_mixed_line_ends_count_as_one_each(read):
    assert lines_of(read("One.\r\nTwo.\rThree.\n\r\nFour.")) == [
        (1, "One."),
        (2, "Two."),
        (3, "Three."),
        (5, "Four."),
    ]


@pytest.mark.parametrize("mark", list("\u2028\u2029\x0b\x0c\x1c\x1d\x1e\x85"))
def test_other_separators_do_not_split_a_line(read, mark):
    assert lines_of(read(f"One{mark}more.\nTwo.")) == [(1, f"One{mark}more."), (2, "Two.")]


def test_a_byte_order_mark_is_not_part_of_the_text(read):
    assert lines_of(read("\ufeffOne.\nTwo.")) == [(1, "One."), (2, "Two.")]


@pytest.mark.parametrize(
    "line", ['{"text": "One."}', "id|text", '"One", two', "# not a comment", "a\tb", "<b>&amp;"]
)
def test_a_line_is_taken_as_it_stands(read, line):
    assert lines_of(read(line)) == [(1, line)]


@pytest.mark.parametrize("text", ["", "\n\n", " \t \r\n \n", "\ufeff", "\u3000\n"])
def test_a_script_with_nothing_in_it_is_refused(read, text):
    with pytest.raises(ScriptError, match=r"script\.txt: nothing to say; the script is empty"):
        read(text)


LINES = st.lists(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0"), max_size=12)
)


@settings(deadline=None)
@given(lines=LINES, end=st.sampled_from(["\n", "\r\n", "\r"]), last=st.booleans())
def test_no_line_is_dropped_merged_or_moved(tmp_path_factory, lines, end, last):
    path = tmp_path_factory.getbasetemp() / "property.txt"
    path.write_bytes((end.join(lines) + end * last).encode("utf-8-sig"))
    wanted = [(number, line.strip()) for number, line in enumerate(lines, 1) if line.strip()]
    if not wanted:
        with pytest.raises(ScriptError, match="empty"):
            read_scripts([path])
        return
    found = read_scripts([path])
    assert lines_of(found) == wanted
    assert not found.problems
