import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from fake_engine import FAKE, clip_of
from tts_toolkit.engines.base import Failed, Finished
from tts_toolkit.engines.builtin import BUILTIN
from tts_toolkit.engines.drive import drive
from tts_toolkit.engines.pool import Pool
from tts_toolkit.errors import ModelMissingError
from tts_toolkit.utterance import Utterance


def utterance(text, number):
    return Utterance(text, id=str(number), voice="tone", lang="en", seed=number, speed=1.0)


@pytest.fixture
def pool():
    pool = Pool(FAKE, 2)
    yield pool
    pool.close()


def finished(events):
    return {event.id: event for event in events if isinstance(event, Finished | Failed)}


def test_says_what_one_process_says(pool):
    lines = [utterance(f"line {number}", number) for number in range(40)]
    events = finished(drive(pool, lines))
    assert len(events) == 40
    for line in lines:
        assert np.array_equal(events[line.id].clip.samples, clip_of(line).samples)
        assert events[line.id].text_spoken == line.text.upper()


def test_the_embedded_voice_is_the_same_in_a_child():
    line = Utterance("Over the bridge.", id="1", voice="heart", lang="en", seed=3, speed=1.2)
    pool = Pool(BUILTIN, 2)
    try:
        there = finished(drive(pool, [line]))["1"]
    finally:
        pool.close()
    here = finished(drive(BUILTIN.load(), [line]))["1"]
    assert np.array_equal(there.clip.samples, here.clip.samples)


def test_one_failure_is_one_failure(pool):
    lines = [utterance("boom" if number == 3 else "fine", number) for number in range(8)]
    events = finished(drive(pool, lines))
    assert [id_ for id_, event in events.items() if isinstance(event, Failed)] == ["3"]
    assert str(events["3"].error) == "the tone broke"


@pytest.mark.parametrize(("text", "code"), [("crash", 7), ("fall", 1)])
def test_a_line_that_kills_its_process_fails_alone(pool, text, code):
    lines = [utterance(text if number == 5 else "fine", number) for number in range(30)]
    events = finished(drive(pool, lines))
    assert len(events) == 30
    assert [id_ for id_, event in events.items() if isinstance(event, Failed)] == ["5"]
    assert f"kills the process that says it (exit code {code})" in str(events["5"].error)


def test_a_killed_child_loses_nothing(pool):
    lines = [utterance(f"line {number}", number) for number in range(60)]
    seen = {}
    for event in drive(pool, lines):
        if isinstance(event, Finished | Failed):
            seen[event.id] = event
            if len(seen) == 10:
                psutil.Process().children()[0].kill()
    assert len(seen) == 60
    assert all(isinstance(event, Finished) for event in seen.values())


def test_a_cancelled_line_says_nothing_and_the_others_go_on(pool):
    for number in range(4):
        pool.submit(utterance("fine", number))
    assert not pool.has_room()
    pool.cancel("2")
    events = {}
    deadline = time.monotonic() + 30
    while len(events) < 3 and time.monotonic() < deadline:
        events |= finished(pool.step())
    for _ in range(5):
        events |= finished(pool.step())
    assert sorted(events) == ["0", "1", "3"]
    assert pool.has_room()


def test_closing_ends_the_children():
    before = set(psutil.Process().children())
    pool = Pool(FAKE, 2)
    children = set(psutil.Process().children()) - before
    assert len(children) == 2
    pool.close()
    assert not any(child.is_running() for child in children)


def test_an_engine_that_can_not_start_is_said_once():
    class Broken:
        info = FAKE.info

        def address(self, _worker):
            return "fake_engine:NOTHING"

    pool = Pool(Broken(), 2)
    with pytest.raises(ModelMissingError, match="does not start in a process of its own"):
        list(drive(pool, [utterance("hi", 1)]))


PARENT = """
import sys, time
sys.path.insert(0, sys.argv[1])
from fake_engine import FAKE
from tts_toolkit.engines.pool import Pool
pool = Pool(FAKE, 2)
while not all(child.ready for child in pool._children):
    pool.step()
print("ready", flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_children_die_with_their_parent(how):
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(Path(__file__).parents[1])],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout.readline() == "ready\n"
    children = psutil.Process(parent.pid).children()
    assert len(children) == 2
    parent.send_signal(how)
    parent.wait()
    parent.stdout.close()
    gone, alive = psutil.wait_procs(children, timeout=5)
    assert len(gone) == 2, alive
