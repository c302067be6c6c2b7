"""Codes into mels in another dtype: near enough, given the same codes."""

import pytest
import torch

from tts_toolkit.engines.indextts.acoustic import Acoustic, AcousticRow
from tts_toolkit.engines.indextts.voice import condition


def mels(checkpoint, clips, codes):
    acoustic = Acoustic(checkpoint)
    rows = [
        acoustic.prepare(
            AcousticRow(
                torch.tensor(row),
                condition(checkpoint, clip),
                1.0,
                torch.Generator().manual_seed(n),
            )
        )
        for n, (row, clip) in enumerate(zip(codes, clips, strict=True))
    ]
    return acoustic._flow(rows)


@pytest.mark.parametrize("seed", [0, 1])
def test_given_the_same_codes_half_precision_gives_nearly_the_same_mel(
    checkpoint, checkpoint_bfloat16, voices, seed
):
    generator = torch.Generator().manual_seed(seed)
    codes = [torch.randint(0, 8192, (n,), generator=generator).tolist() for n in (20, 33, 20)]
    clips = [voices["low"], voices["high"], voices["high"]]
    exact = mels(checkpoint, clips, codes)
    half = mels(checkpoint_bfloat16, clips, codes)
    for one, other in zip(exact, half, strict=True):
        assert one.shape == other.shape
        assert torch.cosine_similarity(one.flatten(), other.flatten(), dim=0) >= 0.999
        assert not torch.equal(one, other)


def test_the_measure_tells_other_codes_apart(checkpoint, voices):
    """A cosine that one changed code does not move would prove nothing."""
    codes = list(range(100, 120))
    other = [*codes[:10], 7777, *codes[11:]]
    one, changed = (mels(checkpoint, [voices["low"]], [row])[0] for row in (codes, other))
    assert torch.cosine_similarity(one.flatten(), changed.flatten(), dim=0) < 0.999
