"""A random checkpoint is only worth something if what it says depends on everything."""

import numpy as np
import pytest
import torch

from oracle import say

TEXT = "Hello there, how are you today?"


@pytest.fixture(scope="module")
def base(oracle, voices):
    return say(oracle, TEXT, voices["low"])


def moved(base, other):
    """By how much of the peak a waveform differs from the first one."""
    samples, (reference, _) = other[0], base
    length = min(len(samples), len(reference))
    return np.abs(samples[:length] - reference[:length]).max() / np.abs(reference).max()


def test_the_same_line_is_the_same_audio(oracle, voices, base):
    assert moved(base, say(oracle, TEXT, voices["low"])) == 0


def test_it_is_sound_and_not_clipped(base):
    assert 0.1 < np.abs(base[0]).max() < 0.99
    assert base[0].std() > 0.02


@pytest.mark.parametrize(
    "change",
    [
        {"text": "A short one."},
        {"text": "Hello there, how are you tomorrow?"},
        {"voice": "high"},
        {"emo_audio_prompt": "high"},
        {"emo_vector": [0.4, 0, 0, 0, 0, 0, 0.2, 0]},
        {"seed": 1},
        {"edit": lambda codes: codes.index_fill(1, torch.tensor([12]), 17)},
    ],
    ids=["text", "word", "voice", "emotion clip", "emotion vector", "seed", "code"],
)
def test_every_change_is_heard(oracle, voices, base, change):
    said = {"text": TEXT, "voice": "low", **change}
    said["voice"] = voices[said["voice"]]
    if "emo_audio_prompt" in said:
        said["emo_audio_prompt"] = str(voices[said["emo_audio_prompt"]])
    assert moved(base, say(oracle, **said)) > 0.05


def test_the_voice_reaches_the_flow_and_not_only_the_codes(oracle, voices, base):
    codes = torch.tensor(base[1])
    other = say(oracle, TEXT, voices["high"], edit=lambda _: codes)
    assert moved(base, other) > 0.05


def test_rows_end_early_at_different_lengths(oracle_early, voices):
    texts = ["Hello there.", "It is late.", "Yes", "What?", "One, two, three.", "I will not."]
    lengths = []
    for text in texts:
        _, [codes] = say(oracle_early, text, voices["low"], cap=100, diffusion_steps=1)
        lengths.append(([*codes, 8193]).index(8193))
    assert len(set(lengths)) >= 4
    assert min(lengths) >= 1
    assert sum(length < 100 for length in lengths) >= 4


def test_making_it_leaves_the_process_its_random_numbers(tmp_path):
    from tts_toolkit.testing import make_checkpoint

    torch.manual_seed(5)
    before = torch.get_rng_state()
    make_checkpoint(tmp_path)
    assert torch.equal(torch.get_rng_state(), before)
