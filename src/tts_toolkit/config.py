"""Options: one name each on the command line, in the library, in the environment and on file.

A flag (or keyword argument) beats the environment, which beats the config file, which beats the
default. ``resolve`` is the only place where they meet.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tts_toolkit.errors import OptionError
from tts_toolkit.rule import Rule, check, unknown

if TYPE_CHECKING:
    from collections.abc import Mapping

ENV_PREFIX = "TTS_TOOLKIT_"
# What the environment has beside the options.
VARIABLES = ("CONFIG", "HOME", "API_KEY")
MODELS = ("auto", "builtin", "indextts-2.5")
LANGUAGES = ("auto", "en", "zh", "ja", "es", "ar")
FORMATS = ("wav", "flac", "ogg", "opus", "mp3")
SCRIPT_FORMATS = ("auto", "txt", "jsonl", "csv", "tsv")
DTYPES = ("auto", "float32", "bfloat16", "float16")
SOURCES = ("huggingface", "modelscope")
# Steps of the flow by name. 25 are IndexTTS's own; fewer are cheaper and move the mel a little.
QUALITIES = {"fidelity": 25, "balanced": 15, "fast": 10}
PROGRESS = ("auto", "bar", "plain", "json", "none")
# A seed takes part in hashes and in torch's 64-bit generators; 32 bits suit every generator.
MAX_SEED = 2**32 - 1


def _option(default: object, **rule: Any) -> Any:
    return field(default=default, metadata={"rule": Rule(**rule)})


@dataclass(frozen=True)
class Options:
    """Everything that can be set for a run; the field's name is the option's name everywhere."""

    model: str = _option("auto", help="Which engine speaks.", choices=MODELS)
    model_dir: Path | None = _option(
        None, help="Folder with IndexTTS's weights (builtin has its own).", kind="path"
    )
    voice: str | None = _option(
        None, help="A voice's name, or (IndexTTS) a reference clip.  [default: the engine's own]"
    )
    lang: str = _option("auto", help="Language of the text; auto looks at it.", choices=LANGUAGES)
    device: str = _option("auto", help="auto, cpu, mps, cuda, cuda:N or cuda:all.", kind="device")
    dtype: str = _option(
        "auto",
        help="Number format of the model (IndexTTS; builtin has its own).",
        choices=DTYPES,
    )
    seed: int = _option(
        0, help="Seed of each utterance without its own.", kind="int", least=0, most=MAX_SEED
    )
    takes: int = _option(
        1, help="Takes of each utterance; take k uses seed + k.", kind="int", least=1, most=1000
    )
    speed: float = _option(
        1.0,
        help="Pace; above 1 is faster (builtin: 0.5 to 2; IndexTTS: no faster than about 1.28).",
        kind="float",
        least=0.25,
        most=4.0,
    )
    workers: int | str = _option(
        "auto", help="Processes that speak.", kind="int", choices=("auto",), least=1, most=256
    )
    batch_size: int | str = _option(
        "auto",
        help="Segments decoded together (IndexTTS; builtin says one at a time).",
        kind="int",
        choices=("auto",),
        least=1,
        most=4096,
    )
    emotion_audio: Path | None = _option(
        None, help="Clip whose mood is taken (IndexTTS).", kind="path"
    )
    emotion_text: str | None = _option(
        None, help="Mood in words; needs the part indextts-2.5-emotion (IndexTTS)."
    )
    emotion_vector: tuple[float, ...] | None = _option(
        None, help="Mood by weights: happy=0.4,calm=0.2, or all eight (IndexTTS).", kind="vector"
    )
    emotion_weight: float = _option(
        1.0,
        help="Strength of an emotion without its own (IndexTTS).",
        kind="float",
        least=0.0,
        most=1.0,
    )
    quality: str = _option(
        "fidelity",
        help="Steps of the flow by name: 25, 15 or 10 (IndexTTS).",
        choices=tuple(QUALITIES),
    )
    diffusion_steps: int | None = _option(
        None,
        help="Steps of the flow (IndexTTS).  [default: of the quality]",
        kind="int",
        least=1,
        most=200,
    )
    cfg_rate: float = _option(
        0.7,
        help="Guidance of the flow; 0 halves its work (IndexTTS).",
        kind="float",
        least=0.0,
        most=5.0,
    )
    temperature: float = _option(
        0.8,
        help="How freely codes are drawn; 0 is greedy (IndexTTS).",
        kind="float",
        least=0.0,
        most=5.0,
    )
    top_k: int = _option(
        30,
        help="Draw from so many of the likeliest codes; 0 is all (IndexTTS).",
        kind="int",
        least=0,
        most=8194,
    )
    top_p: float = _option(
        0.8,
        help="Draw from the likeliest codes with this probability (IndexTTS).",
        kind="float",
        least=0.01,
        most=1.0,
    )
    repetition_penalty: float = _option(
        10.0,
        help="Divides the score of codes already said; 1 is none (IndexTTS).",
        kind="float",
        least=1.0,
        most=100.0,
    )
    max_codes: int | None = _option(
        None,
        help="Cap on a segment's codes, 25 a second (IndexTTS).  [default: 1500]",
        kind="int",
        least=1,
        most=1815,
    )
    segment_tokens: int | None = _option(
        None,
        help="Longest segment in text tokens (IndexTTS).  [default: en 60, others 120]",
        kind="int",
        least=8,
        most=600,
    )
    glossary: Path | None = _option(
        None, help="YAML or JSON file of terms and how to read them (IndexTTS).", kind="path"
    )
    raw: bool = _option(
        False, help="No trim, fade or retry: as indextts25 does it (IndexTTS).", kind="flag"
    )
    no_normalize: bool = _option(
        False, help="Leave numbers and symbols as they are (IndexTTS).", kind="flag"
    )
    deterministic: bool = _option(
        False,
        help="float32 and kernels that repeat themselves (IndexTTS; builtin always does).",
        kind="flag",
    )
    cuda_graphs: bool = _option(
        False, help="Replay decoding steps as CUDA graphs (IndexTTS on CUDA).", kind="flag"
    )
    format: str = _option("wav", help="Format of the audio files.", choices=FORMATS)
    subtype: str | None = _option(
        None, help="Sample format, e.g. PCM_16, PCM_24 or FLOAT.  [default: the format's own]"
    )
    sampling_rate: int | None = _option(
        None,
        help="Sampling rate of the audio files in Hz.  [default: the engine's own]",
        kind="int",
        least=8000,
        most=192_000,
    )
    columns: Mapping[str, str] | None = _option(
        None,
        help="Which columns of a table to read: text=Line,voice=Character,id=Key.",
        kind="columns",
    )
    script_format: str = _option(
        "auto",
        help="How to read the scripts; auto goes by the file's suffix.",
        choices=SCRIPT_FORMATS,
    )
    fail_fast: bool = _option(False, help="Stop at the first utterance that fails.", kind="flag")
    offline: bool = _option(False, help="Never use the network.", kind="flag")
    source: str = _option("huggingface", help="Where models come from.", choices=SOURCES)
    accept_license: bool = _option(
        False, help="Accept the model's licence without being asked.", kind="flag"
    )
    progress: str = _option("auto", help="How progress is shown on stderr.", choices=PROGRESS)


RULES: dict[str, Rule] = {f.name: f.metadata["rule"] for f in fields(Options)}
_DEFAULTS: dict[str, object] = {f.name: f.default for f in fields(Options)}


@dataclass(frozen=True)
class Setting:
    """An option's value and where it came from: "flag", "environment", "config" or "default"."""

    name: str
    value: object
    origin: str


