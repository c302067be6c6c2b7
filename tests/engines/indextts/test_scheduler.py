from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tts_toolkit.engines.indextts.scheduler import Scheduler


class Slots(RuleBasedStateMachine):
    """Segments come, take slots, leave and are cancelled in any order."""

    def __init__(self):
        super().__init__()
        self.scheduler = Scheduler(4)
        self.limit = 4
        self.held = {}
        self.queue = []
        self.gone = set()
        self.next = 0

    @rule(count=st.integers(1, 6))
    def add(self, count):
        new = list(range(self.next, self.next + count))
        self.next += count
        self.queue += new
        self.scheduler.add(new)

    @rule()
    def admit(self):
        for slot, item in self.scheduler.admit():
            assert slot not in self.held
            assert item == self.queue.pop(0)  # in order
            self.held[slot] = item

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def leave(self, data):
        slot = data.draw(st.sampled_from(sorted(self.held)))
        leaving = self.scheduler.leave(slot)
        self.gone.add(self.held.pop(slot))
        if leaving.moved_from is not None:
            self.held[slot] = self.held.pop(leaving.moved_from)

    @rule(odd=st.booleans())
    def cancel(self, odd):
        self.scheduler.drop_waiting(lambda item: item % 2 == odd)
        self.gone |= {item for item in self.queue if item % 2 == odd}
        self.queue = [item for item in self.queue if item % 2 != odd]

    @rule(slots=st.integers(0, 5))
    def restart(self, slots):
        self.scheduler.restart(slots)
        self.limit = max(1, slots)
        self.queue = [*(self.held[slot] for slot in sorted(self.held)), *self.queue]
        self.held = {}

    @invariant()
    def no_slot_is_lost_or_used_twice(self):
        active = self.scheduler.active
        assert dict(enumerate(active)) == self.held
        assert len(active) <= self.limit
        assert self.scheduler.waiting == len(self.queue)
        assert self.scheduler.free == self.limit - len(active)
        everywhere = [*active, *self.queue, *self.gone]
        assert sorted(everywhere) == list(range(self.next))


TestSlots = Slots.TestCase


@given(lengths=st.lists(st.integers(1, 20), min_size=1, max_size=30), slots=st.integers(1, 8))
def test_a_slot_never_waits_while_a_segment_does(lengths, slots):
    """Continuous batching: it takes no more steps than the best of lists can promise."""
    scheduler = Scheduler(slots)
    scheduler.add(range(len(lengths)))
    left = dict(enumerate(lengths))
    steps = 0
    while scheduler.active or scheduler.waiting:
        scheduler.admit()
        assert len(scheduler.active) == min(slots, len(left))
        steps += 1
        for slot in reversed(range(len(scheduler.active))):
            item = scheduler.active[slot]
            left[item] -= 1
            if not left[item]:
                del left[item]
                scheduler.leave(slot)
    # Graham's bound for list scheduling.
    assert steps <= sum(lengths) / slots + max(lengths)
