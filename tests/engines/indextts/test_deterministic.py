"""--deterministic: switches that hold for a call, and bytes that repeat."""

import numpy as np
import pytest
import torch

from tts_toolkit.config import Options
from tts_toolkit.engines import choose
from tts_toolkit.engines.indextts.deterministic import Deterministic
from tts_toolkit.errors import OptionError


class Spy:
    """An engine that notes torch's switches while it works."""

    def __init__(self, fails=False):
        self.seen = []
        self.fails = fails
        self.info = "info"

    def _note(self):
        self.seen.append(
            (
                torch.are_deterministic_algorithms_enabled(),
                torch.backends.cudnn.deterministic,
                torch.backends.cudnn.allow_tf32,
            )
        )
        if self.fails:
            raise RuntimeError("a kernel fails")

    def has_room(self):
        return True

    def submit(self, utterance):
        self.seen.append(utterance)
        self._note()

    def step(self):
        self._note()
        return [1]

    def cancel(self, utterance_id):
        self.seen.append(utterance_id)

    def close(self):
        self.seen.append("closed")


def switches():
    return (
        torch.are_deterministic_algorithms_enabled(),
        torch.backends.cudnn.deterministic,
        torch.backends.cudnn.allow_tf32,
    )


def test_kernels_repeat_themselves_during_a_call_only():
    before = switches()
    inner = Spy()
    engine = Deterministic(inner)
    engine.submit("line")
    assert engine.step() == [1]
    engine.cancel("x")
    engine.close()
    assert (engine.info, engine.has_room()) == ("info", True)
    assert inner.seen == ["line", (True, True, False), (True, True, False), "x", "closed"]
    assert switches() == before


def test_a_call_that_fails_leaves_the_switches_as_they_were():
    before = switches()
    with pytest.raises(RuntimeError, match="a kernel fails"):
        Deterministic(Spy(fails=True)).step()
    assert switches() == before


def test_it_computes_in_float32(tiny, monkeypatch):
    options = Options(deterministic=True, model_dir=tiny, device="cpu")
    assert choose.choose(options).spec.dtype == "float32"
    with pytest.raises(OptionError, match="--deterministic computes in float32, so --dtype bf"):
        choose.choose(Options(deterministic=True, dtype="bfloat16", model_dir=tiny, device="cpu"))


def test_two_sessions_give_the_same_bytes(tiny, voices, tmp_path):
    import tts_toolkit

    def said():
        options = {"model_dir": tiny, "device": "cpu", "deterministic": True, "max_codes": 12}
        options |= {"no_normalize": True}
        with tts_toolkit.load(voice=str(voices["low"]), diffusion_steps=3, **options) as synth:
            lines = ["Hello there.", "Another line, a bit longer.", "Three."]
            return [outcome.clip.samples for outcome in synth.synthesize(lines)]

    for one, other in zip(said(), said(), strict=True):
        assert np.array_equal(one, other)
