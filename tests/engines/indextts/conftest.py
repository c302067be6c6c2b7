"""A random checkpoint, the oracle that has loaded it, and what we load of it."""

from oracle import (
    checkpoint,
    checkpoint_bfloat16,
    checkpoint_early,
    oracle,
    oracle_early,
    tiny,
    tiny_early,
    voices,
)

__all__ = [
    "checkpoint",
    "checkpoint_bfloat16",
    "checkpoint_early",
    "oracle",
    "oracle_early",
    "tiny",
    "tiny_early",
    "voices",
]
