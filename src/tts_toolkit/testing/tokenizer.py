"""A small vocabulary in the place of IndexTTS-2.5's."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

NAME = "multilingual_zh_ja_yue_char_del.tiktoken"
# Words and characters that become one token, so that tokens are not simply bytes.
_WORDS = (" the", " and", " of", "ing", "er", " in", " to", " that", " one", "你", "好", "。")


def write_tokenizer(folder: Path) -> None:
    """Write a vocabulary in tiktoken's format: every byte, and a few merges.

    As in the published one, bytes that print come first, so that "!" is 0 and the double quote 1:
    the numbers that the GPT also uses for the start and the stop of a text. With the special
    tokens that indextts25 numbers behind it, it has fewer than 2,000 ids.

    Args:
        folder: where it is written, under the name that indextts25 looks for.
    """
    printable = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    tokens = [bytes([byte]) for byte in printable]
    tokens += [bytes([byte]) for byte in range(0x100) if byte not in printable]
    for word in _WORDS:
        # Each merge joins two tokens that are there already: a prefix and the next byte.
        prefixes = (word.encode()[:end] for end in range(2, len(word.encode()) + 1))
        tokens += [prefix for prefix in prefixes if prefix not in tokens]
    lines = [f"{base64.b64encode(token).decode()} {rank}\n" for rank, token in enumerate(tokens)]
    (folder / NAME).write_text("".join(lines), encoding="ascii")
