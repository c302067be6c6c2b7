"""Batched decoding against the package's own ``inference_speech``, one row at a time."""

from __future__ import annotations

import weakref

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from indextts25.gpt.model_v2 import UnifiedVoice

from tts_toolkit.engines.indextts import decode, graphs
from tts_toolkit.engines.indextts.decode import Decoder, DecodeRequest
from tts_toolkit.engines.indextts.gpt import GPT, Prompt
from tts_toolkit.engines.indextts.kv_cache import KVCache
from tts_toolkit.engines.indextts.sampling import Sampling
from tts_toolkit.errors import DeviceMissingError

CODES = 40
GREEDY = Sampling(temperature=0, max_codes=CODES)


def voice(seed, *, ends_early):
    """A small model whose codes follow its text, voice and emotion."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = UnifiedVoice(
            layers=3,
            model_dim=64,
            heads=4,
            max_text_tokens=60,
            max_mel_tokens=100,
            number_text_tokens=300,
            number_mel_codes=8194,
            start_mel_token=8192,
            stop_mel_token=8193,
            emo_condition_module={
                "output_size": 16,
                "linear_units": 16,
                "attention_heads": 2,
                "num_blocks": 1,
                "input_layer": "conv2d2",
                "perceiver_mult": 2,
            },
        )
        for block in model.gpt.h:
            for linear in (block.attn.c_attn, block.attn.c_proj, block.mlp.c_fc, block.mlp.c_proj):
                linear.weight.data.mul_(6)
        for table in (model.text_embedding, model.mel_embedding, model.lang_embedding):
            table.weight.data.normal_()
        for table in (model.text_pos_embedding, model.mel_pos_embedding):
            table.emb.weight.data.normal_()
        model.spk_emb_proj.weight.data.mul_(40)
        model.mel_head.weight.data.mul_(4)
        if ends_early:
            model.mel_head.bias.data[8193] += 3.0
    return model.eval()


def prompts(count, seed=0):
    generator = torch.Generator().manual_seed(seed)
    made = []
    for number in range(count):
        length = int(torch.randint(1, 50, (1,), generator=generator))
        tokens = torch.randint(2, 300, (length,), generator=generator).tolist()
        style = torch.randn(1, 192, generator=generator)
        emotion = 10 * torch.randn(1, 64, generator=generator)
        made.append(Prompt(tuple(tokens), number % 5, style, emotion))
    return made


class Pair:
    """A model as the package runs it, and as ours does."""

    def __init__(self, *, ends_early):
        theirs = voice(0, ends_early=ends_early)
        theirs.post_init_gpt2_config()
        self.theirs = theirs
        self.gpt = GPT(voice(0, ends_early=ends_early))
        self.cache = {}

    @torch.inference_mode()
    def alone(self, prompt):
        """The package's codes for a row, up to the stop code."""
        if prompt not in self.cache:
            codes = self.theirs.inference_speech(
                torch.tensor([prompt.tokens]),
                torch.tensor([prompt.lang_id]),
                prompt.emotion,
                prompt.style,
                max_generate_length=CODES,
                do_sample=False,
                num_beams=1,
                repetition_penalty=10.0,
            )[0].tolist()
            stop = codes.index(8193) if 8193 in codes else len(codes)
            self.cache[prompt] = codes[:stop]
        return self.cache[prompt]

    def together(self, requests, slots, kind=Decoder):
        return finish(kind(self.gpt, slots=slots, most_tokens=60, most_codes=CODES), requests)


class Graphed(Decoder):
    """As on a card with graphs, but that a graph's replay is the work itself."""

    def _allocate(self, slots):
        self._captures = True
        super()._allocate(slots)


def capture_nothing(device):
    assert device.type == "cpu"
    return lambda work: work


def finish(decoder, requests, *, halve_at=None):
    """All that the decoder makes of the requests, by their keys."""
    decoder.add(requests)
    done = {}
    steps = 0
    while not decoder.idle:
        if steps == halve_at:
            decoder.halve()
        steps += 1
        for decoded in decoder.step():
            assert decoded.request.key not in done
            done[decoded.request.key] = decoded
    return done


