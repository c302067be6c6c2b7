"""The loop around a session: feed it while there is room, and hand out what comes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tts_toolkit.engines.base import Failed, SegmentReady

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tts_toolkit.engines.base import Engine, Event
    from tts_toolkit.utterance import Utterance


def drive(
    engine: Engine,
    utterances: Iterable[Utterance | Failed],
    *,
    may_submit: Callable[[], bool] = lambda: True,
    stopped: Callable[[], bool] = lambda: False,
) -> Iterator[Event]:
    """Run utterances through a session.

    Args:
        engine: the session.
        utterances: taken one by one, as there is room; one that the caller has judged already
            comes as its ``Failed``, and is handed out in its turn.
        may_submit: whether the caller can take more results; asked before each submit. It has to
            be true again once everything submitted is handed out.
        stopped: once true nothing more is submitted, and what is in flight is finished.
    """
    feed = iter(utterances)
    in_flight = 0
    exhausted = False
    while True:
        while not exhausted and not stopped() and may_submit() and engine.has_room():
            utterance = next(feed, None)
            if utterance is None:
                exhausted = True
            elif isinstance(utterance, Failed):
                yield utterance
            else:
                engine.submit(utterance)
                in_flight += 1
        if not in_flight:
            return
        for event in engine.step():
            if not isinstance(event, SegmentReady):
                in_flight -= 1
            yield event
