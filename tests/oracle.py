"""indextts25's own program over random weights: what our engine is compared with."""

import warnings
from functools import cache

import numpy as np
import pytest
import soundfile


@cache
def _checkpoint(base, ends_early):
    from tts_toolkit.testing import make_checkpoint

    name = "tiny-early" if ends_early else "tiny"
    return make_checkpoint(base / name, ends_early=ends_early)


@cache
def _load(folder):

    with warnings.catch_warnings():
        # indextts25 leaves the vocabulary's file open, and so does an import of its own.
        warnings.simplefilter("ignore", ResourceWarning)
        warnings.simplefilter("ignore", DeprecationWarning)
        from indextts25.infer_v2_5 import IndexTTS2

        return IndexTTS2(cfg_path=str(folder / "config.yaml"), model_dir=str(folder), device="cpu")


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """A checkpoint whose rows run until they are capped."""
    return _checkpoint(tmp_path_factory.getbasetemp(), ends_early=False)


@pytest.fixture(scope="session")
def tiny_early(tmp_path_factory):
    """A checkpoint whose rows end by themselves."""
    return _checkpoint(tmp_path_factory.getbasetemp(), ends_early=True)


@pytest.fixture(scope="session")
def oracle(tiny):
    """indextts25's IndexTTS2 with the weights of ``tiny``, on the CPU in float32."""
    return _load(tiny)


@pytest.fixture(scope="session")
def oracle_early(tiny_early):
    return _load(tiny_early)


def voiced(pitch, seconds=1.5, sampling_rate=22050, seed=0):
    """Something like a voice: harmonics that move, with breath. Shape (T,), float32, peak 0.5."""
    rng = np.random.default_rng(seed)
    times = np.arange(int(seconds * sampling_rate)) / sampling_rate
    frequency = pitch * (1 + 0.2 * np.sin(2 * np.pi * 1.3 * times + seed))
    phase = 2 * np.pi * np.cumsum(frequency) / sampling_rate
    sound = sum(np.sin(k * phase) / k for k in range(1, 12))
    sound *= 0.5 + 0.5 * np.sin(2 * np.pi * 3.1 * times) ** 2
    sound += 0.05 * rng.standard_normal(len(times))
    return (0.5 * sound / np.abs(sound).max()).astype(np.float32)


@pytest.fixture(scope="session")
def voices(tmp_path_factory):
    """Paths of two reference clips, "low" and "high"."""
    folder = tmp_path_factory.mktemp("voices")
    for name, pitch, seed in (("low", 120, 0), ("high", 210, 3)):
        soundfile.write(folder / f"{name}.wav", voiced(pitch, seed=seed), 22050)
    return {name: folder / f"{name}.wav" for name in ("low", "high")}


def say(oracle, text, voice, *, seed=0, cap=24, lang="en", edit=lambda codes: codes, **options):
    """What the oracle says, greedily: samples (T,) in [-1, 1], and the codes of each segment."""
    import torch

    codes = []
    model = oracle.gpt
    generate = type(model).inference_speech

    def spy(*args, **kwargs):
        made = edit(generate(model, *args, **kwargs).clone())
        codes.append(made[0].tolist())
        return made

    model.inference_speech = spy
    torch.manual_seed(seed)
    greedy = {"do_sample": False, "num_beams": 1, "max_mel_tokens": cap}
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "WARN: generation stopped", RuntimeWarning)
            # librosa's audioread imports modules that Python 3.13 dropped.
            warnings.filterwarnings("ignore", ".*removal in Python 3.13", DeprecationWarning)
            _, pcm = oracle.infer(
                str(voice), text, None, lang, **{"text_normalization": False} | greedy | options
            )
    finally:
        del model.inference_speech
    return pcm[:, 0] / np.float32(32767), codes


@cache
def _loaded(folder, dtype):
    import torch

    from tts_toolkit.engines.indextts.checkpoint import load_checkpoint

    return load_checkpoint(folder, device=torch.device("cpu"), dtype=getattr(torch, dtype))


@pytest.fixture(scope="session")
def checkpoint(tiny):
    """What we load of ``tiny``, on the CPU in float32."""
    return _loaded(tiny, "float32")


@pytest.fixture(scope="session")
def checkpoint_early(tiny_early):
    return _loaded(tiny_early, "float32")


@pytest.fixture(scope="session")
def checkpoint_bfloat16(tiny):
    return _loaded(tiny, "bfloat16")
