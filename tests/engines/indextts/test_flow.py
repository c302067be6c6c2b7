from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tts_toolkit.engines.indextts.flow import Flow, FlowRow, group_rows
from tts_toolkit.engines.indextts.packing import Attention
from tts_toolkit.engines.indextts.wavenet import reflected
from tts_toolkit.errors import ModelMissingError

CONTENT = 24
STEPS = 3


def make_cfm(dilation_rate=1, **changes):
    """A flow whose output depends on all that goes into it; see the test of that."""
    from indextts25.s2mel.modules.flow_matching import CFM
    from omegaconf import OmegaConf

    dit = {
        "hidden_dim": 32,
        "num_heads": 2,
        "depth": 5,
        "class_dropout_prob": 0.1,
        "in_channels": 80,
        "style_condition": True,
        "final_layer_type": "wavenet",
        "content_dim": CONTENT,
        "content_codebook_size": 8,
        "content_type": "discrete",
        "is_causal": False,
        "long_skip_connection": True,
        "time_as_token": False,
        "style_as_token": False,
        "uvit_skip_connection": True,
    }
    wavenet = {
        "hidden_dim": 32,
        "num_layers": 3,
        "kernel_size": 5,
        "dilation_rate": dilation_rate,
        "p_dropout": 0.2,
        "style_condition": True,
    }
    config = {
        "dit_type": "DiT",
        "style_encoder": {"dim": 192},
        "DiT": dit | changes,
        "wavenet": wavenet,
    }
    with torch.random.fork_rng():
        torch.manual_seed(3)
        cfm = CFM(OmegaConf.create(config)).eval()
    net = cfm.estimator
    with torch.no_grad():
        for parameter in cfm.parameters():
            parameter.mul_(1.8)
        for module in (net.cond_projection, net.cond_x_merge_linear):
            module.weight *= 5
    net.setup_caches(max_batch_size=1, max_seq_length=256)
    return cfm


@pytest.fixture(scope="module")
def cfm():
    return make_cfm()


@pytest.fixture(scope="module")
def flow(cfm):
    return Flow(cfm.estimator, dtype=torch.float32)


def make_row(length, prompt, seed=0):
    random = torch.Generator().manual_seed(1000 * length + 10 * prompt + seed)
    shapes = (length, CONTENT), (80, prompt), (192,), (80, length)
    return FlowRow(*(torch.randn(shape, generator=random) for shape in shapes))


def alone(cfm, row, cfg_rate=0.7, steps=STEPS):
    """The row's mel by ``indextts25``."""
    with torch.inference_mode():
        mel = cfm.solve_euler(
            row.noise[None].clone(),
            torch.tensor([len(row.condition)]),
            row.prompt_mel[None],
            row.condition[None],
            row.style[None],
            None,
            torch.linspace(0, 1, steps + 1),
            cfg_rate,
        )
    return mel[0, :, row.prompt_mel.shape[1] :]


def padded_batch(cfm, rows):
    """One step without guidance by ``indextts25``'s estimator on rows padded to one length."""
    longest = max(len(row.condition) for row in rows)
    starts = [row.noise.clone() for row in rows]
    for start, row in zip(starts, rows, strict=True):
        start[:, : row.prompt_mel.shape[1]] = 0
    x = torch.stack([widened(start, longest) for start in starts])
    with torch.inference_mode():
        x = x + cfm.estimator(
            x,
            torch.stack([widened(row.prompt_mel, longest) for row in rows]),
            torch.tensor([len(row.condition) for row in rows]),
            torch.zeros(len(rows)),
            torch.stack([row.style for row in rows]),
            torch.stack([widened(row.condition.T, longest).T for row in rows]),
        )
    return [
        mel[:, row.prompt_mel.shape[1] : len(row.condition)]
        for mel, row in zip(x, rows, strict=True)
    ]


def widened(x, length):
    return torch.nn.functional.pad(x, (0, length - x.shape[-1]))


def difference(one, other):
    return float((one - other).abs().max() / other.abs().max())


