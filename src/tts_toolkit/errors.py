"""Every error that the toolkit raises on purpose.

::

    TTSToolkitError
    ├── UsageError                nothing was started; mend the call and run it again
    │   ├── OptionError           an option's value (flag, environment or config file)
    │   ├── ScriptError           one report of everything wrong with the scripts
    │   ├── OutputMismatchError   the folder was made with another engine, model or format
    │   └── OutputInUseError      another run is writing into the folder
    ├── MissingError              something that has to be installed first
    │   ├── ModelMissingError
    │   ├── VoiceMissingError
    │   └── DeviceMissingError
    ├── StorageError              a disk that is full, read-only or gone
    ├── DownloadError             the network, or a file that is not what was published
    └── UtteranceError            one utterance could not be made; the others go on
        ├── UnspeakableError      the engine has no way to say this text
        └── EngineError           the engine failed while making it

A message says what is wrong, where, and what to do next.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tts_toolkit.utterance import Source


class TTSToolkitError(Exception):
    """The root of the tree."""


class UsageError(TTSToolkitError):
    """The call itself is wrong; nothing was started."""


class OptionError(UsageError):
    """An option has a value that it can't have."""


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a script.

    Attributes:
        source: file and line, or None for the script as a whole.
        id: the utterance's id, or "" where it has none yet.
        reason: what is wrong and what to do.
    """

    source: Source | None
    id: str
    reason: str

    def __str__(self) -> str:
        where = [str(self.source)] if self.source else []
        return " ".join([*where, *([self.id] if self.id else []), self.reason])


class ScriptError(UsageError):
    """The scripts can't be used as they are.

    Attributes:
        problems: all of them, in the order of the scripts.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class OutputMismatchError(UsageError):
    """The output folder was made with another engine, model or format."""


class OutputInUseError(UsageError):
    """Another run holds the output folder's lock."""


class MissingError(TTSToolkitError):
    """Something has to be installed, downloaded or plugged in first."""


class ModelMissingError(MissingError):
    """The model that was asked for is not here."""


class VoiceMissingError(MissingError):
    """The voice's data is not on this machine."""


class DeviceMissingError(MissingError):
    """The device that was asked for is not here, or the engine can't use it."""


class StorageError(TTSToolkitError):
    """A file could not be read or written. What was done before is kept."""


class DownloadError(TTSToolkitError):
    """A download failed, or what came is not what was published."""


class UtteranceError(TTSToolkitError):
    """One utterance could not be made."""


class UnspeakableError(UtteranceError):
    """The engine has no way to say this text."""


class EngineError(UtteranceError):
    """The engine failed while making this utterance."""
