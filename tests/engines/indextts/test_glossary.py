from __future__ import annotations

import pytest

from tts_toolkit.engines.indextts.glossary import Glossary, read_glossary
from tts_toolkit.errors import OptionError


@pytest.fixture
def read(tmp_path):
    def read(text, name="terms.yaml"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return read_glossary(path)

    return read


def test_readings_by_language_and_for_all(read):
    glossary = read("M.2:\n  en: M dot two\n  zh: M 二\nNVMe: N V M E\n")
    assert glossary.apply("An M.2 NVMe disk", "en") == "An M dot two N V M E disk"
    assert glossary.apply("M.2和NVMe", "zh") == "M 二和N V M E"
    assert glossary.apply("M.2 NVMe", "es") == "M.2 N V M E"


def test_json_reads_the_same(read):
    yaml = read("C++: C plus plus\nM.2: {en: M dot two}\n")
    text = '{\n\t"C++": "C plus plus",\n\t"M.2": {"en": "M dot two"}\n}'
    json = read(text, "terms.json")
    assert json.sha256 == yaml.sha256
    assert json.apply("C++ on M.2", "en") == "C plus plus on M dot two"


def test_what_yaml_would_make_something_else_of_is_text(read):
    glossary = read("911: nine one one\nNO: Norway\n1.0: one point oh\n")
    assert (
        glossary.apply("Call 911 in NO, 1.0.", "en") == "Call nine one one in Norway, one point oh."
    )


def test_a_term_is_not_found_inside_a_word():
    glossary = Glossary({"ai": {"": "A I"}, "C++": {"": "C plus plus"}})
    assert glossary.apply("He said ai, AI; aix bai C++17", "en") == (
        "He said A I, A I; aix bai C plus plus17"
    )


def test_a_term_with_capitals_is_found_as_written():
    glossary = Glossary({"US": {"": "U S"}})
    assert glossary.apply("The US tells us", "en") == "The U S tells us"


def test_scripts_without_spaces_have_no_words_to_be_inside_of():
    glossary = Glossary({"行长": {"zh": "<行|HANG2>长"}, "TTS": {"": "T T S"}})
    assert glossary.apply("银行行长用TTS说", "zh") == "银行<行|HANG2>长用T T S说"


def test_the_longest_term_wins_and_readings_are_not_read_again():
    glossary = Glossary({"PCIe 5.0": {"": "PCIe five"}, "PCIe": {"": "P C I E"}, "five": {"": "V"}})
    assert glossary.apply("PCIe 5.0, PCIe", "en") == "PCIe five, P C I E"


def test_a_reading_is_taken_as_it_is():
    assert Glossary({"x": {"": r"\1 \g<0> $1"}}).apply("x", "en") == r"\1 \g<0> $1"


def test_pronunciation_marks_are_left_alone():
    glossary = Glossary({"go": {"": "GOO"}})
    assert glossary.apply("go <go|G OW1> go", "en") == "GOO <go|G OW1> GOO"


def test_an_empty_glossary_changes_nothing(read):
    assert read("").apply("Hello <a|b>", "en") == "Hello <a|b>"


def test_the_digest_follows_the_content(read):
    assert read("a: b\nc: d").sha256 == read("c: d\na: b").sha256 != read("a: b\nc: e").sha256


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a\n- b\n", r"terms\.yaml:1: expected a reading"),
        ("just words", r"terms\.yaml:1: expected a reading"),
        ("a: b\nTTS: [x]\n", r"terms\.yaml:2: 'TTS': expected a reading"),
        ("a: b\nTTS:\n", r"terms\.yaml:2: 'TTS' has no reading"),
        ("a: b\nTTS: {}\n", r"terms\.yaml:2: 'TTS' has no reading"),
        ("TTS: {en: ''}\n", r"terms\.yaml:1: 'TTS' in en has no reading"),
        ("TTS:\n  fr: x\n", r"terms\.yaml:1: 'TTS': 'fr' is not a language.*en, zh, ja, es, ar"),
        ("TTS:\n  [a]: x\n", r"terms\.yaml:1: 'TTS': 'this' is not a language"),
        ("TTS:\n  en: [x]\n", r"terms\.yaml:1: 'TTS' in en: expected a reading"),
        ("a: b\n\na: c\n", r"terms\.yaml:3: 'a' is there twice"),
        ("a: b\n'': c\n", r"terms\.yaml:2: expected a reading"),
        ("a: b\nc: 'd\n", r"terms\.yaml:3: is not YAML or JSON"),
        ("a: \x07", r"terms\.yaml: is not YAML or JSON"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(read, text, message):
    with pytest.raises(OptionError, match=message):
        read(text)


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(OptionError, match=r"none\.yaml: can't be read: No such file"):
        read_glossary(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"caf\xe9: x")
    with pytest.raises(OptionError, match=r"latin\.yaml: is not UTF-8"):
        read_glossary(tmp_path / "latin.yaml")
