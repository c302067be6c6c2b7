"""Bad scripts, clips, options and folders, each through the real command line."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from hashlib import sha256

import pytest
from filelock import FileLock

LINES = "Hello there.\nGood bye.\n"


@dataclass(frozen=True)
class Case:
    """A command that has to fail.

    Attributes:
        args: of the command; the folder has ``s.txt`` and ``out``, which was made from it.
        code: the exit code.
        says: what stderr has to contain.
        files: what else lies in the folder.
        stdin: of the command.
        env: beside the usual environment.
    """

    args: tuple[str, ...]
    code: int
    says: tuple[str, ...]
    files: dict[str, str | bytes] = field(default_factory=dict)
    stdin: str = ""
    env: dict[str, str] = field(default_factory=dict)


def script(name, content, *says, args=()):
    """A script that is refused, with what is said of it."""
    return Case(("synth", name, "-o", "out", *args), 2, says, {name: content})


def rows(content, *says, args=()):
    """The same for JSON lines."""
    return script("s.jsonl", content, *says, args=args)


def option(args, *says, code=2):
    """An option that a good script can't have."""
    return Case(("synth", "s.txt", "-o", "out", *args.split()), code, says)


def fresh(args, *says, code=2):
    """An option that is wrong for a new folder too."""
    return Case(("synth", "s.txt", "-o", "new", *args.split()), code, says)


def named(output, *says):
    """A name for an audio file that is refused."""
    return rows(f'{{"text": "Hi.", "output": "{output}"}}', "s.jsonl:1 ", *says)


INDEXTTS = "tts-toolkit models download indextts-2.5"
STARTED = "nothing was started"
WAV = b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\xc0\x5d\0\0\x80\xbb\0\0\2\0\x10\0data\0\0\0\0"
OTHER_ENGINE = """{
    "schema": 1, "engine": "indextts-2.5", "model": "IndexTTS-2.5", "model_revision": "1",
    "licence": "its own", "sampling_rate": 22050, "format": "wav", "subtype": "PCM_16"
}"""

