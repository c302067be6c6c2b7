from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tts_toolkit.config import MAX_SEED
from tts_toolkit.scripts.read import read_scripts
from tts_toolkit.utterance import Emotion, Source, Utterance


@pytest.fixture
def read_lines(read):
    def read_jsonl(*lines):
        return read("\n".join(lines), "script.jsonl")

    return read_jsonl


@pytest.fixture
def reasons(read_lines):
    """What is wrong with one line, behind its FILE:LINE."""

    def of(line):
        found = [str(problem) for problem in read_lines('{"text": "Fine."}', line).problems]
        assert all(one.startswith("script.jsonl:2 ") for one in found)
        return [one.removeprefix("script.jsonl:2 ") for one in found]

    return of


def test_every_field_arrives(read_lines, script, tmp_path):
    script(b"RIFF", "voice.wav")
    script(b"RIFF", "sad.wav")
    row = {
        "id": "intro",
        "text": " Hello there. ",
        "voice": "voice.wav",
        "lang": "en",
        "seed": 7,
        "speed": 1.25,
        "output": "one/intro.wav",
        "silence_after_ms": 300,
        "emotion_audio": "sad.wav",
        "emotion_weight": 0.5,
    }
    [utterance] = read_lines("", json.dumps(row)).utterances
    assert utterance == Utterance(
        text="Hello there.",
        id="intro",
        index=1,
        source=Source("script.jsonl", 2),
        voice="voice.wav",
        lang="en",
        seed=7,
        speed=1.25,
        output="one/intro",
        silence_after_ms=300,
        emotion=Emotion(audio="sad.wav", weight=0.5),
    )


def test_what_a_row_leaves_out_is_left_to_the_run(read_lines):
    [utterance] = read_lines('{"text": "Hello."}').utterances
    assert utterance == Utterance(
        "Hello.", id="000001", index=1, source=Source("script.jsonl", 1), output="000001"
    )


@pytest.mark.parametrize(
    ("field", "given", "wanted"),
    [
        ("seed", "7", 7),
        ("seed", 7.0, 7),
        ("seed", "0", 0),
        ("seed", MAX_SEED, MAX_SEED),
        ("speed", "1.25", 1.25),
        ("speed", 1, 1.0),
        ("silence_after_ms", "300", 300),
        ("silence_after_ms", 0, 0),
        ("id", 12, "12"),
        ("id", " a ", "a"),
        ("lang", "EN", "en"),
        ("voice", "heart", "heart"),
        ("output", "one.FLAC", "one"),
        ("output", "one.two", "one.two"),
        ("emotion_text", "calm", Emotion(text="calm")),
        ("emotion_vector", [0, 0, 0.6, 0, 0, 0, 0, 0], Emotion(vector=(0, 0, 0.6, 0, 0, 0, 0, 0))),
        ("emotion_vector", "0,0, 0,0,0,0,0,0.5", Emotion(vector=(0, 0, 0, 0, 0, 0, 0, 0.5))),
        ("emotion_vector", "sad=0.6", Emotion(vector=(0, 0, 0.6, 0, 0, 0, 0, 0))),
        ("emotion_vector", {"sad": 0.6}, Emotion(vector=(0, 0, 0.6, 0, 0, 0, 0, 0))),
        ("emotion_vector", ["0", "0.8", 0, 0, 0, 0, 0, 0], Emotion(vector=(0, 0.8, *[0.0] * 6))),
    ],
)
def test_numbers_and_vectors_may_be_strings(read_lines, field, given, wanted):
    found = read_lines(json.dumps({"text": "Hello.", field: given}))
    assert not found.problems
    name = "emotion" if field.startswith("emotion") else field
    assert getattr(found.utterances[0], name) == wanted


def test_an_emotion_has_the_run_s_weight_unless_it_says_otherwise(read_lines):
    found = read_lines(
        '{"text": "A.", "emotion_text": "sad"}',
        '{"text": "B.", "emotion_text": "sad", "emotion_weight": "0.4"}',
        '{"text": "C.", "emotion_text": "sad", "emotion_weight": 0}',
    )
    assert [one.emotion.weight for one in found.utterances] == [None, 0.4, 0.0]


@pytest.mark.parametrize("absent", [None, ""])
@pytest.mark.parametrize("field", ["id", "voice", "seed", "speed", "output", "lang", "text_file"])
def test_null_and_the_empty_string_count_as_absent(read_lines, field, absent):
    found = read_lines(json.dumps({"text": "Hello.", field: absent}))
    assert not found.problems
    assert found.utterances == read_lines('{"text": "Hello."}').utterances


def test_an_empty_emotion_beside_a_full_one_is_no_second_one(read_lines):
    found = read_lines('{"text": "A.", "emotion_audio": "", "emotion_text": "sad"}')
    assert not found.problems
    assert found.utterances[0].emotion == Emotion(text="sad")


