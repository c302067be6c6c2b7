import pytest
import torch

from oracle import say
from tts_toolkit.engines.indextts.emotion import emotion_vector
from tts_toolkit.engines.indextts.voice import condition, emotion_semantic
from tts_toolkit.errors import EngineError

VECTOR = [0.31234567, 0.0, 0.1, 0.0, 0.0, 0.0, 0.2, 0.05]


@pytest.fixture
def heard(oracle, monkeypatch):
    """The vectors that reach the oracle's GPT."""
    found = []
    generate = type(oracle.gpt).inference_speech

    def spy(model, text, langs, emotion, *args, **kwargs):
        found.append(emotion)
        return generate(model, text, langs, emotion, *args, **kwargs)

    monkeypatch.setattr(type(oracle.gpt), "inference_speech", spy)
    return found


@pytest.mark.parametrize(
    ("clip", "vector", "weight"),
    [
        (None, None, 1.0),
        (None, None, 0.3),
        ("high", None, 1.0),
        ("high", None, 0.4),
        (None, VECTOR, 1.0),
        (None, VECTOR, 0.37),
        (None, VECTOR, 1.7),
        (None, VECTOR, -0.5),
        ("high", VECTOR, 0.6),
    ],
)
def test_it_is_the_oracles_vector(oracle, checkpoint, voices, heard, clip, vector, weight):
    say(
        oracle,
        "Hello",
        voices["low"],
        cap=1,
        diffusion_steps=1,
        emo_audio_prompt=str(voices[clip]) if clip else None,
        emo_vector=vector,
        emo_alpha=weight,
    )
    ours = emotion_vector(
        checkpoint,
        condition(checkpoint, voices["low"]),
        emotion_semantic(checkpoint, voices[clip]) if clip else None,
        vector,
        weight,
    )
    torch.testing.assert_close(ours, heard[0], rtol=0, atol=1e-5)
    assert ours.dtype == torch.float32


def test_a_vector_of_another_length_is_refused(checkpoint, voices):
    voice = condition(checkpoint, voices["low"])
    with pytest.raises(EngineError, match="8 weights"):
        emotion_vector(checkpoint, voice, None, [0.1] * 7, 1.0)


def test_half_precision_is_near(checkpoint_bfloat16, checkpoint, voices):
    voice = condition(checkpoint, voices["low"])
    exact = emotion_vector(checkpoint, voice, None, VECTOR, 0.5)
    near = emotion_vector(checkpoint_bfloat16, voice, None, VECTOR, 0.5)
    assert near.dtype == torch.float32
    assert torch.cosine_similarity(exact, near).item() > 0.999