SCRIPTS = {
    "missing": Case(("synth", "no.txt", "-o", "out"), 2, ("no.txt: no such file", STARTED)),
    "several missing": Case(
        ("synth", "no.txt", "s.txt", "no.csv", "-o", "out"), 2, ("no.txt: no", "no.csv: no such")
    ),
    "no name": Case(("synth", "", "-o", "out"), 2, (": no such file",)),
    "a sentence": Case(("synth", "Hello there. " * 30, "-o", "out"), 2, ("Hello there.",)),
    "a folder without scripts": Case(
        ("synth", "docs", "-o", "out"),
        2,
        ("docs: no .txt, .jsonl, .csv or .tsv file in this folder",),
        {"docs/readme.md": "Hi.", "docs/.hidden.txt": "Hi."},
    ),
    "the output folder": Case(
        ("synth", "out", "-o", "out"), 2, ("out: no .txt, .jsonl, .csv or .tsv file",)
    ),
    "empty": script("e.txt", "", "e.txt: nothing to say; the script is empty"),
    "blank": script("e.txt", " \n\r\n\t\n", "e.txt: nothing to say"),
    "empty standard input": Case(("synth", "-", "-o", "out"), 2, ("<stdin>: nothing to say",)),
    "empty jsonl": rows("\n\n", "s.jsonl: nothing to say"),
    "header only": script("e.csv", "id,text\n", "e.csv: nothing to say"),
    "one empty among others": Case(
        ("synth", "s.txt", "e.txt", "-o", "out"), 2, ("e.txt: nothing to say",), {"e.txt": ""}
    ),
    "a picture": script("p.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", ".png is no script format"),
    "a picture called txt": script(
        "p.txt", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "p.txt:1 is not UTF-8 text"
    ),
    "a clip": script("c.wav", WAV, ".wav is no script format", "--script-format"),
    "a clip called txt": script("c.txt", WAV, "c.txt:1 is not UTF-8 text"),
    "nul bytes": script("n.txt", "One.\nTw\0o.\n", "n.txt:2 has a NUL byte"),
    "UTF-16": script("u.txt", LINES.encode("utf-16"), "u.txt:1", "UTF-16LE", "iconv -f UTF-16LE"),
    "UTF-16 without a mark": script("u.txt", LINES.encode("utf-16-le"), "u.txt:1 has a NUL byte"),
    "Latin-1": script(
        "l.csv",
        "text\nFine.\nCafé.\n".encode("latin-1"),
        "l.csv:3 is not UTF-8 but probably CP1252 (it reads 'Café.')",
        "iconv -f CP1252 -t UTF-8 l.csv > l.utf8.csv",
    ),
    "GB18030": script("z.txt", "第一句直接写在清单里。\n".encode("gb18030"), "iconv -f GB18030"),
    "unknown suffix": script("s.docx", LINES, ".docx is no script format", ".jsonl"),
    "a name twice": Case(
        ("synth", "s.txt", "s.csv", "-o", "out"),
        2,
        ("s.txt and s.csv would both write below s/; rename one",),
        {"s.csv": "text\nHi.\n"},
    ),
    "given twice": Case(("synth", "s.txt", "s.txt", "-o", "out"), 2, ("s.txt is given twice",)),
    "columns for plain text": option("--columns text=Line", "s.txt: --columns is for tables"),
    "no text column": script(
        "t.csv", "Line,Key\nHi.,a\n", "t.csv:1 no column is the text", "--columns text=NAME"
    ),
    "columns of an unknown field": script(
        "t.csv",
        "Line\nHi.\n",
        "t.csv:1 --columns: 'texd' is not a field",
        'mean "text"',
        args=("--columns", "texd=Line"),
    ),
    "columns of an unknown column": script(
        "t.csv", "Line\nHi.\n", "no column 'line'", 'mean "Line"', args=("--columns", "text=line")
    ),
    "an unknown column": script(
        "t.csv", "text,voise\nHi.,heart\n", "t.csv:1 unknown column 'voise'", 'mean "voice"'
    ),
    "a column twice": script(
        "t.csv", "text,text\nHi.,Ho.\n", "t.csv:1 has the column 'text' twice"
    ),
    "too many cells": script(
        "t.csv", "text,id\nHi.,a\nHello, there.,b\n", "t.csv:3 has 3 cells, the header has 2"
    ),
    "an unclosed quote": script(
        "t.csv", 'text\nFine.\n"Hi.\nHo.\n', "t.csv:3 is not a readable row"
    ),
    "a cell below no name": script("t.tsv", "text\t\nHi.\tHo.\n", "t.tsv:2 has 'Ho.' in a column"),
    "a short LJSpeech row": script(
        "m.csv", "a|A.|A.\nb|B.\n", "m.csv:2 has 2 cells, the first row"
    ),
}

