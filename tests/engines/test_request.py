"""What a run's options make of an utterance."""

from pathlib import Path

import pytest

from tts_toolkit.config import Options
from tts_toolkit.engines.builtin import BUILTIN
from tts_toolkit.engines.request import check_options, complete
from tts_toolkit.errors import OptionError
from tts_toolkit.utterance import Emotion, Utterance

SAD = (0, 0, 0.8, 0, 0, 0, 0, 0)


def emotion(own=None, **options):
    return complete(Utterance("Hi.", emotion=own), BUILTIN.info, Options(**options)).emotion


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, None),
        ({"emotion_weight": 0.3}, None),
        ({"emotion_audio": Path("a.wav")}, Emotion("a.wav", weight=1.0)),
        ({"emotion_text": "afraid", "emotion_weight": 0.6}, Emotion(text="afraid", weight=0.6)),
        ({"emotion_vector": SAD, "emotion_weight": 0.0}, Emotion(vector=SAD, weight=0.0)),
    ],
)
def test_the_run_s_emotion_is_that_of_every_line(options, expected):
    assert emotion(**options) == expected


def test_a_line_s_own_emotion_comes_first_and_takes_the_run_s_weight():
    run = {"emotion_vector": SAD, "emotion_weight": 0.4}
    assert emotion(Emotion(text="calm"), **run) == Emotion(text="calm", weight=0.4)
    assert emotion(Emotion(text="calm", weight=0.9), **run) == Emotion(text="calm", weight=0.9)


def test_two_emotions_are_refused_before_anything_starts():
    options = Options(emotion_audio=Path("a.wav"), emotion_text="calm")
    with pytest.raises(OptionError, match="--emotion-audio and --emotion-text can't go together"):
        check_options(options, BUILTIN)


def test_an_engine_without_emotions_refuses_the_run_s():
    with pytest.raises(OptionError, match="the builtin voice has no emotions"):
        check_options(Options(emotion_vector=SAD), BUILTIN)