kinds = st.tuples(st.integers(1, 40), st.integers(1, 30)).map(lambda kind: (sum(kind), kind[1]))


@settings(max_examples=12, deadline=None)
@given(st.lists(kinds, min_size=1, max_size=5), st.sampled_from([0.7, 0.0]))
def test_each_row_is_what_it_is_alone(cfm, flow, sizes, cfg_rate):
    rows = [make_row(*size, seed) for seed, size in enumerate(sizes)]
    mels = flow(rows, diffusion_steps=STEPS, cfg_rate=cfg_rate)
    for row, mel in zip(rows, mels, strict=True):
        assert mel.dtype == torch.float32
        assert mel.shape == (80, len(row.condition) - row.prompt_mel.shape[1])
        assert difference(mel, alone(cfm, row, cfg_rate)) < 2e-6


def test_a_padded_batch_of_the_oracle_is_not(cfm, flow):
    rows = [make_row(40, 12, 1), make_row(25, 12, 2)]
    long, short = padded_batch(cfm, rows)
    assert difference(long, alone(cfm, rows[0], 0.0, steps=1)) < 2e-6
    assert difference(short, alone(cfm, rows[1], 0.0, steps=1)) > 1e-2
    for row, mel in zip(rows, flow(rows, diffusion_steps=1, cfg_rate=0.0), strict=True):
        assert difference(mel, alone(cfm, row, 0.0, steps=1)) < 2e-6


@pytest.mark.parametrize("field", ["condition", "prompt_mel", "style", "noise"])
def test_the_mel_depends_on_all_of_the_row(flow, field):
    row, other = make_row(40, 12, 1), make_row(40, 12, 2)
    mels = flow([row, replace(row, **{field: getattr(other, field)})], diffusion_steps=STEPS)
    assert difference(*mels) > 0.05


@pytest.mark.parametrize("size", [(2, 1), (3, 1), (3, 2), (4, 3)])
def test_a_row_too_short_to_be_reflected(cfm, flow, size):
    mels = flow([make_row(30, 9), make_row(*size)], diffusion_steps=STEPS)
    assert difference(mels[1], alone(cfm, make_row(*size))) < 2e-6


@pytest.mark.parametrize("steps", [1, 15])
def test_steps_are_the_oracles(cfm, flow, steps):
    rows = [make_row(31, 9), make_row(22, 14)]
    for row, mel in zip(rows, flow(rows, diffusion_steps=steps), strict=True):
        assert difference(mel, alone(cfm, row, steps=steps)) < 1e-5


def test_wider_dilations_reach_farther():
    cfm = make_cfm(dilation_rate=2)
    flow = Flow(cfm.estimator, dtype=torch.float32)
    rows = [make_row(50, 30), make_row(22, 14), make_row(5, 2), make_row(9, 1)]
    for row, mel in zip(rows, flow(rows, diffusion_steps=STEPS), strict=True):
        assert difference(mel, alone(cfm, row)) < 2e-6


def test_an_even_depth_without_skips():
    cfm = make_cfm(depth=4, uvit_skip_connection=False)
    flow = Flow(cfm.estimator, dtype=torch.float32)
    rows = [make_row(33, 12), make_row(20, 4)]
    for row, mel in zip(rows, flow(rows, diffusion_steps=STEPS), strict=True):
        assert difference(mel, alone(cfm, row)) < 2e-6


def test_bfloat16_is_close(cfm, flow):
    rows = [make_row(40, 12), make_row(31, 9)]
    half = Flow(cfm.estimator, dtype=torch.bfloat16)(rows)
    for mel, exact in zip(half, flow(rows), strict=True):
        assert mel.dtype == torch.float32
        cosine = torch.cosine_similarity(mel.flatten(), exact.flatten(), dim=0)
        assert cosine > 0.999
        assert difference(mel, exact) > 1e-6


