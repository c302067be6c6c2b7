"""Audio files: encoded, tagged, and on disk before they are called done."""

from __future__ import annotations

import io
import os
from contextlib import suppress
from typing import TYPE_CHECKING

from tts_toolkit.audio.ogg import with_fixed_serial
from tts_toolkit.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from tts_toolkit.audio.formats import AudioFormat

# An encoder is fed this many samples at a time: libsndfile's Vorbis encoder puts a whole write on
# its stack, and crashes on a long one.
_BLOCK = 1 << 14


def encode(
    samples: NDArray[np.float32], audio_format: AudioFormat, tags: Mapping[str, str]
) -> bytes:
    """An audio file's bytes; the same for the same arguments.

    Args:
        samples: shape (T,), float32; what lies outside [-1, 1] saturates (it never wraps).
        audio_format: how to write it; the samples have its rate.
        tags: libsndfile's string tags, e.g. ``{"software": …, "comment": …}``; no dates.
    """
    import soundfile  # noqa: PLC0415 - loads libsndfile; a dry run does without

    # Beyond it libsndfile reads past the ends of its A-law and µ-law tables.
    saturated = samples.clip(-1.0, 1.0)
    buffer = io.BytesIO()
    with soundfile.SoundFile(
        buffer,
        "w",
        audio_format.sampling_rate,
        1,
        audio_format.subtype,
        format=audio_format.container,
    ) as file:
        for name, value in tags.items():
            setattr(file, name, value)
        for start in range(0, len(saturated), _BLOCK):
            file.write(saturated[start : start + _BLOCK])
    data = buffer.getvalue()
    return with_fixed_serial(data) if audio_format.container == "OGG" else data


def write_synced(path: Path, data: bytes) -> None:
    """Write ``data`` to a new file and wait until the disk has it.

    Raises:
        OSError: as the system says; what was written so far is removed.
    """
    with path.open("wb") as file:
        try:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        except OSError:
            path.unlink(missing_ok=True)
            raise


def save(path: Path, data: bytes) -> None:
    """Write a file whole or not at all: beside its place, then under its name.

    Raises:
        StorageError: naming the path, if the system says no.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        write_synced(part, data)
        part.replace(path)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        raise StorageError(f"{path}: can't be written: {error.strerror}") from error
