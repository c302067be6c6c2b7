import numpy as np
import pytest
from hibari import Hibari

import tts_toolkit
from tts_toolkit.engines.base import Failed, Finished, SegmentReady
from tts_toolkit.engines.builtin import BUILTIN
from tts_toolkit.errors import VoiceMissingError
from tts_toolkit.utterance import Emotion, Utterance

TEXTS = [
    "Hello there.",
    "Dr. Rivera asked for 3 cups of tea. He got 4! Why?",
    "On the 3rd of March, 1,250 people paid $9.99 each.",
    "42",
    "A naïve café owner measured 5 µm of π.",
    " ".join(["A long run without any stop, and then some more,"] * 30),
]


@pytest.fixture(scope="module")
def hibari():
    return Hibari()


@pytest.fixture
def session():
    session = BUILTIN.load()
    yield session
    session.close()


def said(session, **fields):
    session.submit(Utterance(id="x", **{"seed": 0, "speed": 1.0, "lang": "en", **fields}))
    events = []
    while not session.has_room():
        events += session.step()
    return events


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize(("seed", "speed"), [(0, 1.0), (7, 1.6), (7, 0.5)])
def test_equals_hibari_sample_for_sample(hibari, session, text, seed, speed):
    *_, finished = said(session, text=text, seed=seed, speed=speed)
    assert np.array_equal(finished.clip.samples, hibari(text, speed, seed).clip(-1, 1))
    assert finished.clip.samples.dtype == np.float32
    assert finished.clip.sampling_rate == 24_000


def test_another_seed_text_or_speed_is_other_audio(session):
    clips = [
        said(session, text="Hello there.")[-1].clip.samples,
        said(session, text="Hello there.", seed=1)[-1].clip.samples,
        said(session, text="Hello again.")[-1].clip.samples,
        said(session, text="Hello there.", speed=1.5)[-1].clip.samples,
    ]
    assert len({clip.tobytes() for clip in clips}) == len(clips)
    assert len(clips[3]) < 0.8 * len(clips[0])


def test_a_sentence_at_a_time_and_the_pieces_are_the_whole(session):
    *segments, finished = said(session, text="One here. Two there! And three?")
    assert [type(event) for event in segments] == [SegmentReady] * 3
    assert isinstance(finished, Finished)
    assert np.array_equal(
        np.concatenate([event.samples for event in segments]), finished.clip.samples
    )
    assert [one.text for one in finished.segments] == ["One here.", "Two there!", "And three?"]
    assert finished.segments[0].start == 0
    assert finished.segments[-1].end == pytest.approx(finished.clip.duration)
    for before, after in zip(finished.segments, finished.segments[1:], strict=False):
        assert before.end == after.start


def test_tells_how_numbers_were_read(session):
    *_, finished = said(session, text="It is 7:45. Dr. Ray owes 5 km.")
    assert finished.text_spoken == "It is seven forty-five. Dr Ray owes 5 kilometers."


def test_a_step_says_one_sentence_of_one_utterance(session):
    session.submit(Utterance("One. Two.", id="x", seed=0, speed=1.0))
    assert not session.has_room()
    assert len(session.step()) == 1
    assert not session.has_room()
    assert len(session.step()) == 2
    assert session.has_room()
    assert session.step() == []


def test_a_cancelled_utterance_says_no_more(session):
    session.submit(Utterance("One. Two.", id="x", seed=0, speed=1.0))
    session.step()
    session.cancel("y")
    assert not session.has_room()
    session.cancel("x")
    assert session.has_room()
    assert session.step() == []


def test_what_has_no_sound_fails_alone(session):
    [failed] = said(session, text="😀")
    assert isinstance(failed, Failed)
    assert "nothing to pronounce" in str(failed.error)
    assert isinstance(said(session, text="Still here.")[-1], Finished)


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("你好", "Han"),
        ("Hello 世界, again", "Han"),
        ("こんにちは", "kana"),
        ("カタカナ", "kana"),
        ("안녕하세요", "Hangul"),
        ("مرحبا", "Arabic"),
        ("Привет", "Cyrillic"),
        ("Καλημέρα", "Greek"),
        ("שלום", "Hebrew"),
        ("नमस्ते", "Devanagari"),
    ],
)
def test_foreign_writing_is_refused_before_it_is_asked(text, script):
    assert f"can't read {script} script" in BUILTIN.unspeakable(text)


@pytest.mark.parametrize("text", ["...", "—", "😀", "?!", "( )", "“”"])
def test_nothing_to_pronounce(text):
    assert "nothing to pronounce" in BUILTIN.unspeakable(text)


FULLWIDTH = "\uff28\uff49"


@pytest.mark.parametrize("text", [*TEXTS, "5%", "A & B", "Zürich", FULLWIDTH, "Ω"])
def test_what_english_has_is_spoken(text):
    assert BUILTIN.unspeakable(text) == ""


@pytest.mark.parametrize(
    ("fields", "part"),
    [
        ({"emotion": Emotion(text="calm")}, "no emotions"),
        ({"lang": "zh"}, "English only"),
        ({"voice": "hart"}, 'Did you mean "heart"?'),
        ({"voice": "me.wav"}, "can't clone"),
        ({"speed": 2.5}, "0.5 to 2"),
    ],
)
def test_fields_that_it_can_not_honour_are_refused(fields, part):
    assert part in BUILTIN.refuse(Utterance("Hello.", **fields))


@pytest.mark.parametrize("fields", [{}, {"lang": "auto"}, {"lang": "en"}, {"voice": "emma"}])
def test_fields_that_it_honours_are_not(fields):
    assert BUILTIN.refuse(Utterance("Hello.", **fields)) == ""


def test_a_voice_that_is_not_here_names_the_command_that_gets_it():
    with pytest.raises(VoiceMissingError, match="tts-toolkit voices download emma"):
        BUILTIN.voice_sha256("emma")
    assert len(BUILTIN.voice_sha256("heart")) == 64


def test_auto_starts_what_work_and_machine_bear(monkeypatch):
    monkeypatch.setattr("tts_toolkit.engines.builtin.usable_cpus", lambda: 4)
    counts = [BUILTIN.workers("auto", n) for n in (0, 1, 63, 64, 100, 1000)]
    assert counts == [1, 1, 1, 2, 3, 4]
    monkeypatch.setattr("tts_toolkit.engines.builtin.usable_cpus", lambda: 64)
    assert BUILTIN.workers("auto", 10**6) == 8
    assert BUILTIN.workers(3, 1) == 3


@pytest.mark.parametrize("text", ["At ¹:30 sharp.", f"The key is {'9' * 40}."])
def test_what_its_reader_trips_over_fails_that_line_only(text):
    with tts_toolkit.load(model="builtin") as synth:
        bad, good = synth.synthesize([text, "A good line."])
    assert good.ok
    assert f"can't read {text!r}" in str(bad.error)


def test_a_long_text_is_not_repeated_in_its_error():
    with tts_toolkit.load(model="builtin") as synth:
        (bad,) = synth.synthesize([f"The key is {'9' * 4000}."])
    assert "write it otherwise" in str(bad.error)
    assert len(str(bad.error)) < 200
