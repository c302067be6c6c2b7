import itertools

import numpy as np
import pytest
import soundfile

import tts_toolkit as tts
from tts_toolkit.engines.builtin import BUILTIN


@pytest.fixture(scope="module")
def synth():
    with tts.load(model="builtin") as synth:
        yield synth


@pytest.fixture
def fake(fake_engine):
    with tts.load(model="indextts-2.5") as synth:
        yield synth


def test_a_line_is_a_clip(synth):
    clip = synth.say("Hello there.")
    assert clip.samples.dtype == np.float32
    assert clip.samples.ndim == 1
    assert clip.sampling_rate == 24_000
    assert clip.duration == len(clip.samples) / 24_000
    assert 0.1 < clip.peak <= 1
    assert synth.info == BUILTIN.info
    assert "builtin" in synth.reason


def test_the_same_line_and_seed_is_the_same_clip(synth):
    first = synth.say("Hello there.", seed=5)
    assert np.array_equal(first.samples, synth.say("Hello there.", seed=5).samples)
    assert not np.array_equal(first.samples, synth.say("Hello there.", seed=6).samples)


@pytest.mark.parametrize(
    ("text", "fields", "error"),
    [
        ("你好", {}, tts.UnspeakableError),
        ("...", {}, tts.UnspeakableError),
        ("Hi.", {"voice": "hart"}, tts.OptionError),
        ("Hi.", {"speed": 9.0}, tts.OptionError),
        ("Hi.", {"emotion": tts.Emotion(text="calm")}, tts.OptionError),
        ("Hi.", {"voice": "emma"}, tts.VoiceMissingError),
    ],
)
def test_what_can_not_be_said_is_an_error_and_the_next_line_is_fine(synth, text, fields, error):
    with pytest.raises(error):
        synth.say(text, **fields)
    assert synth.say("Fine.").duration > 0.2


def test_many_lines_come_in_order_with_failures_in_their_place(synth):
    lines = ["One.", "二", {"text": "Three.", "speed": 1.5, "id": "three"}, tts.Utterance("Four.")]
    outcomes = list(synth.synthesize(lines))
    assert [outcome.ok for outcome in outcomes] == [True, False, True, True]
    assert outcomes[0].utterance.text == "One."
    assert outcomes[2].utterance.id == "three"
    assert outcomes[2].utterance.speed == 1.5
    assert outcomes[0].text_spoken == "One."
    assert outcomes[0].segments[-1].end == pytest.approx(outcomes[0].clip.duration)
    with pytest.raises(tts.UnspeakableError, match="Han"):
        _ = outcomes[1].clip


def test_order_is_kept_over_an_engine_that_has_none(fake):
    texts = [f"line {number}" for number in range(50)]
    texts[7] = "boom"
    outcomes = list(fake.synthesize(texts))
    assert [outcome.utterance.text for outcome in outcomes] == texts
    unordered = [o.utterance.text for o in fake.synthesize(texts, ordered=False)]
    assert sorted(unordered) == sorted(texts)
    assert unordered != texts


def test_lines_are_taken_no_further_ahead_than_the_window(fake):
    taken = []

    def endless():
        for number in itertools.count():
            taken.append(number)
            yield f"line {number}"

    outcomes = fake.synthesize(endless(), window=10)
    for done, outcome in enumerate(itertools.islice(outcomes, 30)):
        assert outcome.ok
        assert len(taken) <= done + 11
    outcomes.close()


def test_endless_lines_that_fail_come_out_too(fake):
    outcomes = fake.synthesize(itertools.repeat("..."))
    assert not any(outcome.ok for outcome in itertools.islice(outcomes, 200))
    outcomes.close()


def test_leaving_early_leaves_nothing_behind(fake):
    outcomes = fake.synthesize(f"line {number}" for number in range(40))
    next(outcomes)
    outcomes.close()
    assert [o.utterance.text for o in fake.synthesize(["after"])] == ["after"]


def test_stream_gives_the_pieces_of_say(synth):
    text = "One is here. Two is there! Three?"
    pieces = list(synth.stream(text, seed=3))
    assert len(pieces) == 3
    whole = np.concatenate([piece.samples for piece in pieces])
    assert np.array_equal(whole, synth.say(text, seed=3).samples)
    with pytest.raises(tts.UnspeakableError):
        list(synth.stream("..."))


def test_a_rate_that_was_asked_for_is_what_comes():
    with tts.load(sampling_rate=16_000) as synth:
        clip = synth.say("Hello there.")
    assert clip.sampling_rate == 16_000
    with tts.load() as synth:
        assert clip.duration == pytest.approx(synth.say("Hello there.").duration, abs=0.001)


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg", ".opus", ".mp3"])
def test_a_clip_saves_itself_and_says_what_it_is(synth, tmp_path, suffix):
    clip = synth.say("Hello there.")
    path = clip.save(tmp_path / f"hello{suffix}")
    with soundfile.SoundFile(path) as file:
        assert file.samplerate == 24_000
        assert file.channels == 1
        assert file.frames == pytest.approx(len(clip.samples), abs=2400)
        assert file.comment == "AI-generated speech"
        assert "builtin" in file.artist
    assert sorted(tmp_path.iterdir()) == [path]


def test_a_clip_that_can_not_be_saved_says_why(synth, tmp_path):
    clip = synth.say("Hello.")
    with pytest.raises(tts.OptionError, match=r"suffix has to be one of \.wav"):
        clip.save(tmp_path / "hello.mp4")
    with pytest.raises(tts.OptionError, match="PCM_16, PCM_24"):
        clip.save(tmp_path / "hello.flac", subtype="FLOAT")
    with pytest.raises(tts.StorageError, match=r"nowhere.hello\.wav"):
        clip.save(tmp_path / "nowhere/hello.wav")


def test_a_notebook_shows_a_player(synth):
    html = synth.say("Hi.")._repr_html_()
    assert html.startswith('<audio controls src="data:audio/wav;base64,UklGR')


@pytest.mark.parametrize(
    ("fields", "part"),
    [
        ({"lagn": "en"}, "unknown field 'lagn'. Did you mean \"lang\"?"),
        ({"seed": -1}, "seed: -1 is not between 0"),
        ({"speed": "fast"}, "speed: 'fast' is not a number"),
    ],
)
def test_a_field_that_is_wrong_is_named(synth, fields, part):
    for call in (
        synth.say,
        synth.stream,
        lambda text, **more: synth.synthesize([{"text": text, **more}]),
    ):
        with pytest.raises(tts.OptionError) as caught:
            list(call("Hi.", **fields))
        assert part in str(caught.value)


def test_a_text_that_is_none_is_named(synth):
    with pytest.raises(tts.OptionError, match="text: 5 is not a string"):
        synth.say(5)


def test_options_come_from_the_environment_too(monkeypatch):
    monkeypatch.setenv("TTS_TOOLKIT_SPEED", "2")
    with tts.load() as fast, tts.load(speed=1.0) as plain:
        text = "This is a line of some length."
        assert fast.say(text).duration < 0.7 * plain.say(text).duration


def test_unknown_options_are_named_with_the_nearest():
    with pytest.raises(tts.OptionError, match='Did you mean "speed"'):
        tts.load(sped=2)
