"""Models with random weights, for tests and benchmarks without gigabytes of real ones."""

from tts_toolkit.testing.checkpoint import make_checkpoint

__all__ = ["make_checkpoint"]
