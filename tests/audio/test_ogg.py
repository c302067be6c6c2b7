from __future__ import annotations

import io
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tts_toolkit.audio.formats import audio_format
from tts_toolkit.audio.ogg import checksum, with_fixed_serial
from tts_toolkit.audio.write import encode


def bitwise_crc(data):
    """RFC 3533's checksum, a bit at a time: polynomial 0x04C11DB7, nothing inverted."""
    crc = 0
    for byte in data:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1) ^ (0x04C11DB7 if crc & 0x80000000 else 0)
    return crc & 0xFFFFFFFF


def pages_of(data):
    at = 0
    while at < len(data):
        assert data[at : at + 4] == b"OggS"
        segments = data[at + 26]
        end = at + 27 + segments + sum(data[at + 27 : at + 27 + segments])
        yield data[at:end]
        at = end


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_the_fast_checksum_is_the_slow_one(data):
    assert checksum(data) == bitwise_crc(data) % 2**32


@pytest.mark.parametrize("name", ["ogg", "opus"])
def test_every_page_has_its_checksum_and_one_serial_number(name, tone):
    data = encode(tone(24_000, seconds=1.5), audio_format(name, None, 24_000), {"comment": "x"})
    pages = list(pages_of(data))
    assert len(pages) >= 3
    for page in pages:
        [stored] = struct.unpack_from("<I", page, 22)
        assert stored == bitwise_crc(page[:22] + bytes(4) + page[26:])
    assert len({page[14:18] for page in pages}) == 1
    assert [struct.unpack_from("<I", page, 18)[0] for page in pages] == list(range(len(pages)))


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_two_streams_of_the_same_audio_become_equal_and_sound_as_before(subtype, tone, decoded):
    import soundfile

    def stream():
        file = io.BytesIO()
        soundfile.write(file, tone(24_000), 24_000, format="OGG", subtype=subtype)
        return file.getvalue()

    first, second = stream(), stream()
    assert first != second, "libsndfile's serial numbers differ, or there is nothing to mend"
    assert with_fixed_serial(first) == with_fixed_serial(second)
    assert (decoded(with_fixed_serial(first))[0] == decoded(first)[0]).all()