@pytest.fixture(scope="module", params=[False, True], ids=["to the cap", "ends early"])
def pair(request):
    return Pair(ends_early=request.param)


@pytest.fixture(scope="module")
def early():
    return Pair(ends_early=True)


@pytest.fixture
def short_buckets(monkeypatch):
    """The small model's slots are shorter than a bucket; these have several."""
    monkeypatch.setattr(graphs, "_POSITIONS", 16)


@pytest.fixture(params=[Decoder, Graphed], ids=["plain", "graphs"])
def kind(request, monkeypatch, short_buckets):
    monkeypatch.setattr(decode, "CudaCapture", capture_nothing)
    return request.param


def request(key, prompt, sampling=GREEDY, seed=0, segment=0):
    return DecodeRequest(key, prompt, sampling, seed, segment)


def test_the_model_is_sensitive(pair):
    first, second, *_ = prompts(2)
    codes = pair.alone(first)
    assert codes != pair.alone(second)
    assert codes != pair.alone(Prompt(second.tokens, first.lang_id, first.style, first.emotion))
    assert codes != pair.alone(Prompt(first.tokens, first.lang_id, second.style, first.emotion))
    assert codes != pair.alone(Prompt(first.tokens, first.lang_id, first.style, second.emotion))
    assert codes != pair.alone(Prompt(first.tokens, 3, first.style, first.emotion))


@pytest.mark.parametrize("slots", [1, 2, 5, 16])
def test_greedy_codes_are_the_package_s_at_every_batch_size(pair, slots, kind):
    rows = prompts(20)
    done = pair.together([request(number, row) for number, row in enumerate(rows)], slots, kind)
    for number, row in enumerate(rows):
        assert done[number].codes.tolist() == pair.alone(row)
        assert done[number].capped == (len(pair.alone(row)) == CODES)


def test_rows_that_end_early_end_at_different_times(early):
    lengths = {len(early.alone(row)) for row in prompts(20)}
    assert len(lengths) >= 5
    assert min(lengths) < CODES // 2


