import warnings
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
import torch

from oracle import voiced
from tts_toolkit.engines.indextts.voice import condition, emotion_semantic
from tts_toolkit.errors import EngineError


def of_oracle(oracle, path):
    with torch.no_grad(), warnings.catch_warnings():
        # librosa's audioread imports modules that Python 3.13 dropped.
        warnings.filterwarnings("ignore", ".*removal in Python 3.13", DeprecationWarning)
        speaker = oracle._speaker_conditioning(str(path), (str(path), 0))
        return speaker, oracle._emotion_conditioning(str(path), (str(path), 0))


def written(folder, samples, rate, name="clip.wav"):
    soundfile.write(folder / name, samples, rate)
    return folder / name


@pytest.fixture(params=["mono", "stereo at 48 kHz", "8 kHz flac"])
def clip(request, tmp_path):
    if request.param == "mono":
        return written(tmp_path, voiced(150, 1.3), 22050)
    if request.param == "8 kHz flac":
        return written(tmp_path, voiced(150, 1.2, 8000), 8000, "clip.flac")
    both = np.stack([voiced(150, 1.2, 48000), voiced(90, 1.2, 48000)], axis=1)
    return written(tmp_path, both, 48000)


def test_a_clip_is_to_us_what_it_is_to_the_oracle(checkpoint, oracle, clip):
    (semantic, style, prompt, mel), emotion = of_oracle(oracle, clip)
    ours = condition(checkpoint, clip)
    for mine, theirs in (
        (ours.semantic, semantic),
        (ours.style, style),
        (ours.prompt_condition, prompt),
        (ours.prompt_mel, mel),
        (ours.emotion_semantic, emotion),
        (emotion_semantic(checkpoint, clip), emotion),
    ):
        torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-5 * theirs.abs().max().item())


def test_of_a_long_clip_the_oracle_and_we_take_the_same_start(
    checkpoint, oracle, tmp_path, monkeypatch
):
    def bands(features):
        """In the place of w2v-bert, which takes long over 15 seconds."""
        return torch.nn.functional.pad(features, (0, 1024 - features.shape[2]))

    monkeypatch.setattr(oracle, "get_emb", lambda features, _: bands(features))
    quick = replace(
        checkpoint,
        semantic_model=lambda input_features, **_: SimpleNamespace(
            last_hidden_state=bands(input_features)
        ),
        semantic_mean=torch.zeros(1024),
        semantic_std=torch.ones(1024),
    )
    path = written(tmp_path, voiced(150, 26, 24000), 24000)
    (semantic, style, prompt, mel), emotion = of_oracle(oracle, path)
    ours = condition(quick, path)
    assert mel.shape[2] == 15 * 22050 // 256
    torch.testing.assert_close(ours.prompt_mel, mel, rtol=0, atol=1e-4)
    torch.testing.assert_close(ours.semantic, semantic, rtol=0, atol=1e-4)
    torch.testing.assert_close(ours.emotion_semantic, emotion, rtol=0, atol=1e-4)
    torch.testing.assert_close(ours.style, style, rtol=0, atol=1e-4)
    torch.testing.assert_close(ours.prompt_condition, prompt, rtol=0, atol=1e-4)
    assert "longer than 15 seconds" in ours.warnings[0]


def test_the_same_clip_gives_the_same_numbers(checkpoint, voices):
    one, two = (condition(checkpoint, voices["low"]) for _ in range(2))
    assert torch.equal(one.semantic, two.semantic)
    assert torch.equal(one.style, two.style)
    assert torch.equal(one.prompt_condition, two.prompt_condition)


def test_a_clipped_clip_is_a_warning(checkpoint, tmp_path):
    path = written(tmp_path, (4 * voiced(150, 1.2)).clip(-1, 1), 22050)
    assert "clipped" in condition(checkpoint, path).warnings[0]


def test_a_good_clip_has_no_warning(checkpoint, voices):
    assert condition(checkpoint, voices["low"]).warnings == ()


@pytest.mark.parametrize("use", [condition, emotion_semantic])
def test_what_is_no_voice_is_refused(checkpoint, tmp_path, use):
    short = written(tmp_path, voiced(150, 0.9), 22050, "short.wav")
    silent = written(tmp_path, np.full(30000, 5e-4, np.float32), 22050, "silent.wav")
    empty = written(tmp_path, np.zeros(0, np.float32), 22050, "empty.wav")
    text = tmp_path / "text.wav"
    text.write_text("no sound at all\n" * 100)
    broken = np.full(30000, np.nan, np.float32)
    soundfile.write(tmp_path / "nan.wav", broken, 22050, subtype="FLOAT")
    for path, word in (
        (short, "0.90 seconds"),
        (silent, "silent"),
        (empty, "0.00 seconds"),
        (text, "can't be read"),
        (tmp_path / "nan.wav", "not numbers"),
        (tmp_path / "gone.wav", "there is no clip"),
    ):
        with pytest.raises(EngineError, match=word) as error:
            use(checkpoint, path)
        assert str(path) in str(error.value)