def resolve(
    explicit: Mapping[str, object],
    *,
    environ: Mapping[str, str] | None = None,
    config_file: Path | None = None,
) -> Options:
    """The options of a run.

    Args:
        explicit: what the caller gave; an entry that is None counts as not given.
        environ: the environment (``os.environ`` by default).
        config_file: a YAML file of options; one that does not exist counts as empty, unless
            ``TTS_TOOLKIT_CONFIG`` names it.

    Raises:
        OptionError: for an unknown name or a value that the option can't have; every one at once.
    """
    found = settings(explicit, environ=environ, config_file=config_file)
    return Options(**{setting.name: setting.value for setting in found})  # type: ignore[arg-type]


def settings(
    explicit: Mapping[str, object],
    *,
    environ: Mapping[str, str] | None = None,
    config_file: Path | None = None,
) -> list[Setting]:
    """As ``resolve``, with the origin of each value, in the order of ``Options``."""
    env = os.environ if environ is None else environ
    on_file = _read_config(config_file)
    problems = [
        *_missing_config(config_file, env),
        *unknown(explicit, RULES, what="option"),
        *(f"{config_file}: {text}" for text in unknown(on_file, RULES, what="option")),
    ]
    found = []
    for name, rule in RULES.items():
        raw, origin, label = _DEFAULTS[name], "default", name
        if explicit.get(name) is not None:
            raw, origin, label = explicit[name], "flag", f"--{name.replace('_', '-')}"
        elif ENV_PREFIX + name.upper() in env:
            label = ENV_PREFIX + name.upper()
            raw, origin = env[label], "environment"
        elif on_file.get(name) is not None:
            raw, origin, label = on_file[name], "config", f"{config_file}: {name}"
        if origin == "default":
            found.append(Setting(name, raw, origin))
            continue
        try:
            found.append(Setting(name, check(raw, rule), origin))
        except OptionError as error:
            problems.append(f"{label}: {error}")
    if problems:
        raise OptionError("\n".join(problems))
    return _with_hub_offline(found, env)


def _with_hub_offline(found: list[Setting], env: Mapping[str, str]) -> list[Setting]:
    """Honour huggingface-hub's own switch where ``offline`` was left alone."""
    asked = env.get("HF_HUB_OFFLINE", "").strip().upper() in {"1", "TRUE", "YES", "ON"}
    return [
        Setting("offline", True, "environment")
        if asked and setting.name == "offline" and setting.origin == "default"
        else setting
        for setting in found
    ]


def unknown_variables(environ: Mapping[str, str]) -> list[str]:
    """A line for each variable that begins as ours do and is none of them.

    Others may have set it (Kubernetes does, for a service of our name), so it is no error.
    """
    known = [ENV_PREFIX + name for name in (*map(str.upper, RULES), *VARIABLES)]
    ours = [name for name in environ if name.startswith(ENV_PREFIX)]
    return unknown(ours, known, what="variable")


def _missing_config(path: Path | None, env: Mapping[str, str]) -> list[str]:
    """A config file that was named has to be there; ``os.devnull`` is none."""
    named = env.get(f"{ENV_PREFIX}CONFIG") or os.devnull
    if path is None or path != Path(named) or named == os.devnull or path.is_file():
        return []
    return [f"{ENV_PREFIX}CONFIG: there is no file {path}"]


def _read_config(path: Path | None) -> dict[str, object]:
    if path is None:
        return {}
    try:
        if not path.is_file():
            return {}
        from omegaconf import OmegaConf  # noqa: PLC0415 - only a user with a config file pays

        content = OmegaConf.to_container(OmegaConf.load(path), resolve=True)
    except Exception as error:  # PyYAML's constructors raise whatever they trip over
        raise OptionError(f"{path} can't be read as YAML: {error}") from error
    if not isinstance(content, dict):
        raise OptionError(f"{path}: expected lines such as `format: flac`")
    return {str(name): value for name, value in content.items()}
