"""``job.json``: how an output folder was made."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from tts_toolkit.errors import OutputMismatchError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SCHEMA = 1
SETTINGS = "job.json"


@dataclass(frozen=True)
class JobSettings:
    """How a folder was made.

    Attributes:
        engine: as in ``--model``.
        model: the engine's weights.
        model_revision: what pins them.
        licence: of what they say.
        sampling_rate: of the audio files, in Hz.
        format: of the audio files.
        subtype: their sample format.
        options: the run's defaults for its lines.
        rerolls: how often a line was rerolled, by the resume key that it had at first (the second
            of equal lines has ".1" behind it, and so on).
    """

    engine: str
    model: str
    model_revision: str
    licence: str
    sampling_rate: int
    format: str
    subtype: str
    options: Mapping[str, Any] = field(default_factory=dict)
    rerolls: Mapping[str, int] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """The file's content."""
        return json.dumps({"schema": SCHEMA, **asdict(self)}, indent=2).encode() + b"\n"

    def check(self) -> None:
        """Check the types of what was read, since anybody can have edited the file.

        Raises:
            TypeError: naming the field.
        """
        kinds = {"sampling_rate": int, "options": dict, "rerolls": dict}
        for name, value in vars(self).items():
            if not isinstance(value, kinds.get(name, str)):
                raise TypeError(name)
        if not all(isinstance(count, int) for count in self.rerolls.values()):
            raise TypeError("rerolls")

    def differences(self, other: JobSettings) -> list[str]:
        """What both folders can't share: "format flac, not wav" for each."""
        fixed = ("engine", "model", "model_revision", "format", "subtype", "sampling_rate")
        return [
            f"{name} {getattr(self, name)}, not {getattr(other, name)}"
            for name in fixed
            if getattr(self, name) != getattr(other, name)
        ]


def read_settings(folder: Path) -> JobSettings | None:
    """How ``folder`` was made, or None if it was not made by a run.

    Raises:
        OutputMismatchError: if its file can't be read, or is of a newer version of this tool.
    """
    path = folder / SETTINGS
    try:
        content = json.loads(path.read_bytes())
        schema = content.pop("schema")
        if schema == SCHEMA:
            settings = JobSettings(**content)
            settings.check()
            return settings
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, TypeError, AttributeError, KeyError):
        schema = None
    if not isinstance(schema, int) or schema <= SCHEMA:
        raise OutputMismatchError(
            f"{path} can't be read as a run's settings; mend it, or choose another folder"
        )
    raise OutputMismatchError(
        f"{path} has schema {schema} and this version knows {SCHEMA}: update tts-toolkit"
    )
