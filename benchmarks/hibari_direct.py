"""hibari called directly, without tts-toolkit: what the comparisons are held against.

It loads the voice once, says every line of a script with seed 0, and writes each with hibari's own
writer. It waits for no disk, keeps no manifest and knows no resume.
"""

from __future__ import annotations

import sys
from pathlib import Path

import hibari


def main(script: str, out: str) -> None:
    """Say the lines of ``script`` into ``out/000001.wav`` and on."""
    folder = Path(out)
    folder.mkdir()
    voice = hibari.Hibari()
    for number, line in enumerate(Path(script).read_text(encoding="utf-8").splitlines(), 1):
        hibari.write_wav(str(folder / f"{number:06}.wav"), voice(line, seed=0))


if __name__ == "__main__":
    main(*sys.argv[1:])
