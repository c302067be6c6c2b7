"""What Prometheus is told."""

import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 120.0)
_PREFIX = "tts_toolkit_"


class Metrics:
    """Counters of one server; any thread may count."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._audio_s = 0.0
        self._busy_s = 0.0
        self._audio = self._counter("audio_seconds", "Seconds of speech made.")
        self._busy = self._counter("busy_seconds", "Seconds in which the engine had work.")
        self._first = self._histogram("first_audio_seconds", "From a request to its first sound.")
        self._latency = self._histogram("latency_seconds", "From a request to the end of its clip.")
        self._failures = Counter(
            f"{_PREFIX}failures",
            "Requests without their speech.",
            ["reason"],
            registry=self.registry,
        )
        self._gauge("realtime", "Seconds of speech for a second of work.").set_function(
            lambda: self._audio_s / self._busy_s if self._busy_s else 0.0
        )

    def watch(
        self, waiting: Callable[[], int], speaking: Callable[[], int], sending: Callable[[], int]
    ) -> None:
        """Have the lengths asked for when they are wanted."""
        for name, text, length in (
            ("queue_length", "Requests that wait for the engine.", waiting),
            ("batch_size", "Requests in the engine.", speaking),
            ("sending", "Replies that are spoken and not yet taken.", sending),
        ):
            self._gauge(name, text).set_function(length)

    def first_audio(self, since: float) -> None:
        """A request that came at ``since`` (``time.perf_counter``) has its first sound."""
        self._first.observe(time.perf_counter() - since)

    def finished(self, since: float, audio_s: float) -> None:
        """A request that came at ``since`` is done, with so many seconds of speech."""
        self._audio_s += audio_s
        self._audio.inc(audio_s)
        self._latency.observe(time.perf_counter() - since)

    def busy(self, seconds: float) -> None:
        """The engine has worked for so long."""
        self._busy_s += seconds
        self._busy.inc(seconds)

    def failed(self, reason: str) -> None:
        """A request ended without its speech: "full", "failed", "left", …."""
        self._failures.labels(reason).inc()

    def text(self) -> bytes:
        """All of it, in Prometheus's text format."""
        return generate_latest(self.registry)

    def _counter(self, name: str, text: str) -> Counter:
        return Counter(_PREFIX + name, text, registry=self.registry)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(_PREFIX + name, text, registry=self.registry)

    def _histogram(self, name: str, text: str) -> Histogram:
        return Histogram(_PREFIX + name, text, registry=self.registry, buckets=_BUCKETS)
