# lazy_loader reads this file at run time: relative imports, one name a line, no aliases.
from .clip import (
    Clip,
)
from .config import (
    Options,
)
from .engines.base import (
    EngineInfo,
    Segment,
)
from .errors import (
    DeviceMissingError,
    DownloadError,
    EngineError,
    MissingError,
    ModelMissingError,
    OptionError,
    OutputInUseError,
    OutputMismatchError,
    Problem,
    ScriptError,
    StorageError,
    TTSToolkitError,
    UnspeakableError,
    UsageError,
    UtteranceError,
    VoiceMissingError,
)
from .job.progress import (
    Progress,
    RunReport,
)
from .job.run import (
    run_script,
)
from .manifest import (
    ManifestRow,
    read_rows,
)
from .synthesizer import (
    Outcome,
    SpokenClip,
    Synthesizer,
    load,
)
from .utterance import (
    Emotion,
    Source,
    Utterance,
)

__version__: str

__all__ = [
    "Clip",
    "DeviceMissingError",
    "DownloadError",
    "Emotion",
    "EngineError",
    "EngineInfo",
    "ManifestRow",
    "MissingError",
    "ModelMissingError",
    "OptionError",
    "Options",
    "Outcome",
    "OutputInUseError",
    "OutputMismatchError",
    "Problem",
    "Progress",
    "RunReport",
    "ScriptError",
    "Segment",
    "Source",
    "SpokenClip",
    "StorageError",
    "Synthesizer",
    "TTSToolkitError",
    "UnspeakableError",
    "UsageError",
    "Utterance",
    "UtteranceError",
    "VoiceMissingError",
    "__version__",
    "load",
    "read_rows",
    "run_script",
]