ROWS = {
    "not JSON": rows("Hello.", "s.jsonl:1 is not JSON: Expecting value at column 1"),
    "an open brace": rows('{"text": "Hi."', "s.jsonl:1 is not JSON", "at column 15"),
    "a list": rows('\n["Hi."]', "s.jsonl:2 is not a JSON object such as"),
    "nested too deep": rows(
        "[" * 100_000, "s.jsonl:1 is not JSON that can be read: nested too deep"
    ),
    "an endless number": rows('{"seed": ' + "9" * 5000 + "}", "s.jsonl:1 is not JSON that can be"),
    "a field twice": rows('{"text": "A.", "text": "B."}', "s.jsonl:1 has the field 'text' twice"),
    "an unknown field": rows(
        '{"text": "Hi.", "voise": "x"}', "s.jsonl:1 unknown field 'voise'", 'mean "voice"'
    ),
    "no text": rows('{"voice": "heart"}', "s.jsonl:1 has neither text nor text_file"),
    "an empty text": rows('{"id": "a", "text": " "}', "s.jsonl:1 a text is empty"),
    "text and text file": rows(
        '{"text": "A.", "text_file": "s.txt"}', "s.jsonl:1 has both text and"
    ),
    "half a character": rows('{"text": "\\ud83d"}', "s.jsonl:1 text: '\\ud83d' has half of a surr"),
    "a missing text file": rows('{"text_file": "no.txt"}', "s.jsonl:1 text_file: no.txt does not"),
    "a text file of nobody": rows(
        '{"text_file": "~nobody-of-this-name/a.txt"}', "s.jsonl:1 text_fi"
    ),
    "a folder as text file": rows('{"text_file": "out"}', "s.jsonl:1 text_file: out is a folder"),
    "a missing clip": rows('{"text": "A.", "voice": "no.wav"}', "s.jsonl:1 voice: no.wav does not"),
    "a clip as voice": Case(
        ("synth", "s.jsonl", "-o", "out"),
        2,
        ("s.jsonl:1 000001 the builtin voice can't clone a clip (c.wav)", "IndexTTS"),
        {"s.jsonl": '{"text": "A.", "voice": "c.wav"}', "c.wav": WAV},
    ),
    "an unknown voice": rows(
        '{"text": "A.", "voice": "hart"}', "s.jsonl:1 000001 the builtin", 'mean "heart"', "emma"
    ),
    "a language code": rows('{"text": "A.", "lang": "eng"}', "s.jsonl:1 lang: 'eng'", 'mean "en"'),
    "another language": rows(
        '{"text": "A.", "lang": "zh"}', "s.jsonl:1 000001 the builtin voice sp"
    ),
    "a bad seed": rows('{"text": "A.", "seed": -1}', "s.jsonl:1 seed: -1 is not a whole number"),
    "no number": rows('{"text": "A.", "speed": NaN}', "s.jsonl:1 speed: nan is not a finite"),
    "an impossible speed": rows('{"text": "A.", "speed": 9}', "s.jsonl:1 speed: 9 is not between"),
    "a speed of another engine": rows(
        '{"text": "A.", "speed": 3}',
        "s.jsonl:1 000001 the builtin voice's speed goes from 0.5 to 2",
    ),
    "a bad silence": rows(
        '{"text": "A.", "silence_after_ms": -1}', "s.jsonl:1 silence_after_ms: -1"
    ),
    "a short vector": rows(
        '{"text": "A.", "emotion_vector": [1]}', "s.jsonl:1 emotion_vector: [1]"
    ),
    "a loud vector": rows(
        '{"text": "A.", "emotion_vector": "1,1,0,0,0,0,0,0"}', "the numbers add up to 2, more than"
    ),
    "an emotion": rows(
        '{"text": "A.", "emotion_text": "sad"}',
        "s.jsonl:1 000001 the builtin voice has no emotions",
    ),
    "a weight without an emotion": rows(
        '{"text": "A.", "emotion_weight": 1}', "s.jsonl:1 has emotio"
    ),
    "several at once": rows(
        '{"text": ""}\n{"text": "Fine."}\noops\n{"text": "A.", "output": "../x", "seed": "y"}',
        "s.jsonl:1 text is empty",
        "s.jsonl:3 is not JSON",
        "s.jsonl:4 seed: 'y' is not a number",
        "s.jsonl:4 ../x would write '../x.wav' outside",
        "Error: 4 problems; nothing was started.",
    ),
}