def test_text_can_stand_in_a_file_beside_the_script(read, script):
    script("\ufeffFrom a file.\r\nTwo lines.\n", "batch/texts/one.txt")
    [utterance] = read('{"text_file": "texts/one.txt"}', "batch/script.jsonl").utterances
    assert utterance.text == "From a file.\nTwo lines."


def test_files_that_are_read_are_inputs(read, script, tmp_path):
    script("Text.", "batch/one.txt")
    script(b"RIFF", "sad.wav")
    found = read('{"text_file": "one.txt", "emotion_audio": "../sad.wav"}', "batch/script.jsonl")
    assert found.inputs == {
        (tmp_path / name).resolve() for name in ("batch/script.jsonl", "batch/one.txt", "sad.wav")
    }


@pytest.mark.parametrize("separator", ["\u2028", "\x85"], ids=["line separator", "next line"])
def test_a_separator_inside_a_string_does_not_end_the_line(read_lines, separator):
    line = json.dumps({"text": f"One{separator}more."}, ensure_ascii=False)
    found = read_lines(line, line)
    assert [(one.source.line, one.text) for one in found.utterances] == [
        (1, f"One{separator}more."),
        (2, f"One{separator}more."),
    ]


# A line, and what is said of it; the message starts with FILE:LINE.
BAD = [
    ('{"text": "Hi."', "is not JSON: Expecting ',' delimiter at column 15"),
    ("Hello.", "is not JSON: Expecting value at column 1"),
    ('{"text": "Hi."} {"text": "Ho."}', "is not JSON: Extra data"),
    ('["Hi."]', "is not a JSON object"),
    ('"Hi."', "is not a JSON object"),
    ("null", "is not a JSON object"),
    ("[" * 100_000, "nested too deep"),
    ('{"text": "A.", "seed": ' + "9" * 5000 + "}", "is not JSON that can be read"),
    ('{"text": "A.", "seed": ' + "9" * 400 + "}", "is not a number"),
    ('{"text": "A.", "text": "B."}', "has the field 'text' twice"),
    ('{"text": "A.", "x": {"a": 1, "a": 2}}', "has the field 'a' twice"),
    ('{"txt": "A.", "text": "B."}', "unknown field 'txt'. Did you mean \"text\"?"),
    ('{"text": "A.", "emotion_weigth": 1}', 'Did you mean "emotion_weight"?'),
    ('{"voice": "heart"}', "has neither text nor text_file"),
    ('{"text": null}', "has neither text nor text_file"),
    ('{"text": ""}', "text is empty"),
    ('{"text": " \\u3000"}', "text is empty"),
    ('{"text": 5}', "text: 5 is not a string"),
    ('{"text": ["A."]}', "is not a string"),
    ('{"text": "A.", "text_file": "a.txt"}', "has both text and text_file; keep one"),
    ('{"text": "\\ud83d"}', "text: '\\ud83d' has half of a surrogate pair"),
    ('{"text": "A.", "id": "\\udc80"}', "id: '\\udc80' has half of a surrogate pair"),
    ('{"text": "A.", "id": 1.5}', "id: 1.5 is not a string"),
    ('{"text": "A.", "id": true}', "id: True is not a string"),
    ('{"text": "A.", "seed": -1}', "seed: -1 is not a whole number from 0 to 4294967295"),
    ('{"text": "A.", "seed": 4294967296}', "seed: 4294967296 is not a whole number"),
    ('{"text": "A.", "seed": 1.5}', "seed: 1.5 is not a whole number"),
    ('{"text": "A.", "seed": true}', "seed: True is not a number"),
    ('{"text": "A.", "seed": [1]}', "seed: [1] is not a number"),
    ('{"text": "A.", "seed": "one"}', "seed: 'one' is not a number"),
    ('{"text": "A.", "speed": NaN}', "speed: nan is not a finite number"),
    ('{"text": "A.", "speed": Infinity}', "speed: inf is not a finite number"),
    ('{"text": "A.", "speed": 1e999}', "speed: inf is not a finite number"),
    ('{"text": "A.", "speed": 0.2}', "speed: 0.2 is not between 0.25 and 4"),
    ('{"text": "A.", "speed": "fast"}', "speed: 'fast' is not a number"),
    ('{"text": "A.", "lang": "eng"}', "lang: 'eng' is not one of auto, en, zh"),
    ('{"text": "A.", "lang": "eng"}', 'Did you mean "en"?'),
    ('{"text": "A.", "silence_after_ms": -1}', "silence_after_ms: -1 is not a whole number"),
    ('{"text": "A.", "silence_after_ms": 3600001}', "is not a whole number from 0 to 3600000"),
    ('{"text": "A.", "emotion_vector": [0, 0.5]}', "emotion_vector: [0, 0.5] is not 8 numbers"),
    ('{"text": "A.", "emotion_vector": "0.5"}', "emotion_vector: '0.5' is not 8 numbers"),
    ('{"text": "A.", "emotion_vector": {}}', "emotion_vector: {} is not 8 numbers"),
    ('{"text": "A.", "emotion_vector": [0,0,0,0,0,0,0,2]}', "2 is not between 0 and 1"),
    ('{"text": "A.", "emotion_vector": [0,0,0,0,0,0,0,true]}', "True is not a number"),
    (
        '{"text": "A.", "emotion_vector": [0.5,0.5,0,0,0,0,0,0]}',
        "emotion_vector: the numbers add up to 1, more than 0.8",
    ),
    ('{"text": "A.", "emotion_weight": 0.5}', "has emotion_weight without an emotion"),
    ('{"text": "A.", "emotion_text": "sad", "emotion_weight": 1.5}', "is not between 0 and 1"),
    (
        '{"text": "A.", "emotion_text": "sad", "emotion_vector": [0,0,0,0,0,0,0,0]}',
        "has emotion_text and emotion_vector; keep one",
    ),
    ('{"text": "A.", "emotion_audio": "no.wav"}', "emotion_audio: no.wav does not exist"),
    ('{"text": "A.", "voice": "no.wav"}', "voice: no.wav does not exist"),
    ('{"text": "A.", "voice": "./heart"}', "(paths are relative to the script)"),
    ('{"text": "A.", "voice": "./"}', "is a folder"),
    ('{"text_file": "no.txt"}', "text_file: no.txt does not exist"),
    ('{"text_file": "~nobody-by-this-name/no.txt"}', "does not exist"),
    ('{"text_file": "no\\u0000.txt"}', "text_file: 'no\\x00.txt' is not a path"),
    ('{"text_file": "' + "n" * 300 + '"}', "text_file: "),
    ('{"text_file": "empty.txt"}', "text_file: empty.txt is empty"),
    ('{"text_file": "latin.txt"}', "text_file: latin.txt:2 is not UTF-8 but probably CP1252"),
]


