"""Bytes of a script to text: UTF-8, or a refusal that names what it is instead."""

from __future__ import annotations

import codecs
import shlex

from tts_toolkit.errors import Problem, ScriptError
from tts_toolkit.utterance import Source

_BOMS = (
    (codecs.BOM_UTF32_LE, "UTF-32LE"),
    (codecs.BOM_UTF32_BE, "UTF-32BE"),
    (codecs.BOM_UTF16_LE, "UTF-16LE"),
    (codecs.BOM_UTF16_BE, "UTF-16BE"),
)


def decode(data: bytes, file: str) -> str:
    r"""The text of ``data``, without a byte-order mark and with line ends made ``\n``.

    Raises:
        ScriptError: if it is not UTF-8 text, with its likely encoding and how to convert it.
    """
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            raise ScriptError([_refusal(file, 1, encoding)])
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ScriptError([_refusal(file, line, _guess(data))]) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        reason = "has a NUL byte: this is not a text file (or it is UTF-16 without a mark)"
        raise ScriptError([Problem(Source(file, line), "", reason)])
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _guess(data: bytes) -> str | None:
    from charset_normalizer import from_bytes  # noqa: PLC0415 - slow to load, only for a refusal

    if b"\0" in data:
        return None
    best = from_bytes(data[: 1 << 16]).best()
    return best.encoding.upper().replace("_", "-") if best else None


def _refusal(file: str, line: int, encoding: str | None) -> Problem:
    if encoding is None:
        reason = "is not text; a script is a UTF-8 text file"
    else:
        name = "script" if file.startswith("<") else file
        command = f"iconv -f {encoding} -t UTF-8 {shlex.quote(name)} > utf8-script"
        reason = f"is not UTF-8 but probably {encoding}; convert it: {command}"
    return Problem(Source(file, line), "", reason)