NAMES = {
    "outside": named("../x", "would write '../x.wav' outside of the output folder"),
    "outside by a detour": named("a/../../x", "outside of the output folder"),
    "absolute": named("/tmp/x.wav", "outside of the output folder"),
    "a drive": named("C:/x", "outside of the output folder"),
    "a backslash": named("a\\\\b", "has '\\\\', which not every system allows"),
    "a device of Windows": named("con.txt", "'con.txt.wav' is reserved on Windows"),
    "a hidden file": named(".x", "starts with a dot"),
    "our own folder": named(".tts-toolkit/x", "starts with a dot"),
    "a trailing dot": named("a./b", "ends with a space or a dot"),
    "a control character": named("a\\u0007b", "has '\\x07', which not every system allows"),
    "too long a name": named("é" * 130, "is longer than 255 bytes"),
    "too long a path": named("/".join(["n" * 200] * 6), "is longer than 1024 bytes"),
    "a name twice": rows(
        '{"text": "A.", "id": "a", "output": "x"}\n{"text": "B.", "id": "b", "output": "X.wav"}',
        "s.jsonl:2 b would write X.wav, and so would s.jsonl:1 (a)",
    ),
    "an id twice": rows(
        '{"text": "A.", "id": "x"}\n{"text": "B.", "id": "x", "output": "y"}',
        "s.jsonl:2 x the id 'x' is already that of s.jsonl:1\n",
    ),
    "a file and a folder": rows(
        '{"text": "A.", "output": "x"}\n{"text": "B.", "output": "x.wav/y"}',
        "s.jsonl:2 x.wav/y would write into x.wav, which is the file of s.jsonl:1",
    ),
    "a take of another": rows(
        '{"text": "A.", "id": "x"}\n{"text": "B.", "id": "x_take1"}',
        "s.jsonl:2 x_take1 the id 'x_take1' is already that of s.jsonl:1",
        args=("--takes", "2"),
    ),
    "over an input": rows(
        '{"text": "A.", "emotion_audio": "out/000001.wav", "output": "000001"}',
        "s.jsonl:1 000001 would write 000001.wav over a file that the script reads",
    ),
}

TEXTS = {
    "Chinese": script(
        "t.txt", "你好。\n世界。\n", "t.txt:1 000001", "t.txt:2 000002", "Han script"
    ),
    "Japanese": script("t.txt", "こんにちは。\n", "t.txt:1 000001", "can't read kana script"),
    "Korean": script("t.txt", "안녕하세요.\n", "t.txt:1 000001", "can't read Hangul script"),
    "Arabic": script("t.txt", "مرحبا\n", "t.txt:1 000001", "can't read Arabic script"),
    "Russian": script("t.txt", "«Привет»\n", "t.txt:1 000001", "can't read Cyrillic script"),
    "only punctuation": script("t.txt", "...\n—\n", "t.txt:1 000001 there is nothing to pronounce"),
}