@pytest.mark.parametrize(("line", "reason"), BAD, ids=[line[:40] for line, _ in BAD])
def test_a_line_that_can_not_be_used_is_named_with_the_reason(reasons, script, line, reason):
    script("", "empty.txt")
    script("Fine.\nCafé.\n".encode("latin-1"), "latin.txt")
    assert any(reason in one for one in reasons(line)), reasons(line)


def test_all_that_is_wrong_is_told_at_once(read_lines):
    found = read_lines('{"text": "", "seed": -1}', "", '{"text": "Fine."}', "oops", '{"speed": 9}')
    assert [(one.source.line, one.reason.split(":")[0]) for one in found.problems] == [
        (1, "text is empty"),
        (1, "seed"),
        (4, "is not JSON"),
        (5, "has neither text nor text_file"),
        (5, "speed"),
    ]


def test_a_problem_names_the_id_of_its_line(read_lines):
    [problem] = read_lines('{"id": "intro", "text": "A.", "speed": 9}').problems
    assert str(problem).startswith("script.jsonl:1 intro speed: 9")


ROWS = st.lists(
    st.fixed_dictionaries(
        {"text": st.text().filter(str.strip)},
        optional={
            "voice": st.from_regex(r"[a-z]{1,8}", fullmatch=True),
            "seed": st.integers(0, MAX_SEED),
            "speed": st.floats(0.25, 4.0),
            "silence_after_ms": st.integers(0, 3_600_000),
            "lang": st.sampled_from(["en", "zh", "auto"]),
            "emotion_text": st.text().filter(str.strip),
        },
    ),
    min_size=1,
)


@settings(deadline=None)
@given(rows=ROWS, as_ascii=st.booleans(), stringly=st.booleans())
def test_what_was_written_is_what_is_read(tmp_path_factory, rows, as_ascii, stringly):
    path = tmp_path_factory.getbasetemp() / "property.jsonl"
    given = [
        {name: str(value) if stringly else value for name, value in row.items()} for row in rows
    ]
    lines = (json.dumps(row, ensure_ascii=as_ascii) for row in given)
    path.write_text("\n".join(lines), encoding="utf-8", newline="")
    found = read_scripts([path])
    assert not found.problems
    assert [one.source.line for one in found.utterances] == list(range(1, len(rows) + 1))
    for one, row in zip(found.utterances, rows, strict=True):
        emotion = row.get("emotion_text")
        assert one.text == row["text"].strip()
        assert one.emotion == (Emotion(text=emotion.strip()) if emotion else None)
        for name in ("voice", "seed", "speed", "silence_after_ms", "lang"):
            assert getattr(one, name) == row.get(name)
