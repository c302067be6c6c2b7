from hypothesis import given
from hypothesis import strategies as st

from fake_engine import CAPACITY, FAKE
from tts_toolkit.engines.base import Failed, Finished
from tts_toolkit.engines.drive import drive
from tts_toolkit.errors import UnspeakableError
from tts_toolkit.utterance import Utterance


def utterances(count, bad=()):
    for number in range(count):
        text = "boom" if number in bad else "hi"
        yield Utterance(text, id=str(number), voice="tone", seed=0, speed=1.0)


@given(count=st.integers(0, 40), bad=st.sets(st.integers(0, 40)))
def test_every_utterance_comes_out_once(count, bad):
    events = [
        event
        for event in drive(FAKE.load(), utterances(count, bad))
        if isinstance(event, Finished | Failed)
    ]
    assert sorted(int(event.id) for event in events) == list(range(count))
    assert {int(event.id) for event in events if isinstance(event, Failed)} == {
        number for number in bad if number < count
    }


@given(count=st.integers(1, 40), stop=st.integers(1, 40))
def test_once_stopped_only_what_is_in_flight_is_finished(count, stop):
    done = []
    taken = []

    def feed():
        for one in utterances(count):
            taken.append(one.id)
            yield one

    for event in drive(FAKE.load(), feed(), stopped=lambda: len(done) >= stop):
        if isinstance(event, Finished):
            done.append(event.id)  # noqa: PERF401 - drive asks while it runs
    assert sorted(done) == sorted(taken)
    assert len(taken) <= min(count, stop + CAPACITY)


def test_nothing_is_taken_before_there_is_room():
    taken = []

    def feed():
        for one in utterances(20):
            taken.append(one.id)
            yield one

    done = 0
    for event in drive(FAKE.load(), feed()):
        done += isinstance(event, Finished)
        assert len(taken) <= done + CAPACITY


def test_what_was_judged_already_is_handed_out_in_its_turn():
    refused = Failed("r", UnspeakableError("no"))
    events = list(drive(FAKE.load(), [refused, *utterances(1)]))
    assert events[0] is refused
    assert isinstance(events[-1], Finished)
