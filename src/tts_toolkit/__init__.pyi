# lazy_loader reads this file at run time: relative imports, one name a line, no aliases.
from .clip import (
    Clip,
)
from .config import (
    Options,
)
from .devices.choose import (
    DeviceChoice,
    choose_device,
)
from .devices.machine import (
    Card,
    Cpu,
    Machine,
)
from .devices.probe import (
    this_machine,
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
from .store.catalogue import (
    Model,
    PublishedFile,
)
from .store.download import (
    download_model,
)
from .store.hub import (
    Patience,
)
from .store.models import (
    ModelState,
    models,
)
from .store.transfer import (
    Transfer,
)
from .store.verify import (
    Verification,
    verify_model,
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
    "Card",
    "Clip",
    "Cpu",
    "DeviceChoice",
    "DeviceMissingError",
    "DownloadError",
    "Emotion",
    "EngineError",
    "EngineInfo",
    "Machine",
    "ManifestRow",
    "MissingError",
    "Model",
    "ModelMissingError",
    "ModelState",
    "OptionError",
    "Options",
    "Outcome",
    "OutputInUseError",
    "OutputMismatchError",
    "Patience",
    "Problem",
    "Progress",
    "PublishedFile",
    "RunReport",
    "ScriptError",
    "Segment",
    "Source",
    "SpokenClip",
    "StorageError",
    "Synthesizer",
    "TTSToolkitError",
    "Transfer",
    "UnspeakableError",
    "UsageError",
    "Utterance",
    "UtteranceError",
    "Verification",
    "VoiceMissingError",
    "__version__",
    "choose_device",
    "download_model",
    "load",
    "models",
    "read_rows",
    "run_script",
    "this_machine",
    "verify_model",
]
