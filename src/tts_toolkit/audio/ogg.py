"""Ogg streams with a serial number that does not change from run to run."""

from __future__ import annotations

import struct
import zlib

# RFC 3533, section 6: "OggS", version, flags, granule position, serial number, sequence number,
# checksum, number of segments.
_HEADER = struct.Struct("<4sBBqIIIB")
_SERIAL_AT, _CHECKSUM_AT = 14, 22
_SERIAL = 0x54545321
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def with_fixed_serial(data: bytes) -> bytes:
    """``data`` (one logical Ogg stream) with a fixed serial number and checksums to match.

    libsndfile takes the serial number from the clock, so that the same audio would give other
    bytes each time.
    """
    pages = bytearray(data)
    at = 0
    while at < len(pages):
        *_, segments = _HEADER.unpack_from(pages, at)
        table = at + _HEADER.size
        end = table + segments + sum(pages[table : table + segments])
        struct.pack_into("<I", pages, at + _SERIAL_AT, _SERIAL)
        struct.pack_into("<I", pages, at + _CHECKSUM_AT, 0)
        struct.pack_into("<I", pages, at + _CHECKSUM_AT, checksum(bytes(pages[at:end])))
        at = end
    return bytes(pages)


def checksum(page: bytes) -> int:
    """Ogg's CRC-32 of a page whose checksum field is zero: polynomial 0x04C11DB7, start and end 0.

    zlib computes the same polynomial with bits reversed and both ends inverted; undoing that is
    far faster than a loop over bytes.
    """
    reflected = zlib.crc32(page.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int.from_bytes(reflected.to_bytes(4, "little").translate(_REVERSED), "big")