OPTIONS = {
    "a mistyped model": option(
        "--model indextts", "'indextts' is not one of", 'mean "indextts-2.5"'
    ),
    "a model that is not here": option("--model indextts-2.5", INDEXTTS, code=3),
    "weights of a model that is not here": fresh("--model-dir w", "is not in w; get it", code=3),
    "weights for the builtin voice": option("--model builtin --model-dir w", "leave it out"),
    "a reference clip": fresh("--voice clip.wav", "--voice clip.wav", INDEXTTS, code=3),
    "a clip for the builtin voice": option(
        "--model builtin --voice a/b", "--voice a/b", "can't clone", code=3
    ),
    "a mistyped voice": option("--voice hart", "no voice 'hart'", 'mean "heart"'),
    "a voice that is not here": option("--voice emma", "tts-toolkit voices download emma", code=3),
    "a device that is not here": fresh("--device cuda:99", "--device cuda:99: ", code=3),
    "a device for the builtin voice": option(
        "--model builtin --device cuda:99", "--device cuda:99: ", code=3
    ),
    "a dtype for the builtin voice": option("--model builtin --dtype float32", "is int8"),
    "an unknown dtype": option("--dtype int4", "'int4' is not one of auto, float32"),
    "a dtype that the processor lacks": fresh(
        "--device cpu --dtype float16", "--dtype float16: the processor computes in", code=3
    ),
    "an unknown model to download": Case(
        ("models", "download", "indextts2.5"), 2, ("no model is called", '"indextts-2.5"')
    ),
    "a licence that nobody accepted": Case(
        ("models", "download", "indextts-2.5", "--dir", "m"), 2, ("--accept-license",)
    ),
    "an unknown source": Case(
        ("models", "download", "indextts-2.5", "--source", "torrent"), 2, ("huggingface",)
    ),
    "a download without the network": Case(
        ("models", "download", "indextts-2.5", "--offline", "--dir", "m"), 4, ("offline is set",)
    ),
    "the path of a model that is not here": Case(
        ("models", "path", "indextts-2.5", "--dir", "m"), 3, ("is not in m; get it",)
    ),
    "an unknown device": option("--device quantum", "'quantum' is not a device; use auto, cpu"),
    "an unknown language": option("--lang xx", "'xx' is not one of auto, en, zh"),
    "a language that it does not speak": option("--lang zh", "speaks English only, not 'zh'"),
    "a negative seed": option("--seed -1", "-1 is not between 0 and 4294967295"),
    "a word as seed": option("--seed x", "'--seed': 'x' is not a whole number"),
    "a seed with an exponent": option("--seed 1e10", "'1e10' is not a whole number"),
    "no takes": option("--takes 0", "'--takes': 0 is not between 1 and 1000"),
    "no speed": option("--speed 0", "'--speed': 0 is not between 0.25 and 4"),
    "too much speed": option("--speed 9", "9 is not between 0.25 and 4"),
    "a word as speed": option("--speed x", "'x' is not a number"),
    "a speed of another engine": option("--speed 3", "speed goes from 0.5 to 2, not to 3"),
    "no workers": option("--workers 0", "0 is not between 1 and 256, or auto"),
    "a word as workers": option("--workers x", "'x' is not a whole number, or auto"),
    "an empty batch": option("--batch-size 0", "0 is not between 1 and 4096, or auto"),
    "an unknown format": option("--format mp4", "'mp4' is not one of wav, flac", 'mean "mp3"'),
    "an unknown sample format": option("--subtype PCM_99", "--subtype: 'PCM_99'", "PCM_16, PCM_24"),
    "a rate that mp3 can't have": option(
        "--format mp3 --sampling-rate 96000", "mp3 can't have 96000 Hz; it has 8000"
    ),
    "a rate that opus can't have": option(
        "--format opus --sampling-rate 44100", "opus can't have 44100 Hz"
    ),
    "too low a rate": option("--sampling-rate 100", "100 is not between 8000 and 192000"),
    "bad columns": option("--columns text", "'text' is not FIELD=COLUMN, as in text=Line"),
    "a mistyped script format": option("--script-format json", "'json' is not", 'mean "jsonl"'),
    "a mistyped progress": option("--progress jsn", "'jsn' is not one of", 'mean "json"'),
    "an unknown id": option("--only 7", "--only 7: the script has no such id"),
    "a mistyped id": rows(
        '{"text": "A.", "id": "intro"}', "--reroll intr: the script", args=("--reroll", "intr")
    ),
    "a limit of nothing": option("--limit 0", "0 is not in the range x>=1"),
    "a word as limit": option("--limit x", "'x' is not a valid integer"),
    "a mistyped option": option("--formt wav", "No such option", "--format"),
    "an option without its value": option("--only", "'--only' requires an argument"),
    "a mistyped command": Case(("snyth", "s.txt"), 2, ("No such command 'snyth'", 'mean "synth"')),
    "no output": Case(("synth", "s.txt"), 2, ("Missing option '-o'",)),
    "no script": Case(("synth", "-o", "out"), 2, ("Missing argument 'SCRIPT...'",)),
    "a variable": Case(
        ("synth", "s.txt", "-o", "out"),
        2,
        ("TTS_TOOLKIT_SEED: 'x' is not a whole number",),
        env={"TTS_TOOLKIT_SEED": "x"},
    ),
    "a config file": Case(
        ("synth", "s.txt", "-o", "out"),
        2,
        ("c.yaml: unknown option 'fromat'", 'mean "format"', "c.yaml: takes: 0 is not between"),
        {"c.yaml": "fromat: wav\ntakes: 0\n"},
        env={"TTS_TOOLKIT_CONFIG": "c.yaml"},
    ),
    "a config file of too long a name": Case(
        ("config", "show"), 2, ("can't be read",), env={"TTS_TOOLKIT_CONFIG": "n" * 300}
    ),
    "a config file that is not there": Case(
        ("synth", "s.txt", "-o", "out"),
        2,
        ("TTS_TOOLKIT_CONFIG: there is no file no.yaml",),
        env={"TTS_TOOLKIT_CONFIG": "no.yaml"},
    ),
    "a config file that is no YAML": Case(
        ("config", "show"),
        2,
        ("c.yaml can't be read as YAML",),
        {"c.yaml": "format: [wav"},
        env={"TTS_TOOLKIT_CONFIG": "c.yaml"},
    ),
}

