"""Bytes of a script to text: UTF-8, or a refusal that names what it is instead."""

from __future__ import annotations

import codecs
import shlex
from pathlib import PurePath

from tts_toolkit.errors import Problem, ScriptError
from tts_toolkit.utterance import Source

_BOMS = (
    (codecs.BOM_UTF32_LE, "UTF-32LE"),
    (codecs.BOM_UTF32_BE, "UTF-32BE"),
    (codecs.BOM_UTF16_LE, "UTF-16LE"),
    (codecs.BOM_UTF16_BE, "UTF-16BE"),
)
# The encodings that people still write; iconv knows each of them by this name.
_WESTERN = "cp1252"
_OTHERS = ["gb18030", "big5", "cp932", "euc_jp", "cp949", "koi8_r", "cp1251", "cp1253", "cp1256"]
_SAMPLE = 1 << 16
_PREVIEW = 30


def decode(data: bytes, file: str) -> str:
    r"""The text of ``data``, without a byte-order mark and with line ends made ``\n``.

    Raises:
        ScriptError: if it is not UTF-8 text, with its likely encoding and how to convert it.
    """
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            raise _refusal(file, 1, encoding)
    data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _refusal(file, line, *_guess(data, error.start)) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        reason = "has a NUL byte: this is not a text file (or it is UTF-16 without a mark)"
        raise ScriptError([Problem(Source(file, line), "", reason)])
    return text


def _guess(data: bytes, place: int) -> tuple[str, str]:
    """The likely encoding, by iconv's name, and how the line at ``place`` reads in it; or ""s.

    Where most letters are ASCII the language is a Western one: a few accents are too little for
    statistics.
    """
    if b"\0" in data:
        return "", ""
    from charset_normalizer import from_bytes  # noqa: PLC0415 - slow to load, only for a refusal

    start = data.rfind(b"\n", 0, place) + 1
    sample = data[start : start + _SAMPLE]
    sample = sample.rpartition(b"\n")[0] or sample  # a character cut in two would spoil it
    foreign = len(sample) - len(sample.decode("ascii", "ignore"))
    western = 2 * foreign < sum(map(str.isalpha, sample.decode("latin-1")))
    best = from_bytes(sample, cp_isolation=[_WESTERN] if western else _OTHERS).best()
    if best is None:
        return "", ""
    return best.encoding.upper().replace("_", "-"), str(best).split("\n", 1)[0][:_PREVIEW]


def _refusal(file: str, line: int, encoding: str, preview: str = "") -> ScriptError:
    if not encoding:
        reason = "is not UTF-8 text, nor text in an encoding that we know; save it as UTF-8 text"
    else:
        path = PurePath("script.txt" if file.startswith("<") else file)
        target = path.with_name(f"{path.stem}.utf8{path.suffix}")
        command = f"iconv -f {encoding} -t UTF-8 {_quoted(path)} > {_quoted(target)}"
        reads = f" (it reads {preview!r})" if preview else ""
        reason = f"is not UTF-8 but probably {encoding}{reads}; convert it: {command}"
    return ScriptError([Problem(Source(file, line), "", reason)])


def _quoted(path: PurePath) -> str:
    return shlex.quote(str(path))
