import inspect
import subprocess
import sys

import tts_toolkit

PUBLIC = [
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


def test_the_public_names_are_these():
    assert sorted(tts_toolkit.__all__) == PUBLIC


def test_every_public_name_is_there_and_has_a_docstring():
    for name in PUBLIC[:]:
        value = getattr(tts_toolkit, name)
        if name != "__version__":
            assert inspect.getdoc(value), name
            for attribute, member in vars(value).items() if inspect.isclass(value) else ():
                if not attribute.startswith("_") and callable(member):
                    assert inspect.getdoc(member), f"{name}.{attribute}"


def test_an_unknown_name_is_an_attribute_error():
    assert not hasattr(tts_toolkit, "nonsense")


def test_importing_brings_nothing_heavy():
    program = (
        "import sys, tts_toolkit\n"
        "heavy = {'torch', 'transformers', 'librosa', 'onnxruntime', 'numpy', 'hibari'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_the_embedded_voice_speaks_without_torch():
    program = (
        "import sys, tts_toolkit as tts\n"
        "tts.load().say('Hello.')\n"
        "print(sorted({'torch', 'transformers', 'librosa'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_types_are_shipped():
    from importlib.resources import files

    assert (files("tts_toolkit") / "py.typed").is_file()
