from __future__ import annotations

import pytest

from tts_toolkit.audio.formats import SUFFIXES, audio_format
from tts_toolkit.config import FORMATS
from tts_toolkit.errors import OptionError


def test_every_format_of_the_options_can_be_written():
    assert [audio_format(name, None, 24_000).suffix for name in FORMATS] == list(SUFFIXES)


@pytest.mark.parametrize(
    ("name", "subtype", "rate", "chosen"),
    [
        ("wav", None, 24_000, ("WAV", "PCM_16", 24_000)),
        ("wav", "pcm_24", 192_000, ("WAV", "PCM_24", 192_000)),
        ("wav", "FLOAT", 8000, ("WAV", "FLOAT", 8000)),
        ("flac", None, 44_100, ("FLAC", "PCM_16", 44_100)),
        ("ogg", None, 22_050, ("OGG", "VORBIS", 22_050)),
        ("opus", None, 24_000, ("OGG", "OPUS", 24_000)),
        ("mp3", None, 22_050, ("MP3", "MPEG_LAYER_III", 22_050)),
    ],
)
def test_a_format_has_its_container_and_sample_format(name, subtype, rate, chosen):
    found = audio_format(name, subtype, rate)
    assert (found.container, found.subtype, found.sampling_rate) == chosen


@pytest.mark.parametrize(
    ("name", "subtype", "rate", "message"),
    [
        ("wav", "PCM_161", 24_000, "--subtype: 'PCM_161' is not a sample format of wav; it has"),
        ("wav", "PCM_161", 24_000, 'Did you mean "PCM_16"?'),
        ("wav", "VORBIS", 24_000, "--subtype: 'VORBIS'"),
        ("flac", "FLOAT", 24_000, "it has PCM_16, PCM_24"),
        ("mp3", "PCM_16", 24_000, "it has MPEG_LAYER_III"),
        ("opus", None, 22_050, "--sampling-rate: opus can't have 22050 Hz; it has 8000, 12000"),
        ("opus", None, 44_100, "opus can't have 44100 Hz"),
        ("mp3", None, 96_000, "mp3 can't have 96000 Hz; it has 8000, 11025"),
    ],
)
def test_what_does_not_go_together_is_refused_with_what_would(name, subtype, rate, message):
    with pytest.raises(OptionError) as error:
        audio_format(name, subtype, rate)
    assert message in str(error.value)
