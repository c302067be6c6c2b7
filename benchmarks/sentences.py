"""Distinct English sentences, the same ones for the same seed, as many as a benchmark needs.

    python benchmarks/sentences.py 100 > script.txt

The first 100 of 10,000 are the 100 that one gets by asking for 100, and the patterns take turns: a
small script and a large one have the same mixture of lengths.
"""

from __future__ import annotations

import argparse
import random
from itertools import cycle, islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_NAMES = (
    "Alice", "Martin", "Olga", "Peter", "Rosa", "Simon", "Nadia", "Victor", "Helen", "Tom",
    "Clara", "Daniel", "Emma", "Felix", "Grace", "Hugo", "Irene", "Jacob", "Laura", "Oscar",
)  # fmt: skip
_ADJECTIVES = (
    "old", "red", "quiet", "tall", "small", "bright", "cold", "warm", "heavy", "thin",
    "strange", "gentle", "broken", "golden", "wooden", "distant", "narrow", "empty", "silver",
    "brave", "early", "green", "hollow", "lonely", "patient", "rough", "sleepy", "tired", "wild",
    "young",
)  # fmt: skip
_NOUNS = (
    "kettle", "harbour", "garden", "lantern", "bridge", "river", "window", "doctor", "teacher",
    "farmer", "sailor", "baker", "engine", "letter", "basket", "mirror", "candle", "ladder",
    "blanket", "hammer", "village", "forest", "mountain", "island", "station", "market", "tower",
    "curtain", "pocket", "button", "carpet", "bottle", "pencil", "ticket", "spider", "rabbit",
    "pigeon", "turtle", "dragon", "piano",
)  # fmt: skip
_DOES = (
    "sings", "waits", "falls", "sleeps", "shines", "turns", "burns", "moves", "listens", "trembles",
    "vanishes", "returns", "rests", "rises", "answers", "wakes", "drifts", "grows", "hides",
    "stays",
)  # fmt: skip
_DO = (
    "sing", "wait", "fall", "sleep", "shine", "turn", "burn", "move", "listen", "tremble",
    "vanish", "return", "rest", "rise", "answer", "wake", "drift", "grow", "hide", "stay",
)  # fmt: skip
_DID = (
    "found", "painted", "carried", "followed", "mended", "watched", "borrowed", "forgot",
    "remembered", "opened", "measured", "counted", "moved", "hid", "sold", "drew", "missed",
    "described", "admired", "avoided",
)  # fmt: skip
_WHEN = (
    "before breakfast", "after the storm", "at midnight", "on Tuesday", "in the rain",
    "during the concert", "without a word", "for seven years", "near the old mill",
    "in the spring of 1998", "at half past nine", "with 12 friends",
)  # fmt: skip

# A pattern that gives nothing new so often in a row is used up.
_TRIES = 1000

# Three to eight words, about two seconds of audio: as short as lines of a real script get.
_SHORT = (
    "{Adjective} {noun}s {do}.",
    "Our {noun} {does} {when}.",
    "{Name} {did} the {noun}.",
    "The {adjective} {noun} {does}.",
    "{Name} {did} my {adjective} {noun}.",
    "{Name} {does}. The {noun} {does2}.",
)
# One or two sentences of eight to twenty words in all: lines of a book or a course.
_ORDINARY = (
    "{Name} {did} the {adjective} {noun} {when}, and the {noun2} {does}.",
    "The {adjective} {noun} {does} {when}, but nobody {did} the {adjective2} {noun2}.",
    "{Name} {did} a {noun} and a {noun2} {when}. The {adjective} {noun3} {does}.",
    "Why did {Name} keep the {adjective} {noun}? Because {Name2} {did} the {noun2} {when}!",
    "{When}, the {noun} {does} and the {adjective} {noun2} {does2}; {Name} {did} the {noun3}.",
)


def short(number: int, *, seed: int = 0) -> list[str]:
    """That many distinct lines of three to eight words.

    Raises:
        ValueError: if the words don't make so many.
    """
    return _distinct(_SHORT, number, seed)


def ordinary(number: int, *, seed: int = 0) -> list[str]:
    """That many distinct lines of eight to twenty words, one or two sentences each.

    Raises:
        ValueError: if the words don't make so many.
    """
    return _distinct(_ORDINARY, number, seed)


def _distinct(patterns: Sequence[str], number: int, seed: int) -> list[str]:
    rng = random.Random(seed)
    found: dict[str, None] = {}
    for pattern in islice(cycle(patterns), number):
        new = (line for line in (_line(pattern, rng) for _ in range(_TRIES)) if line not in found)
        line = next(new, None)
        if line is None:
            raise ValueError(f"the word lists don't make {number} distinct lines")
        found[line] = None
    return list(found)


def _line(pattern: str, rng: random.Random) -> str:
    adjective, adjective2 = rng.sample(_ADJECTIVES, 2)
    noun, noun2, noun3 = rng.sample(_NOUNS, 3)
    name, name2 = rng.sample(_NAMES, 2)
    does, does2 = rng.sample(_DOES, 2)
    when = rng.choice(_WHEN)
    return pattern.format(
        adjective=adjective,
        Adjective=adjective.capitalize(),
        adjective2=adjective2,
        noun=noun,
        noun2=noun2,
        noun3=noun3,
        Name=name,
        Name2=name2,
        does=does,
        does2=does2,
        do=rng.choice(_DO),
        did=rng.choice(_DID),
        when=when,
        When=when[0].upper() + when[1:],
    )


def main() -> None:
    """Print lines, one an utterance: a script for tts-toolkit."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("number", type=int)
    parser.add_argument("--ordinary", action="store_true", help="longer lines")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    print("\n".join((ordinary if given.ordinary else short)(given.number, seed=given.seed)))


if __name__ == "__main__":
    main()
