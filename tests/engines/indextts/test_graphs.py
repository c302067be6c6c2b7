"""Graphs of the decoding step: which there are, and what runs in them."""

from __future__ import annotations

from types import SimpleNamespace

import torch
from hypothesis import given
from hypothesis import strategies as st

from tts_toolkit.engines.indextts.graphs import StepGraphs, bucket_positions, bucket_rows
from tts_toolkit.engines.indextts.kv_cache import CacheShape, KVCache


@given(data=st.data(), slots=st.integers(1, 300))
def test_a_bucket_holds_its_rows_and_is_within_the_slots(data, slots):
    running = data.draw(st.integers(1, slots))
    rows = bucket_rows(running, slots)
    assert running <= rows <= slots
    assert rows == slots or (rows < 2 * running and rows.bit_count() == 1)
    assert bucket_rows(rows, slots) == rows


@given(data=st.data(), capacity=st.integers(1, 3000))
def test_a_bucket_holds_its_positions_and_is_within_the_slot(data, capacity):
    positions = data.draw(st.integers(1, capacity))
    upto = bucket_positions(positions, capacity)
    assert positions <= upto <= capacity
    assert upto == capacity or (upto % 128 == 0 and upto - positions < 128)
    assert bucket_positions(upto, capacity) == upto


def test_there_are_few_graphs():
    assert {bucket_rows(n, 12) for n in range(1, 13)} == {1, 2, 4, 8, 12}
    assert {bucket_rows(n, 1) for n in range(1, 2)} == {1}
    assert {bucket_positions(n, 300) for n in range(1, 301)} == {128, 256, 300}


class Model:
    """Says for each row what it was given: the first logit is its code, the second its length."""

    vocabulary = 2

    def __init__(self):
        self.steps = []

    def step(self, codes, said, lens, cache, *, longest):
        self.steps.append((len(codes), longest + 1))
        assert len(codes) == len(said) == len(lens) <= cache.slots
        return torch.stack([codes, lens], 1).float()


def make(slots=6, capacity=200):
    model = Model()
    cache = KVCache(
        CacheShape(1, 1, 1, capacity), slots, dtype=torch.float32, device=torch.device("cpu")
    )
    state = SimpleNamespace(
        codes=torch.arange(slots), said=torch.zeros(slots).long(), lens=torch.arange(slots) + 10
    )
    captured = []

    def capture(work):
        # As a card does it: once to warm up, once to record, and what is recorded is replayed.
        work()
        captured.append(model.steps[-1])
        return work

    graphs = StepGraphs(model, cache, state.codes, state.said, state.lens, capture=capture)
    return graphs, state, captured


def test_a_pair_of_buckets_is_captured_once_and_replayed():
    graphs, _, captured = make()
    for running, longest in [(1, 10), (3, 20), (4, 127), (4, 128), (5, 128), (6, 199), (3, 5)]:
        assert graphs(running, longest).shape == (running, 2)
    assert captured == [(1, 128), (4, 128), (4, 200), (6, 200)]


def test_a_replay_takes_what_the_tensors_hold_then():
    graphs, state, _ = make()
    assert graphs(3, 12).tolist() == [[0, 10], [1, 11], [2, 12]]
    state.codes[:3] = torch.tensor([7, 8, 9])
    state.lens[:3] += 1
    assert graphs(3, 13).tolist() == [[7, 11], [8, 12], [9, 13]]
