"""Messages between a pool and its child processes: a JSON header and raw samples, no pickle.

A message is two little-endian 32-bit lengths, the header and the payload. A payload holds float32
little-endian samples.
"""

from __future__ import annotations

import json
import struct
from dataclasses import asdict
from typing import IO, TYPE_CHECKING, Any

from tts_toolkit.clip import Clip
from tts_toolkit.engines.base import Event, Failed, Finished, Segment, SegmentReady
from tts_toolkit.errors import EngineError, UnspeakableError
from tts_toolkit.utterance import Emotion, Source, Utterance

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_LENGTHS = struct.Struct("<II")
_ERRORS = {"UnspeakableError": UnspeakableError, "EngineError": EngineError}


def send(stream: IO[bytes], header: dict[str, Any], payload: bytes = b"") -> None:
    """Write one message and flush it."""
    data = json.dumps(header).encode()
    stream.write(_LENGTHS.pack(len(data), len(payload)) + data)
    stream.write(payload)
    stream.flush()


def receive(stream: IO[bytes]) -> tuple[dict[str, Any], bytes] | None:
    """Read one message; None at the stream's end, or where it was cut off."""
    lengths = stream.read(_LENGTHS.size)
    if len(lengths) < _LENGTHS.size:
        return None
    header, payload = _LENGTHS.unpack(lengths)
    data = stream.read(header + payload)
    if len(data) < header + payload:
        return None
    return json.loads(data[:header]), data[header:]


def from_utterance(utterance: Utterance) -> dict[str, Any]:
    """An utterance as JSON."""
    return asdict(utterance)


def to_utterance(fields: dict[str, Any]) -> Utterance:
    """The inverse of ``from_utterance``."""
    if fields["source"]:
        fields["source"] = Source(**fields["source"])
    if fields["emotion"]:
        vector = fields["emotion"]["vector"]
        fields["emotion"] = Emotion(**fields["emotion"] | {"vector": vector and tuple(vector)})
    return Utterance(**fields)


def from_event(event: Event) -> tuple[dict[str, Any], bytes]:
    """An event as a header and a payload."""
    if isinstance(event, SegmentReady):
        return {
            "event": "segment",
            "id": event.id,
            "segment": asdict(event.segment),
        }, event.samples.tobytes()
    if isinstance(event, Failed):
        return {
            "event": "failed",
            "id": event.id,
            "type": type(event.error).__name__,
            "message": str(event.error),
        }, b""
    return {
        "event": "finished",
        "id": event.id,
        "sampling_rate": event.clip.sampling_rate,
        "segments": [asdict(segment) for segment in event.segments],
        "text_spoken": event.text_spoken,
        "seconds": event.seconds,
        "warnings": event.warnings,
    }, event.clip.samples.tobytes()


def to_event(header: dict[str, Any], payload: bytes) -> Event:
    """The inverse of ``from_event``."""
    if header["event"] == "segment":
        return SegmentReady(header["id"], _samples(payload), Segment(**header["segment"]))
    if header["event"] == "failed":
        return Failed(header["id"], _ERRORS.get(header["type"], EngineError)(header["message"]))
    return Finished(
        header["id"],
        Clip(_samples(payload), header["sampling_rate"]),
        tuple(Segment(**segment) for segment in header["segments"]),
        header["text_spoken"],
        header["seconds"],
        tuple(header["warnings"]),
    )


def _samples(payload: bytes) -> NDArray[np.float32]:
    import numpy as np  # noqa: PLC0415 - the first clip brings it

    return np.frombuffer(payload, dtype="<f4")
