"""The whole engine against ``indextts25``'s own ``infer``, on random weights in float32."""

# ruff: noqa: RUF001 - punctuation of other languages

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass, replace
from functools import lru_cache
from weakref import ref

import numpy as np
import pytest
import soundfile
import torch

from oracle import say, voiced
from tts_toolkit.config import Options
from tts_toolkit.engines.base import Failed, Finished, SegmentReady
from tts_toolkit.engines.indextts import decode, load
from tts_toolkit.engines.indextts.kv_cache import KVCache
from tts_toolkit.engines.indextts.spec import IndexTTS
from tts_toolkit.errors import DeviceMissingError, EngineError, ModelMissingError
from tts_toolkit.utterance import Emotion, Utterance

CAP = 20
LINES = (
    ("Hello there, how are you?", "low", "en"),
    ("This is another line, with more words in it than the first.", "high", "en"),
    ("你好，今天天气很好。", "low", "zh"),
    ("Hola amigo, buenos dias.", "high", "es"),
    ("صباح الخير", "low", "ar"),
    ("Good morning to you. " * 14, "low", "en"),  # several segments
    ("One.", "low", "en"),
    ("Two, three, four!", "high", "en"),
)


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module", autouse=True)
def _load_once():
    """Sessions of these tests share what they only read: weights, and what clips are made into."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(load, "load_checkpoint", lru_cache(load.load_checkpoint))
        yield


@dataclass
class Made:
    """What a session made of utterances: by id, the end; and their segments in order."""

    ends: dict[str, Finished | Failed]
    parts: dict[str, list[SegmentReady]]

    def samples(self, name):
        return self.ends[name].clip.samples


def run(session, utterances):
    waiting = list(utterances)
    count = len(waiting)
    made = Made({}, {})
    while len(made.ends) < count:
        while waiting and session.has_room():
            session.submit(waiting.pop(0))
        for event in session.step():
            if isinstance(event, SegmentReady):
                made.parts.setdefault(event.id, []).append(event)
            else:
                assert event.id not in made.ends
                made.ends[event.id] = event
    return made


@pytest.fixture
def session(tiny, cache):
    """A session over the checkpoint, greedy and as the oracle does it unless told otherwise."""

    def start(folder=tiny, **more):
        options = Options(
            **{"temperature": 0.0, "max_codes": CAP, "raw": True, "no_normalize": True} | more
        )
        spec = IndexTTS.of(options, folder, devices=("cpu",), dtype="float32")
        return load.load_session(IndexTTS(**{**vars_of(spec), "cache": cache}))

    return start


def vars_of(spec):
    return {name: getattr(spec, name) for name in spec.__dataclass_fields__}


def utterances(voices, lines=LINES, **more):
    return [
        Utterance(text, id=str(n), voice=str(voices[voice]), lang=lang, seed=n, speed=1.0, **more)
        for n, (text, voice, lang) in enumerate(lines)
    ]


@pytest.fixture(scope="module", params=["to the cap", "ends early"])
def theirs(request, voices):
    """A checkpoint, and what the oracle says of each line with it."""
    early = request.param == "ends early"
    folder = request.getfixturevalue("tiny_early" if early else "tiny")
    oracle = request.getfixturevalue("oracle_early" if early else "oracle")
    said = [
        say(oracle, text, voices[voice], seed=n, cap=CAP, lang=lang)
        for n, (text, voice, lang) in enumerate(LINES)
    ]
    return folder, said


def assert_same(ours, theirs):
    samples, codes = theirs
    if isinstance(ours, Failed):
        assert not len(samples)  # it stopped at once
        return
    peak = np.abs(samples).max()
    assert len(ours.clip.samples) == len(samples)
    # The oracle's samples are 16 bit: half a step of 1/32767 beside what the models differ by.
    assert np.abs(ours.clip.samples - samples).max() < 1e-3 * peak
    assert len(ours.segments) <= len(codes)


@pytest.mark.parametrize("batch", [1, 2, 5, 16])
def test_each_line_is_what_the_oracle_says_at_every_batch_size(theirs, session, voices, batch):
    folder, said = theirs
    made = run(session(folder, batch_size=batch), utterances(voices))
    for number, expected in enumerate(said):
        assert_same(made.ends[str(number)], expected)


def test_parts_make_up_the_clip(session, voices):
    made = run(session(batch_size=4), utterances(voices))
    for name, parts in made.parts.items():
        assert np.array_equal(np.concatenate([part.samples for part in parts]), made.samples(name))
        assert tuple(part.segment for part in parts) == made.ends[name].segments
    assert len(made.parts["5"]) > 1


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("batch", [1, 3, 8])
def test_sampled_lines_depend_on_nothing_but_themselves(session, voices, batch, order):
    wanted = run(session(temperature=0.8, batch_size=1), utterances(voices)[1:2])
    made = run(session(temperature=0.8, batch_size=batch), utterances(voices)[::order])
    ours, alone = made.samples("1"), wanted.samples("1")
    assert len(ours) == len(alone)
    assert np.abs(ours - alone).max() < 1e-3 * np.abs(alone).max()
    other = run(session(temperature=0.8, batch_size=1), [another_seed(utterances(voices)[1])])
    assert np.abs(other.samples("1") - alone).max() > 0.05 * np.abs(alone).max()


def another_seed(utterance):
    return replace(utterance, seed=utterance.seed + 1)


@pytest.mark.parametrize(
    ("emotion", "options"),
    [
        (Emotion(audio="high", weight=0.6), {"emo_audio_prompt": "high", "emo_alpha": 0.6}),
        (Emotion(vector=(0.3, 0, 0, 0.2, 0, 0, 0, 0.1), weight=0.8), {"emo_alpha": 0.8}),
    ],
    ids=["clip", "vector"],
)
def test_emotions_are_the_oracle_s(session, oracle, voices, emotion, options):
    if emotion.audio:
        emotion = Emotion(audio=str(voices["high"]), weight=emotion.weight)
        options = options | {"emo_audio_prompt": str(voices["high"])}
    else:
        options = options | {"emo_vector": list(emotion.vector)}
    (line,) = utterances(voices, LINES[:1], emotion=emotion)
    made = run(session(), [line])
    assert_same(made.ends["0"], say(oracle, LINES[0][0], voices["low"], cap=CAP, **options))
    (plain,) = utterances(voices, LINES[:1])
    difference = made.samples("0") - run(session(), [plain]).samples("0")
    assert np.abs(difference).max() > 0.05 * np.abs(made.samples("0")).max()


def test_speed_is_the_oracle_s_duration_factor_turned_round(session, oracle, voices):
    (line,) = utterances(voices, LINES[:1])
    made = run(session(), [replace(line, speed=1.25)])
    assert_same(
        made.ends["0"], say(oracle, LINES[0][0], voices["low"], cap=CAP, duration_factor=1 / 1.25)
    )
    fast = run(session(), [replace(line, speed=2.0)])
    assert "gets no faster than about 1.28" in fast.ends["0"].warnings[0]


def test_steps_and_guidance_are_the_oracle_s(session, oracle, voices):
    (line,) = utterances(voices, LINES[:1])
    options = {"diffusion_steps": 7, "inference_cfg_rate": 0.3}
    made = run(session(diffusion_steps=7, cfg_rate=0.3), [line])
    assert_same(made.ends["0"], say(oracle, LINES[0][0], voices["low"], cap=CAP, **options))


def test_what_is_wrong_with_one_line_is_that_line_s(session, voices, tmp_path):
    soundfile.write(tmp_path / "short.wav", voiced(120)[:5000], 22050)
    bad = [
        Utterance("...", id="mute", voice=str(voices["low"]), lang="en", seed=0, speed=1.0),
        Utterance(
            "Hi.", id="short", voice=str(tmp_path / "short.wav"), lang="en", seed=0, speed=1.0
        ),
        Utterance("Hi.", id="gone", voice=str(tmp_path / "gone.wav"), lang="en", seed=0, speed=1.0),
    ]
    good = utterances(voices)[:2]
    made = run(session(), [bad[0], good[0], bad[1], bad[2], good[1]])
    assert "nothing to pronounce" in str(made.ends["mute"].error)
    assert "0.23 seconds" in str(made.ends["short"].error)
    assert "gone.wav" in str(made.ends["gone"].error)
    assert isinstance(made.ends["0"], Finished)
    assert isinstance(made.ends["1"], Finished)


def test_a_cancelled_line_says_nothing_more_and_the_others_go_on(session, voices):
    one = session(batch_size=4)
    lines = utterances(voices)[:4]
    for line in lines:
        one.submit(line)
    one.step()
    one.cancel("1")
    one.cancel("nobody")
    events = [event for _ in range(200) for event in one.step()]
    ends = {event.id for event in events if not isinstance(event, SegmentReady)}
    assert ends == {"0", "2", "3"}
    assert not [event for event in events if event.id == "1"]


def test_a_segment_that_runs_into_the_cap_is_tried_again_in_smaller_ones(session, voices):
    text = "This is a long sentence, and it goes on, and on, and on, until the cap is reached."
    (line,) = utterances(voices, [(text, "low", "en")])
    capped = run(session(), [line]).ends["0"]
    assert len(capped.segments) == 1
    assert "cut off after 20 codes" in capped.warnings[0]
    one = session(raw=False)
    one._settings = type(one._settings)(
        **{**vars(one._settings), "retry_capped": True, "raw": False}
    )
    again = run(one, [line]).ends["0"]
    assert len(again.segments) > 1
    assert " ".join(part.text for part in again.segments) == capped.text_spoken


def test_out_of_memory_halves_the_batch_and_loses_no_line(session, voices, monkeypatch):
    expected = run(session(batch_size=1), utterances(voices)[:4])
    one = session(batch_size=4)
    step, render = one._decoder.step, one._acoustic.render
    failures = {"decode": 2, "flow": 2}

    def tight_step():
        if failures["decode"] and one._decoder.active > 1:
            failures["decode"] -= 1
            raise torch.OutOfMemoryError("no memory")
        return step()

    def tight_render(rows, **how):
        if failures["flow"] and len(rows) > 1:
            failures["flow"] -= 1
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried")
        return render(rows, **how)

    monkeypatch.setattr(one._decoder, "step", tight_step)
    monkeypatch.setattr(one._acoustic, "render", tight_render)
    made = run(one, utterances(voices)[:4])
    for name in expected.ends:
        difference = made.samples(name) - expected.samples(name)
        assert np.abs(difference).max() < 1e-3 * np.abs(expected.samples(name)).max()
    assert one._decoder.slots < 4
    assert failures == {"decode": 0, "flow": 0}


class Failing:
    """Work that has no memory at first, and asserts that nothing is left of it the next time."""

    def __init__(self, work, failures):
        self.work = work
        self.failures = failures
        self.held = []

    def __call__(self, *args, **how):
        self.assert_gone()
        made = Made({}, {})  # on its way, and alive for as long as the error's frames are
        if self.failures:
            self.failures -= 1
            self.held.append(ref(made))
            raise MemoryError
        return self.work(*args, **how)

    def assert_gone(self):
        assert not [old for old in self.held if old()]


def test_what_a_failed_step_held_is_gone_before_more_is_asked_for(session, voices, monkeypatch):
    one = session(batch_size=4)
    step = Failing(one._decoder._gpt.step, 1)
    render = Failing(one._acoustic.render, 2)
    monkeypatch.setattr(one._decoder._gpt, "step", step)
    monkeypatch.setattr(one._acoustic, "render", render)
    cache = ref(one._decoder._cache)

    def make(*args, **how):
        step.assert_gone()
        assert cache() is None
        return KVCache(*args, **how)

    monkeypatch.setattr(decode, "KVCache", make)
    made = run(one, utterances(voices)[:4])
    assert one._decoder.slots == 2
    assert not render.failures
    assert all(isinstance(end, Finished) for end in made.ends.values())


@pytest.mark.parametrize("stage", ["prefill", "step"])
def test_a_segment_that_does_not_fit_alone_fails_and_the_others_are_said(
    session, voices, monkeypatch, stage
):
    one = session(batch_size=4)
    lines = utterances(voices)
    doomed = 5  # of several segments
    gpt = one._decoder._gpt
    work = getattr(gpt, stage)

    def tight(*args, **how):
        if str(doomed) in {request.key[0].utterance.id for request in one._decoder.decoding}:
            raise torch.OutOfMemoryError("CUDA out of memory.\nSee the documentation.")
        return work(*args, **how)

    monkeypatch.setattr(gpt, stage, tight)
    made = run(one, lines)
    assert one._decoder.slots == 1
    error = made.ends.pop(str(doomed)).error
    assert isinstance(error, EngineError)
    assert re.fullmatch(
        r"out of memory decoding \d+ text tokens, whose keys and values need 0\.0\d GB beside the "
        r"weights; try a smaller --segment-tokens, a smaller --max-codes, another --dtype "
        r"\(CUDA out of memory\.\)",
        str(error),
    )
    assert all(isinstance(end, Finished) for end in made.ends.values())
    assert one.has_room()


@pytest.mark.parametrize("error", [MemoryError("none left"), ModelMissingError("it can't be read")])
def test_a_voice_that_does_not_fit_fails_its_lines(session, voices, monkeypatch, error):
    one = session(batch_size=2)
    of = one._voices.of
    if isinstance(error, ModelMissingError):
        error.__cause__ = MemoryError("none left")

    def tight(utterance):
        if utterance.voice == str(voices["high"]):
            raise error
        return of(utterance)

    monkeypatch.setattr(one._voices, "of", tight)
    made = run(one, utterances(voices)[:2])
    assert isinstance(made.ends["0"], Finished)
    assert f"out of memory conditioning the voice {voices['high']}" in str(made.ends["1"].error)
    assert "try a shorter clip" in str(made.ends["1"].error)


def test_features_that_do_not_fit_fail_their_line(session, voices, monkeypatch):
    one = session(batch_size=2)
    prepare = one._acoustic.prepare

    def tight(row):
        doomed = one._works.get("5")
        if doomed and row.noise is doomed.noise:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried")
        return prepare(row)

    monkeypatch.setattr(one._acoustic, "prepare", tight)
    made = run(one, [utterances(voices)[n] for n in (0, 5, 1)])
    assert "out of memory making features of 20 codes" in str(made.ends["5"].error)
    assert isinstance(made.ends["0"], Finished)
    assert isinstance(made.ends["1"], Finished)


def test_a_row_that_fails_alone_is_reported_with_what_it_needs(session, voices, monkeypatch):
    one = session(batch_size=2)
    monkeypatch.setattr(
        one._acoustic, "render", lambda *_, **__: (_ for _ in ()).throw(MemoryError("none left"))
    )
    made = run(one, utterances(voices)[:2])
    for end in made.ends.values():
        assert re.fullmatch(
            r"out of memory making sound of a segment of \d+ mel frames, which needs about "
            r"0\.\d\d GB beside the weights; try a smaller --segment-tokens, a smaller "
            r"--batch-size \(none left\)",
            str(end.error),
        )


@pytest.mark.parametrize("stage", ["voice", "decode", "features", "flow"])
def test_what_is_not_for_want_of_memory_is_raised(session, voices, monkeypatch, stage):
    one = session(batch_size=1)
    where, name = {
        "voice": (one._voices, "of"),
        "decode": (one._decoder, "step"),
        "features": (one._acoustic, "prepare"),
        "flow": (one._acoustic, "render"),
    }[stage]

    def broken(*_, **__):
        raise RuntimeError("shapes do not match")

    monkeypatch.setattr(where, name, broken)
    with pytest.raises(RuntimeError, match="shapes do not match"):
        run(one, utterances(voices)[:1])


def test_how_much_goes_on_at_once_follows_what_is_free(session, monkeypatch):
    free = {"now": 10**12}
    monkeypatch.setattr(load, "free_memory", lambda _: free["now"])
    roomy = session()
    assert roomy._decoder.slots == 32
    assert roomy._flow_rows == 4
    free["now"] = 10**6
    tight = session()
    assert tight._decoder.slots == 1
    assert tight._flow_rows == 1
    assert session(batch_size=3)._decoder.slots == 3


def test_slots_that_do_not_fit_are_refused_with_what_to_do(session, monkeypatch):
    def refuse(*_, **__):
        raise MemoryError("Unable to allocate 93.8 GiB for an array")

    monkeypatch.setattr(decode, "KVCache", refuse)
    with pytest.raises(DeviceMissingError) as caught:
        session(batch_size=4096)
    assert "keys and values of 4096 segments at once need" in str(caught.value)
    assert "set a smaller --batch-size" in str(caught.value)
    assert "(Unable to allocate 93.8 GiB for an array)" in str(caught.value)


def test_weights_that_do_not_fit_are_refused_with_what_to_do(session, monkeypatch):
    def refuse(*_, **__):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.\nMore.")

    monkeypatch.setattr(load, "load_checkpoint", refuse)
    with pytest.raises(DeviceMissingError) as caught:
        session()
    assert re.fullmatch(
        r"the weights of indextts-2\.5 in float32 and room to work need 7\.50 GB, and \d+\.\d\d GB "
        r"are free on cpu: .*another --dtype or --device "
        r"\(CUDA out of memory\. Tried to allocate 20\.00 MiB\.\)",
        str(caught.value),
    )


def test_without_raw_segments_are_joined_without_clicks(session, voices):
    made = run(session(raw=False), utterances(voices)[5:6])
    clip = made.ends["5"].clip.samples
    assert abs(clip[0]) < 1e-4
    assert abs(clip[-1]) < 1e-4
    for before, after in zip(made.ends["5"].segments, made.ends["5"].segments[1:], strict=False):
        end, start = round(before.end * 22050), round(after.start * 22050)
        assert end <= start
        assert abs(clip[end - 1]) < 1e-4
        assert abs(clip[start]) < 1e-4


def test_the_command_line_runs_it_and_resumes(cli, script, tiny_early, voices, tmp_path):
    path = script("Hello there.\nHow are you today?\nGood bye.\n")
    command = (
        *("synth", path, "-o", "out", "--model-dir", tiny_early, "--voice", voices["low"]),
        *("--max-codes", "30", "--no-normalize", "--temperature", "0", "--raw"),
    )
    home = {"TTS_TOOLKIT_HOME": str(tmp_path / "home")}
    done = cli(*command, env=home)
    assert "indextts-2.5: " in done.stderr
    manifest = tmp_path / "out" / "manifest.jsonl"
    rows = [json.loads(line) for line in manifest.read_text("utf-8").splitlines()]
    assert {row["engine"] for row in rows} == {"indextts-2.5"}
    good = [row for row in rows if row["status"] == "ok"]
    assert good
    for row in good:
        samples, rate = soundfile.read(tmp_path / "out" / row["file"])
        assert rate == 22050
        assert len(samples) / rate == pytest.approx(row["duration_s"], abs=1e-4)
    again = cli(*command, "--dry-run", env=home)
    assert f"{len(good)} kept" in again.stdout
    other = cli(*command, "--top-k", "5", "--dry-run", env=home)
    assert "3 to make" in other.stdout


def test_it_runs_in_processes_of_its_own_each_on_its_device(tiny, voices, cache):
    from tts_toolkit.engines.pool import Pool

    options = Options(temperature=0.0, max_codes=8, raw=True, no_normalize=True, model_dir=tiny)
    spec = IndexTTS.of(options, tiny, devices=("cpu", "cpu"), dtype="float32")
    assert spec.workers("auto", 10) == 2
    assert IndexTTS.from_json(spec.address(1).partition("?")[2]).devices == ("cpu",)
    pool = Pool(spec, 2)
    try:
        made = run(pool, utterances(voices)[:3])
    finally:
        pool.close()
    assert all(isinstance(end, Finished) for end in made.ends.values())


def test_what_the_engine_is_needs_no_torch(tiny):
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from tts_toolkit.config import Options\n"
        "from tts_toolkit.engines.choose import choose\n"
        f"choice = choose(Options(model_dir=Path({str(tiny)!r}), device='cpu'))\n"
        "assert choice.spec.info.sampling_rate == 22050\n"
        "assert not choice.spec.unspeakable('Hello.')\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, env=os.environ)
