"""A random checkpoint, and the oracle that has loaded it."""

from oracle import oracle, oracle_early, tiny, tiny_early, voices

__all__ = ["oracle", "oracle_early", "tiny", "tiny_early", "voices"]
