"""The rows that IndexTTS's own batch command documents."""

from __future__ import annotations

import json

import pytest

from tts_toolkit.job.run import run_script
from tts_toolkit.scripts.read import read_scripts
from tts_toolkit.utterance import Emotion

ROWS = [
    {"text": "第一句直接写在批量清单里。", "output": "out/001.wav"},
    {
        "text_file": "texts/second.txt",
        "emotion_audio": "../emo_sad.wav",
        "emotion_weight": 0.75,
        "output": "out/002.wav",
    },
    {
        "text": "第三句使用情绪向量。",
        "emotion_vector": [0, 0, 0.6, 0, 0, 0, 0, 0],
        "output": "out/003.wav",
    },
    {
        "text": "第四句的数字写成字符串。",
        "emotion_vector": "0,0,0,0,0,0,0,0.5",
        "emotion_weight": "0.4",
        "output": "out/004.wav",
    },
]


@pytest.fixture
def example(script):
    script("第二句写在文件里。\n", "examples/batch/texts/second.txt")
    script(b"RIFF", "examples/emo_sad.wav")
    lines = (json.dumps(row, ensure_ascii=False) for row in ROWS)
    return script("\n".join(lines) + "\n", "examples/batch/demo.jsonl")


def test_it_is_read_without_a_problem(example):
    found = read_scripts([example])
    assert not found.problems
    assert [one.text for one in found.utterances] == [
        "第一句直接写在批量清单里。",
        "第二句写在文件里。",
        "第三句使用情绪向量。",
        "第四句的数字写成字符串。",
    ]
    assert [one.output for one in found.utterances] == ["out/001", "out/002", "out/003", "out/004"]
    sad = str(example.parent / "../emo_sad.wav")
    assert [one.emotion for one in found.utterances] == [
        None,
        Emotion(audio=sad, weight=0.75),
        Emotion(vector=(0, 0, 0.6, 0, 0, 0, 0, 0)),
        Emotion(vector=(0, 0, 0, 0, 0, 0, 0, 0.5), weight=0.4),
    ]


def test_an_engine_with_emotions_makes_its_files(example, tmp_path, fake_engine):
    report = run_script(example, tmp_path / "made", model="indextts-2.5")
    assert (report.made, report.failed, report.exit_code) == (4, 0, 0)
    made = sorted((tmp_path / "made").rglob("*.wav"))
    assert [path.relative_to(tmp_path / "made").as_posix() for path in made] == [
        "out/001.wav",
        "out/002.wav",
        "out/003.wav",
        "out/004.wav",
    ]
    assert len({path.read_bytes() for path in made}) == 4


def test_the_builtin_voice_refuses_each_emotion_before_anything_starts(example, tmp_path, cli):
    done = cli("synth", "examples/batch/demo.jsonl", "-o", "made", "--model", "builtin")
    assert done.returncode == 2
    for line in (2, 3, 4):
        assert (
            f"examples/batch/demo.jsonl:{line} out/00{line} the builtin voice has no" in done.stderr
        )
    assert "3 problems; nothing was started" in done.stderr
    assert not (tmp_path / "made").exists()
