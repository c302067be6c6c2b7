from __future__ import annotations

import shlex
import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tts_toolkit.errors import ScriptError
from tts_toolkit.scripts.decode import decode
from tts_toolkit.scripts.read import read_scripts

CHINESE = "第一句直接写在批量清单里。\n今天天气很好,我们出去走走。\n"
TAIWANESE = "第一句直接寫在清單裡。\n今天天氣很好,我們出去走走。\n"
JAPANESE = "これは日本語のテキストです。\n今日はいい天気ですね。カタカナもあります。\n"
KOREAN = "이것은 한국어 문장입니다.\n오늘은 날씨가 좋네요.\n"
RUSSIAN = "Это русский текст.\n(Какая хорошая погода!)\n"
GREEK = "Καλημέρα κόσμε.\nΠώς είσαι σήμερα;\n"
FRENCH = "Voilà une phrase française.\nÀ bientôt, chère amie.\n"
ENGLISH = "Plain.\nIt\u2019s fine \u2014 really.\n"

# What was written in which encoding, and which one is named: a superset of it.
FOREIGN = [
    (CHINESE, "gb2312", "GB18030"),
    (CHINESE, "gb18030", "GB18030"),
    (TAIWANESE, "big5", "BIG5"),
    (JAPANESE, "shift_jis", "CP932"),
    (JAPANESE, "euc_jp", "EUC-JP"),
    (KOREAN, "euc_kr", "CP949"),
    (RUSSIAN, "cp1251", "CP1251"),
    (RUSSIAN, "koi8_r", "KOI8-R"),
    (GREEK, "cp1253", "CP1253"),
    (FRENCH, "latin-1", "CP1252"),
    ("Café.\n", "latin-1", "CP1252"),
    ("Über\n", "latin-1", "CP1252"),
    (ENGLISH, "cp1252", "CP1252"),
    (ENGLISH, "utf-16", "UTF-16LE"),
    (CHINESE, "utf-16", "UTF-16LE"),
    (ENGLISH, "utf-32", "UTF-32LE"),
]
named = pytest.mark.parametrize(
    ("text", "encoding", "name"), FOREIGN, ids=[f"{row[0][:3]}-{row[1]}" for row in FOREIGN]
)


@named
def test_another_encoding_is_named(text, encoding, name):
    with pytest.raises(ScriptError, match=f"is not UTF-8 but probably {name}[; ]"):
        decode(text.encode(encoding), "script.txt")


@pytest.mark.skipif(not shutil.which("iconv"), reason="needs iconv")
@named
@pytest.mark.parametrize("file", ["script.txt", "it's a script.csv", "sub/script.jsonl"])
def test_the_command_that_is_named_converts_it(tmp_path, text, encoding, name, file):
    path = tmp_path / file
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(text.encode(encoding))
    with pytest.raises(ScriptError) as error:
        decode(path.read_bytes(), file)
    command = str(error.value).partition("convert it: ")[2]
    subprocess.run(command, shell=True, check=True, cwd=tmp_path)
    converted = tmp_path / shlex.split(command)[-1]
    assert converted.suffix == path.suffix
    assert decode(converted.read_bytes(), "") == text
    assert path.read_bytes() == text.encode(encoding)


def test_a_converted_script_is_read(script):
    path = script(CHINESE.encode("gb18030"), "script.txt")
    with pytest.raises(ScriptError) as error:
        read_scripts([path])
    command = str(error.value).partition("convert it: ")[2]
    subprocess.run(command, shell=True, check=True)
    found = read_scripts([path.with_name(shlex.split(command)[-1].rpartition("/")[2])])
    assert [one.text for one in found.utterances] == CHINESE.split()


def test_the_line_is_where_the_first_wrong_byte_stands_and_shows_how_it_reads():
    data = b"One.\r\nTwo.\rThree.\n" + "Café, déjà vu.\nNoël.".encode("latin-1")
    with pytest.raises(ScriptError) as error:
        decode(data, "script.txt")
    [problem] = error.value.problems
    assert problem.source.line == 4
    assert "(it reads 'Café, déjà vu.')" in problem.reason


def test_a_wrong_byte_far_down_is_judged_by_its_own_line():
    with pytest.raises(ScriptError, match=r"^script\.txt:20001 is not UTF-8 but probably CP932"):
        decode(b"Hello.\n" * 20_000 + JAPANESE.encode("cp932"), "script.txt")


@pytest.mark.parametrize(
    ("data", "line"),
    [(b"One.\nTw\0o.\n", 2), (b"One.\rTwo.\r\0", 3), (ENGLISH.encode("utf-16-le"), 1)],
    ids=["in a line", "after carriage returns", "UTF-16 without a mark"],
)
def test_a_nul_byte_is_no_text(data, line):
    with pytest.raises(ScriptError, match=rf"^s\.txt:{line} (has a NUL byte|is not UTF-8 text)"):
        decode(data, "s.txt")


@pytest.mark.parametrize("data", [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"Hello \x81\x8d there."])
def test_bytes_of_no_encoding_are_refused_without_a_guess(data):
    with pytest.raises(ScriptError, match="is not UTF-8 text, nor text in an encoding that we"):
        decode(data, "script.txt")


def test_standard_input_gets_a_command_that_can_be_filled_in():
    with pytest.raises(ScriptError) as error:
        decode("Café.".encode("latin-1"), "<stdin>")
    assert str(error.value).startswith("<stdin>:1 ")
    assert str(error.value).endswith("iconv -f CP1252 -t UTF-8 script.txt > script.utf8.txt")


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_utf8_is_read_with_and_without_a_mark(mark):
    assert decode(f"{mark}Grüße, 世界 😀\r\n\rEnde".encode(), "") == "Grüße, 世界 😀\n\nEnde"


@settings(deadline=None)
@given(
    st.binary()
    | st.tuples(st.text(), st.sampled_from(["utf-8", "utf-16", "utf-8-sig", "gb18030"])).map(
        lambda pair: pair[0].encode(pair[1])
    )
)
def test_bytes_are_text_or_a_script_error(data):
    try:
        text = decode(data, "script.txt")
    except ScriptError as error:
        [problem] = error.problems
        assert 1 <= problem.source.line <= data.count(b"\n") + data.count(b"\r") + 1
    else:
        assert text == data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
        assert "\0" not in text
