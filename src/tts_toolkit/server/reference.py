"""A stranger's audio file as a clip, or the reason why not."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np

from tts_toolkit.clip import Clip
from tts_toolkit.errors import OptionError
from tts_toolkit.server.limits import (
    HIGHEST_RATE,
    LONGEST_CLIP,
    LOWEST_RATE,
    MOST_CHANNELS,
    SHORTEST_CLIP,
)

if TYPE_CHECKING:
    import soundfile
    from numpy.typing import NDArray

_CONTAINERS = frozenset({"WAV", "WAVEX", "FLAC", "OGG", "MP3"})
# Frames decoded at a time.
_BLOCK = 1 << 16
# A peak below this, of 1, is a muted microphone: -60 dB.
_SILENT = 1e-3
# A peak above this is not a recording that is a little too loud, but samples in other units.
_LOUDEST = 4.0


def read_reference(data: bytes) -> Clip:
    """The file as a mono clip, at its own rate.

    Decoding stops at the limit: what the file says of its length is not believed, and ten
    megabytes can decode to hours. What a float format has above 1 is turned down rather than cut
    off.

    Raises:
        OptionError: if it is no audio, or too long, too short, silent, far too loud, or of a rate
            or number of channels that nobody records.
    """
    import soundfile as sf  # noqa: PLC0415 - loads libsndfile

    try:
        with sf.SoundFile(io.BytesIO(data)) as file:
            _check_header(file)
            samples = _decode(file)
            rate = file.samplerate
    except sf.SoundFileError as error:
        raise OptionError(
            "the file is no audio that can be read: send WAV, FLAC, Ogg or MP3"
        ) from error
    clip = Clip(samples, rate)
    if clip.duration < SHORTEST_CLIP:
        raise OptionError(f"the clip has {clip.duration:.2f} s; it needs at least a second")
    if not np.isfinite(samples).all():
        raise OptionError("the clip has samples that are no numbers")
    if clip.peak < _SILENT:
        raise OptionError("the clip is silent")
    if clip.peak > _LOUDEST:
        raise OptionError(
            f"the clip's samples go up to {clip.peak:,.1f} times full scale: scale them to [-1, 1]"
        )
    return Clip(samples / clip.peak, rate) if clip.peak > 1.0 else clip


def _check_header(file: soundfile.SoundFile) -> None:
    if file.format not in _CONTAINERS:
        raise OptionError(f"{file.format} is not taken: send WAV, FLAC, Ogg or MP3")
    if not LOWEST_RATE <= file.samplerate <= HIGHEST_RATE:
        raise OptionError(
            f"the clip has {file.samplerate} Hz; from {LOWEST_RATE} to {HIGHEST_RATE} are taken"
        )
    if file.channels > MOST_CHANNELS:
        raise OptionError(f"the clip has {file.channels} channels; one or two are taken")


def _decode(file: soundfile.SoundFile) -> NDArray[np.float32]:
    """The file's samples, shape (T,), channels averaged."""
    most = int(LONGEST_CLIP * file.samplerate)
    blocks: list[NDArray[np.float32]] = []
    frames = 0
    while True:
        block = file.read(_BLOCK, dtype="float32", always_2d=True)
        frames += len(block)
        if frames > most:
            raise OptionError(f"the clip is longer than {LONGEST_CLIP:g} s")
        if not len(block):
            return np.concatenate(blocks) if blocks else np.zeros(0, np.float32)
        blocks.append(block.mean(axis=1, dtype=np.float32))
