"""The voice of who gives none: a clip of the embedded voice, made once a machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tts_toolkit.audio.formats import audio_format
from tts_toolkit.audio.tags import tags
from tts_toolkit.audio.write import encode, save
from tts_toolkit.engines.base import Failed, Finished
from tts_toolkit.engines.builtin import BUILTIN, DEFAULT_VOICE
from tts_toolkit.utterance import Utterance

if TYPE_CHECKING:
    from pathlib import Path

# About eight seconds with most sounds of English; between 5 and 15 suit the model best.
_TEXT = (
    "The quick brown fox jumps over the lazy dog, while five wizards check the judge's vow. "
    "What a pleasure it is to hear you again this morning!"
)


def reference_clip(folder: Path) -> Path:
    """The clip, which is made in ``folder`` if it is not there.

    Raises:
        StorageError: if it can't be written.
    """
    info = BUILTIN.info
    path = folder / f"{DEFAULT_VOICE}-{info.model}-{info.model_revision}.wav"
    if path.is_file():
        return path
    session = BUILTIN.load()
    session.submit(Utterance(_TEXT, voice=DEFAULT_VOICE, lang="en", seed=0, speed=1.0))
    events = session.step()
    while not isinstance(events[-1], (Finished, Failed)):
        events = session.step()
    last = events[-1]
    assert isinstance(last, Finished), "the embedded voice says its own sentence"
    written = audio_format("wav", None, last.clip.sampling_rate)
    folder.mkdir(parents=True, exist_ok=True)
    data = encode(last.clip.samples, written, tags(info.name, info.model, info.model_revision))
    save(path, data)
    return path