@pytest.mark.cuda
@pytest.mark.parametrize(
    ("dtype", "cosine"),
    [(torch.float32, 0.999999), (torch.bfloat16, 0.999), (torch.float16, 0.999)],
    ids=str,
)
def test_a_card_gives_what_the_processor_gives(flow, dtype, cosine):
    rows = [make_row(40, 12), make_row(31, 9), make_row(31, 9, 1)]
    on_card = Flow(make_cfm().estimator.cuda(), dtype=dtype)(rows)
    for mel, exact in zip(on_card, flow(rows), strict=True):
        assert mel.device.type == "cuda"
        assert torch.cosine_similarity(mel.cpu().flatten(), exact.flatten(), dim=0) > cosine


def test_no_rows_no_mels(flow):
    assert flow([]) == []


def test_a_row_is_not_changed(flow):
    row, same = make_row(20, 8), make_row(20, 8)
    flow([row], diffusion_steps=STEPS)
    for field in ("condition", "prompt_mel", "style", "noise"):
        assert torch.equal(getattr(row, field), getattr(same, field))


def test_another_architecture_is_refused():
    with pytest.raises(ModelMissingError, match="time_as_token"):
        Flow(make_cfm(time_as_token=True).estimator, dtype=torch.float32)
    with pytest.raises(ModelMissingError, match="float32"):
        Flow(make_cfm().estimator.bfloat16(), dtype=torch.float32)


@settings(max_examples=30, deadline=None)
@given(st.lists(kinds, min_size=1, max_size=5), st.integers(1, 2))
def test_padded_attention_is_the_ragged_one(sizes, branches):
    keys = [length for length, _ in sizes]
    queries = [min(length, tail) for length, tail in sizes]
    random = torch.Generator().manual_seed(sum(keys))
    shapes = [(branches * sum(lens), 2, 16) for lens in (queries, keys, keys)]
    qkv = [3 * torch.randn(shape, generator=random) for shape in shapes]
    ragged, padded = (
        Attention(queries, keys, branches=branches, device=torch.device("cpu"), padded=padded)(*qkv)
        for padded in (False, True)
    )
    assert ragged.shape == (branches * sum(queries), 32)
    assert difference(padded, ragged) < 2e-6
    # And each row's is what one call on it alone gives.
    for index in range(len(sizes)):
        ask = slice(sum(queries[:index]), sum(queries[: index + 1]))
        see = slice(sum(keys[:index]), sum(keys[: index + 1]))
        heads = [x.transpose(0, 1) for x in (qkv[0][ask], qkv[1][see], qkv[2][see])]
        row = torch.nn.functional.scaled_dot_product_attention(*heads)
        assert difference(ragged[ask], row.transpose(0, 1).flatten(1)) < 2e-6


@given(st.integers(1, 9), st.integers(1, 6))
def test_reflection_is_the_oracles(length, pad):
    from indextts25.s2mel.modules.encodec import pad1d

    row = torch.arange(1.0, length + 1)[None, None]
    seen = pad1d(row, (pad, pad), mode="reflect")[0, 0].tolist()
    inside = range(length)
    for index in range(-pad, length + pad):
        frame = index if index in inside else reflected(index, length, pad)
        assert seen[index + pad] == (0 if frame is None else frame + 1)


@given(
    st.lists(st.integers(1, 900), max_size=40),
    st.sampled_from([0.0, 0.05, 0.2, 0.9]),
    st.integers(1, 3000),
)
def test_groups_hold_each_row_once_and_keep_their_bounds(lens, max_waste, max_frames):
    groups = group_rows(lens, max_waste=max_waste, max_frames=max_frames)
    assert sorted(row for group in groups for row in group) == list(range(len(lens)))
    flat = [lens[row] for group in groups for row in group]
    assert flat == sorted(flat)
    for group in groups:
        frames = [lens[row] for row in group]
        padded = len(group) * max(frames)
        assert padded - sum(frames) <= max_waste * padded
        assert padded <= max_frames or len(group) == 1


def test_rows_of_one_length_are_one_group_until_it_is_full():
    assert group_rows([5, 7, 5, 5], max_waste=0, max_frames=10) == [[0, 2], [3], [1]]
    assert group_rows([5, 7, 5, 5], max_waste=0.5, max_frames=100) == [[0, 2, 3, 1]]
