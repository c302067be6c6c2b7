from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import (
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from tts_toolkit.engines.indextts.sampling import Sampling, SamplingRows, choose_codes, uniforms

VOCABULARY = 50
CPU = torch.device("cpu")


def by_transformers(logits, said, row):
    """The scores of one row after transformers' own processors, in its order."""
    ids = torch.tensor([said])
    scores = logits.unsqueeze(0).clone()
    if row.repetition_penalty != 1:
        scores = RepetitionPenaltyLogitsProcessor(row.repetition_penalty)(ids, scores)
    if row.temperature != 1:
        scores = TemperatureLogitsWarper(row.temperature)(ids, scores)
    if row.top_k:
        scores = TopKLogitsWarper(row.top_k)(ids, scores)
    if row.top_p < 1:
        scores = TopPLogitsWarper(row.top_p)(ids, scores)
    return scores[0]


def seen_of(said):
    seen = torch.zeros(len(said), VOCABULARY, dtype=torch.bool)
    for row, ids in enumerate(said):
        seen[row, ids] = True
    return seen


samplings = st.builds(
    Sampling,
    temperature=st.sampled_from([0.5, 0.8, 1.0, 1.7]),
    top_k=st.sampled_from([0, 1, 5, 30, 50, 99]),
    top_p=st.sampled_from([0.05, 0.5, 0.8, 1.0]),
    repetition_penalty=st.sampled_from([1.0, 1.3, 10.0]),
)


@settings(deadline=None)
@given(
    rows=st.lists(samplings, min_size=1, max_size=6),
    seed=st.integers(0, 10**6),
    uniform=st.floats(0, 1, exclude_max=True),
)
def test_each_row_is_drawn_from_what_transformers_would_draw_from(rows, seed, uniform):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(len(rows), VOCABULARY, generator=generator) * 3
    said = [torch.randint(VOCABULARY, (5,), generator=generator).unique().tolist() for _ in rows]
    parameters = SamplingRows.of(rows, vocabulary=VOCABULARY, device=CPU)
    numbers = torch.full((len(rows),), uniform, dtype=torch.float64)
    codes = choose_codes(logits, seen_of(said), numbers, parameters)
    for row, code in enumerate(codes.tolist()):
        wanted = by_transformers(logits[row], said[row], rows[row]).double().softmax(-1)
        summed = wanted.cumsum(-1)
        assert wanted[code] > 0
        assert summed[code] >= uniform - 1e-6
        assert summed[code] - wanted[code] <= uniform + 1e-6


def test_draws_have_the_frequencies_of_the_probabilities():
    logits = torch.tensor([[0.0, 1.0, 2.0, -1.0] + [-100.0] * (VOCABULARY - 4)])
    row = Sampling(temperature=1, top_k=0, top_p=1, repetition_penalty=1)
    count = 20_000
    parameters = SamplingRows.of([row] * count, vocabulary=VOCABULARY, device=CPU)
    codes = choose_codes(
        logits.expand(count, -1),
        seen_of([[0]]).expand(count, -1),
        uniforms(3, 0, count),
        parameters,
    )
    found = torch.bincount(codes, minlength=VOCABULARY) / count
    assert torch.allclose(found, logits[0].softmax(-1), atol=0.015)


def test_greedy_rows_take_the_likeliest_among_rows_that_do_not():
    logits = torch.randn(2, VOCABULARY, generator=torch.Generator().manual_seed(0))
    rows = [Sampling(temperature=0, repetition_penalty=1), Sampling(temperature=1.5, top_k=0)]
    parameters = SamplingRows.of(rows, vocabulary=VOCABULARY, device=CPU)
    for number in (0.0, 0.5, 0.999):
        numbers = torch.full((2,), number, dtype=torch.float64)
        codes = choose_codes(logits, seen_of([[], []]), numbers, parameters)
        assert codes[0] == logits[0].argmax()


def test_the_penalty_pushes_both_signs_down():
    logits = torch.zeros(1, VOCABULARY)
    logits[0, :3] = torch.tensor([2.0, 1.5, -0.1])
    rows = SamplingRows.of([Sampling(temperature=0)], vocabulary=VOCABULARY, device=CPU)
    zero = torch.zeros(1, dtype=torch.float64)
    assert choose_codes(logits, seen_of([[]]), zero, rows).item() == 0
    assert choose_codes(logits, seen_of([[0]]), zero, rows).item() == 1
    logits[0, 3:] = -5.0
    assert choose_codes(logits, seen_of([[0, 1, 2]]), zero, rows).item() == 0
    logits[0, 0] = -0.3  # times ten: -3
    assert choose_codes(logits, seen_of([[0, 1]]), zero, rows).item() == 1


@pytest.mark.parametrize("count", [1, 7, 100])
def test_a_row_s_numbers_are_its_own(count):
    assert torch.equal(uniforms(5, 2, count), uniforms(5, 2, 200)[:count])
    assert not torch.equal(uniforms(5, 2, count), uniforms(5, 3, count))
    assert not torch.equal(uniforms(1, 0, count), uniforms(0, 1, count))
    assert ((uniforms(9, 0, 500) >= 0) & (uniforms(9, 0, 500) < 1)).all()