@pytest.mark.parametrize("slots", [1, 3, 16])
@pytest.mark.parametrize("order", [1, -1])
def test_sampled_codes_depend_on_nothing_but_the_row(pair, slots, order):
    rows = prompts(10)
    sampling = Sampling(max_codes=CODES)
    requests = [request(i, row, sampling, seed=i // 2, segment=i % 2) for i, row in enumerate(rows)]
    alone = pair.together([requests[3]], 1)
    done = pair.together(requests[::order], slots)
    assert done[3].codes.tolist() == alone[3].codes.tolist()
    other = pair.together([request(3, rows[3], sampling, seed=9)], 1)
    assert other[3].codes.tolist() != alone[3].codes.tolist()


@settings(deadline=None, max_examples=15, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_cancel_and_restart_at_any_point_leave_the_others_as_they_are(early, kind, data):
    rows = prompts(9)
    decoder = kind(early.gpt, slots=4, most_tokens=60, most_codes=CODES)
    decoder.add(request(number, row) for number, row in enumerate(rows))
    cancelled = set()
    done = {}
    while not decoder.idle:
        what = data.draw(st.sampled_from(["step"] * 8 + ["cancel", "halve"]))
        if what == "cancel":
            key = data.draw(st.integers(0, len(rows) - 1))
            decoder.cancel(lambda one, key=key: one.key == key)
            cancelled.add(key)
        elif what == "halve":
            decoder.halve()
        else:
            for decoded in decoder.step():
                assert decoded.request.key not in done
                done[decoded.request.key] = decoded.codes.tolist()
    assert set(range(len(rows))) - cancelled <= set(done)
    for key, codes in done.items():
        assert codes == early.alone(rows[key])


def test_caps_of_rows_are_their_own(pair):
    (row,) = prompts(1)
    short = Sampling(temperature=0, max_codes=3)
    done = pair.together([request("short", row, short), request("long", row)], 2)
    assert done["short"].codes.tolist() == pair.alone(row)[:3]
    assert done["short"].capped
    assert done["long"].codes.tolist() == pair.alone(row)


def test_a_text_that_does_not_fit_is_refused(pair):
    decoder = Decoder(pair.gpt, slots=1, most_tokens=5, most_codes=CODES)
    long = Prompt(tuple(range(2, 9)), 0, torch.zeros(1, 192), torch.zeros(1, 64))
    with pytest.raises(ValueError, match="7 tokens"):
        decoder.add([request(0, long)])
    assert decoder.idle


def test_slots_that_nobody_uses_are_written_within_their_ends(pair, kind):
    # The fullest rows that there can be leave slots behind; then few rows run beside them.
    most = pair.gpt.most_codes
    full = [Prompt(tuple(range(2, 62)), 0, row.style, row.emotion) for row in prompts(4, seed=5)]
    decoder = kind(pair.gpt, slots=4, most_tokens=60, most_codes=most)
    to_the_end = Sampling(temperature=0, max_codes=most)
    finish(decoder, [request(number, row, to_the_end) for number, row in enumerate(full)])
    few = prompts(3)
    done = finish(decoder, [request(number, row) for number, row in enumerate(few)])
    for number, row in enumerate(few):
        assert done[number].codes.tolist() == pair.alone(row)


@pytest.mark.cuda
@pytest.mark.parametrize("slots", [1, 5, 16])
def test_on_a_card_graphs_change_no_code(slots, short_buckets):
    gpt = GPT(voice(0, ends_early=True).cuda())
    sampled = Sampling(max_codes=CODES)
    requests = [
        request(number, row, sampled if number % 2 else GREEDY, seed=number)
        for number, row in enumerate(prompts(24))
    ]
    size = {"slots": slots, "most_tokens": 60, "most_codes": CODES}
    plain = finish(Decoder(gpt, **size), requests)
    assert len({len(decoded.codes) for decoded in plain.values()}) >= 5
    for halve_at in (None, 7):
        graphed = finish(Decoder(gpt, **size, graphs=True), requests, halve_at=halve_at)
        for key, decoded in plain.items():
            assert graphed[key].codes.tolist() == decoded.codes.tolist()


def test_graphs_are_for_cuda(early):
    assert (
        Decoder(early.gpt, slots=1, most_tokens=60, most_codes=CODES, graphs=True)._graphs is None
    )


def test_slots_that_memory_does_not_hold_are_refused_with_their_size(early, monkeypatch):
    def refuse(*_, **__):
        raise MemoryError("Unable to allocate 8.00 GiB")

    monkeypatch.setattr(decode, "KVCache", refuse)
    needed = r"keys and values of 4 segments at once need 0\.00 GB, and .* are free on cpu: "
    with pytest.raises(DeviceMissingError, match=needed + "set a smaller --batch-size"):
        Decoder(early.gpt, slots=4, most_tokens=60, most_codes=CODES)


def test_the_old_slots_are_gone_when_the_new_ones_are_made(early, monkeypatch):
    decoder = Decoder(early.gpt, slots=4, most_tokens=60, most_codes=CODES)
    finish(decoder, [request(0, prompts(1)[0])])
    old = weakref.ref(decoder._cache)

    def make(*args, **how):
        assert old() is None
        return KVCache(*args, **how)

    monkeypatch.setattr(decode, "KVCache", make)
    assert decoder.halve() == 2


def test_a_segment_s_own_memory_is_that_of_its_positions(early):
    decoder = Decoder(early.gpt, slots=1, most_tokens=60, most_codes=CODES)
    (row,) = prompts(1)
    positions = 3 + len(row.tokens) + 3 + 10
    one = request(0, row, Sampling(max_codes=10))
    assert decoder.bytes_of(one) == 2 * 3 * 64 * 4 * positions  # 3 layers, 64 wide, float32
