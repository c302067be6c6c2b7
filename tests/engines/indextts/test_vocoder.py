from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tts_toolkit.engines.indextts.vocoder import Activation, Vocoder, reach

RATES = [4, 4, 2, 2, 2, 2]
HOP = 256


def make_bigvgan(**changes):
    """A vocoder of the shipped strides, a few channels wide, whose output follows its input."""
    from indextts25.s2mel.modules.bigvgan.bigvgan import BigVGAN
    from indextts25.s2mel.modules.bigvgan.env import AttrDict

    config = {
        "resblock": "1",
        "num_mels": 80,
        "upsample_initial_channel": 128,
        "upsample_rates": RATES,
        "upsample_kernel_sizes": [2 * rate for rate in RATES],
        "resblock_kernel_sizes": [3, 7, 11],
        "resblock_dilation_sizes": [[1, 3, 5]] * 3,
        "activation": "snakebeta",
        "snake_logscale": True,
        "use_bias_at_final": False,
        "use_tanh_at_final": False,
    }
    with torch.random.fork_rng():
        torch.manual_seed(5)
        bigvgan = BigVGAN(AttrDict(config | changes)).eval()
        with torch.no_grad():
            for name, parameter in bigvgan.named_parameters():
                if name.endswith(("alpha", "beta")):
                    spread = 0.5 * torch.randn(parameter.shape)
                    parameter.copy_(spread if bigvgan.h.snake_logscale else spread.exp())
            bigvgan.conv_pre.weight *= 1.7
            for ups in bigvgan.ups:
                ups[0].weight *= 1.7
            bigvgan.conv_post.weight *= 0.3
    return bigvgan


@pytest.fixture(scope="module")
def bigvgan():
    return make_bigvgan()


def make_mel(length, seed=0):
    return torch.randn(80, length, generator=torch.Generator().manual_seed(1000 * length + seed))


def oracle(bigvgan, mel):
    with torch.inference_mode():
        return bigvgan(mel[None])[0, 0]


def difference(one, other):
    return float((one - other).abs().max() / other.abs().max())


@settings(max_examples=8, deadline=None)
@given(st.lists(st.integers(1, 60), min_size=1, max_size=4))
def test_each_row_is_what_it_is_alone(bigvgan, lens):
    mels = [make_mel(length, seed) for seed, length in enumerate(lens)]
    for mel, wave in zip(mels, Vocoder(bigvgan)(mels), strict=True):
        assert wave.dtype == torch.float32
        assert wave.shape == (HOP * mel.shape[1],)
        assert difference(wave, oracle(bigvgan, mel)) < 1e-4


def test_a_padded_row_of_the_oracle_is_not(bigvgan):
    mel = make_mel(30)
    padded = oracle(bigvgan, torch.nn.functional.pad(mel, (0, 10)))[: 30 * HOP]
    assert difference(padded, oracle(bigvgan, mel)) > 1e-2


def test_the_wave_follows_the_mel(bigvgan):
    one, other = Vocoder(bigvgan)([make_mel(30, 1), make_mel(30, 2)])
    assert difference(one, other) > 0.05
    assert one.abs().max() > 0.05


@pytest.mark.parametrize("piece", [40, 64, 149, 150])
def test_pieces_are_the_whole(bigvgan, piece):
    mel = make_mel(150)
    (wave,) = Vocoder(bigvgan, piece=piece)([mel])
    assert difference(wave, oracle(bigvgan, mel)) < 1e-4


def test_pieces_overlap_by_what_is_heard(bigvgan):
    middle, other = make_mel(150), make_mel(150, 1)
    seen = reach(bigvgan)
    changed = middle.clone()
    changed[:, : 75 - seen] = other[:, : 75 - seen]
    changed[:, 76 + seen :] = other[:, 76 + seen :]
    here = slice(75 * HOP, 76 * HOP)
    wave, same = oracle(bigvgan, middle), oracle(bigvgan, changed)
    assert difference(same[here], wave[here]) < 1e-4
    assert difference(same, wave) > 0.05


@pytest.mark.parametrize(
    "changes",
    [
        {"activation": "snake"},
        {"snake_logscale": False},
        {"activation": "snake", "snake_logscale": False, "use_tanh_at_final": True},
        {"use_bias_at_final": True},
    ],
    ids=" ".join,
)
def test_other_configurations(changes):
    bigvgan = make_bigvgan(**changes)
    mel = make_mel(20)
    (wave,) = Vocoder(bigvgan)([mel])
    assert difference(wave, oracle(bigvgan, mel)) < 1e-4


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 40), st.sampled_from(["Snake", "SnakeBeta"]), st.booleans())
def test_an_activation_is_the_oracles(length, kind, logscale):
    from indextts25.s2mel.modules.bigvgan import activations
    from indextts25.s2mel.modules.bigvgan.alias_free_activation.torch.act import Activation1d

    random = torch.Generator().manual_seed(length)
    theirs = Activation1d(getattr(activations, kind)(6, alpha_logscale=logscale))
    for parameter in theirs.parameters():
        parameter.data += torch.randn(6, generator=random).abs()
        parameter.data[0] = 0
    x = torch.randn(1, 6, length, generator=random)
    with torch.inference_mode():
        wanted = theirs(x)
        # A gain of 1 / 1e-9 is what a linear beta of 0 means.
        scale = wanted.abs().amax(dim=2, keepdim=True)
        assert float(((Activation(theirs)(x) - wanted) / scale).abs().max()) < 1e-5


def test_no_rows_no_waves(bigvgan):
    assert Vocoder(bigvgan)([]) == []
