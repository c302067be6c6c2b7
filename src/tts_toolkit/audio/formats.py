"""Which formats we write, and with which sample formats and rates."""

from __future__ import annotations

from dataclasses import dataclass

from tts_toolkit.errors import OptionError
from tts_toolkit.rule import hint


@dataclass(frozen=True)
class AudioFormat:
    """How audio is written.

    Attributes:
        name: "wav", "flac", "ogg", "opus" or "mp3"; also the file's suffix.
        container: libsndfile's name of the container.
        subtype: libsndfile's name of the sample format.
        sampling_rate: in Hz.
    """

    name: str
    container: str
    subtype: str
    sampling_rate: int

    @property
    def suffix(self) -> str:
        """The file name's suffix, with its dot."""
        return f".{self.name}"


# (libsndfile's container, the sample formats that we offer for it with the default first)
_OFFERED: dict[str, tuple[str, tuple[str, ...]]] = {
    "wav": ("WAV", ("PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW")),
    "flac": ("FLAC", ("PCM_16", "PCM_24")),
    "ogg": ("OGG", ("VORBIS",)),
    "opus": ("OGG", ("OPUS",)),
    "mp3": ("MP3", ("MPEG_LAYER_III",)),
}
# The rates that Opus codes (RFC 6716, section 2.1.3), and those of MPEG-1, 2 and 2.5 Layer III.
_RATES: dict[str, tuple[int, ...]] = {
    "opus": (8000, 12000, 16000, 24000, 48000),
    "mp3": (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000),
}
SUFFIXES = tuple(f".{name}" for name in _OFFERED)


def audio_format(name: str, subtype: str | None, sampling_rate: int) -> AudioFormat:
    """The format called ``name`` at ``sampling_rate`` Hz.

    Raises:
        OptionError: if the three don't go together, with what would.
    """
    container, subtypes = _OFFERED[name]
    chosen = (subtype or subtypes[0]).upper()
    if chosen not in subtypes:
        raise OptionError(
            f"--subtype: {subtype!r} is not a sample format of {name}; "
            f"it has {', '.join(subtypes)}{hint(chosen, subtypes)}"
        )
    rates = _RATES.get(name, ())
    if rates and sampling_rate not in rates:
        raise OptionError(
            f"--sampling-rate: {name} can't have {sampling_rate} Hz; "
            f"it has {', '.join(map(str, rates))}"
        )
    return AudioFormat(name, container, chosen, sampling_rate)