FOLDERS = {
    "a file": Case(
        ("synth", "s.txt", "-o", "f"),
        2,
        ("f is a file; the output has to be a folder",),
        {"f": "x"},
    ),
    "an empty name": Case(("synth", "s.txt", "-o", ""), 2, ("the name is empty", "-o .")),
    "too long a name": Case(("synth", "s.txt", "-o", "n" * 300), 4, ("nnn", "name too long")),
    "below a file": Case(
        ("synth", "s.txt", "-o", "s.txt/a/out"), 2, ("s.txt is a file; the output has to be",)
    ),
    "below a file, tried out": Case(
        ("synth", "s.txt", "-o", "s.txt/out", "--dry-run"), 2, ("s.txt is a file; the output",)
    ),
    "what can't be made": Case(
        ("synth", "s.txt", "-o", "/proc/nope/out"), 4, ("/proc/nope: No such",)
    ),
    "another format": option(
        "--format flac", "out was made otherwise", "format flac, not wav", "--force"
    ),
    "another rate": option("--sampling-rate 16000", "sampling_rate 16000, not 24000", "--force"),
    "another sample format": option("--subtype FLOAT", "subtype FLOAT, not PCM_16", "--force"),
    "made with another engine": Case(
        ("synth", "s.txt", "-o", "out", "--model", "builtin"),
        2,
        ("out was made otherwise (this run: engine builtin, not indextts-2.5", "--force"),
        {"out/job.json": OTHER_ENGINE},
    ),
    "another engine's": Case(
        ("synth", "s.txt", "-o", "out"), 3, (INDEXTTS,), {"out/job.json": OTHER_ENGINE}
    ),
    "broken settings": Case(
        ("synth", "s.txt", "-o", "out"),
        2,
        ("out/job.json can't be read as a run's settings; mend it",),
        {"out/job.json": '{"schema": 1, "eng'},
    ),
    "settings of something else": Case(
        ("synth", "s.txt", "-o", "out"), 2, ("out/job.json can't be",), {"out/job.json": "[1, 2]"}
    ),
    "settings of a newer version": Case(
        ("synth", "s.txt", "-o", "out"),
        2,
        ("out/job.json has schema 99 and this version knows 1: update tts-toolkit",),
        {"out/job.json": '{"schema": 99, "engine": "builtin"}'},
    ),
    "a stranger's clips": Case(
        ("synth", "s.txt", "-o", "music"),
        2,
        ("music has files that no run has made", "000001.wav", "--force"),
        {"music/000001.wav": WAV},
    ),
}

