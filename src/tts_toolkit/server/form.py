"""The forms in which speech is sent: media types, and which can be sent as it gets ready."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tts_toolkit.audio.formats import audio_format
from tts_toolkit.audio.resample import resample
from tts_toolkit.audio.write import encode
from tts_toolkit.clip import Clip

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

# A length that is not known yet, in a WAV file's header; OpenAI's have it too.
_UNKNOWN = 0xFFFFFFFF


@dataclass(frozen=True)
class Form:
    """How a reply's audio is written.

    Attributes:
        name: as in ``response_format``.
        media_type: for the reply's header.
        rate: its sampling rate in Hz; None is the engine's.
        streams: whether each segment can be sent by itself.
    """

    name: str
    media_type: str
    rate: int | None = None
    streams: bool = False

    def opening(self, rate: int, tags: Mapping[str, str]) -> bytes:
        """What comes before the first segment of a stream."""
        return _wav_header(self.rate or rate, tags) if self.name == "wav" else b""

    def segment(self, samples: NDArray[np.float32], rate: int) -> bytes:
        """A segment of a stream: 16-bit samples, little-endian, mono."""
        clip = resample(Clip(samples, rate), self.rate or rate)
        return (clip.samples.clip(-1.0, 1.0) * 32767).round().astype("<i2").tobytes()

    def whole(self, clip: Clip, tags: Mapping[str, str]) -> bytes:
        """A clip as a file."""
        fitting = resample(clip, self.rate or clip.sampling_rate)
        return encode(fitting.samples, audio_format(self.name, None, fitting.sampling_rate), tags)


# OpenAI's PCM is at 24 kHz and says so nowhere; Opus knows no 22,050 Hz.
FORMS = {
    form.name: form
    for form in (
        Form("mp3", "audio/mpeg"),
        Form("opus", "audio/ogg", rate=24_000),
        Form("flac", "audio/flac"),
        Form("wav", "audio/wav", streams=True),
        Form("pcm", "audio/pcm", rate=24_000, streams=True),
    )
}


def _wav_header(rate: int, tags: Mapping[str, str]) -> bytes:
    """Of a mono file of 16 bits and unknown length, with its tags in front."""
    form = struct.pack("<HHIIHH", 1, 1, rate, 2 * rate, 2, 16)
    info = b"INFO" + _chunk(b"ISFT", tags["software"]) + _chunk(b"ICMT", tags["comment"])
    return b"".join(
        (
            b"RIFF" + struct.pack("<I", _UNKNOWN) + b"WAVE",
            b"fmt " + struct.pack("<I", len(form)) + form,
            b"LIST" + struct.pack("<I", len(info)) + info,
            b"data" + struct.pack("<I", _UNKNOWN),
        )
    )


def _chunk(name: bytes, text: str) -> bytes:
    """A string in a LIST chunk: ended by a zero, and of even length."""
    data = text.encode("ascii", "replace") + b"\0"
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)