OTHERS = {
    "say: a wrong suffix": Case(
        ("say", "Hi.", "-o", "a.mp4"), 2, ("a.mp4: the suffix has to be one of .wav", 'mean ".mp3"')
    ),
    "say: no suffix": Case(("say", "Hi.", "-o", "hello"), 2, ("the suffix has to be one of .wav",)),
    "say: words without quotes": Case(
        ("say", "Hello", "there.", "-o", "a.wav"), 2, ('Put the text in quotes: "Hello there."',)
    ),
    "say: nothing to say": Case(("say", "-o", "a.wav"), 2, ("Missing argument 'TEXT'",)),
    "say: a missing folder": Case(
        ("say", "Hi.", "-o", "no/a.wav"), 4, ("no/a.wav: can't be written: there is no folder no",)
    ),
    "say: another script": Case(("say", "你好", "-o", "a.wav"), 1, ("can't read Han script",)),
    "say: nothing": Case(("say", "...", "-o", "a.wav"), 1, ("nothing to pronounce in '...'",)),
    "say: no text": Case(("say", "", "-o", "a.wav"), 1, ("nothing to pronounce",)),
    "say: no standard input": Case(("say", "-", "-o", "a.wav"), 1, ("nothing to pronounce",)),
    "say: a language": Case(("say", "Hi.", "-o", "a.wav", "--lang", "zh"), 2, ("English only",)),
    "say: a sample format": Case(
        ("say", "Hi.", "-o", "a.flac", "--subtype", "FLOAT"),
        2,
        ("'FLOAT' is not a sample format of",),
    ),
    "say: a rate": Case(
        ("say", "Hi.", "-o", "a.mp3", "--sampling-rate", "96000"), 2, ("mp3 can't have 96000 Hz",)
    ),
    "say: a voice": Case(("say", "Hi.", "-o", "a.wav", "--voice", "hart"), 2, ('mean "heart"',)),
    "voices: unknown": Case(
        ("voices", "download", "ema"), 2, ("no voice is called 'ema'", '"emma"')
    ),
    "voices: offline": Case(
        ("voices", "download", "emma", "--offline"), 4, ("'emma' is not on this machine, and off",)
    ),
    "voices: a mistyped command": Case(("voices", "downlaod", "emma"), 2, ('mean "download"',)),
    "voices: no place for them": Case(
        ("voices", "download", "emma"),
        4,
        ("/proc/nope: No such",),
        env={"HIBARI_HOME": "/proc/nope"},
    ),
    "completion: an unknown shell": Case(("completion", "tcsh"), 2, ("'tcsh'", "bash")),
}

TABLE = {
    f"{group}: {name}": case
    for group, cases in [
        ("script", SCRIPTS),
        ("row", ROWS),
        ("name", NAMES),
        ("text", TEXTS),
        ("option", OPTIONS),
        ("folder", FOLDERS),
        ("other", OTHERS),
    ]
    for name, case in cases.items()
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder that a run has finished."""
    from tts_toolkit.job.run import run_script

    folder = tmp_path_factory.mktemp("made")
    (folder / "s.txt").write_text(LINES)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TTS_TOOLKIT_CONFIG", os.devnull)
        patch.chdir(folder)
        report = run_script("s.txt", "out", model="builtin", workers=1)
    assert (report.made, report.exit_code) == (2, 0)
    return folder


@pytest.fixture
def place(made, tmp_path):
    """A copy of it, to be broken."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return tmp_path


def content(folder):
    return {
        str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest()
        if path.is_file()
        else "folder"
        for path in folder.rglob("*")
    }


@pytest.mark.parametrize("case", TABLE.values(), ids=TABLE)
def test_it_is_refused_with_the_reason_and_nothing_is_lost(case, place, cli):
    for name, data in case.files.items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)
    before = content(place)
    done = cli(*case.args, stdin=case.stdin, env=case.env)
    assert done.returncode == case.code, done.stderr
    assert "Traceback" not in done.stderr
    assert not [said for said in case.says if said not in done.stderr], done.stderr
    assert done.stdout == ""
    assert content(place) == before


def test_there_are_many_of_them():
    assert len(TABLE) >= 65


def test_a_folder_that_another_run_writes_to_is_refused(place, cli):
    before = content(place)
    with FileLock(place / "out" / ".tts-toolkit" / "lock"):
        done = cli("synth", "s.txt", "-o", "out")
    assert done.returncode == 2
    assert "out is in use by another run; wait for it, or choose another folder" in done.stderr
    assert content(place) == before
