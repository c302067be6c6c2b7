"""Which engine speaks, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tts_toolkit.config import MODELS
from tts_toolkit.devices.choose import choose_device
from tts_toolkit.devices.probe import this_machine
from tts_toolkit.engines.builtin import BUILTIN
from tts_toolkit.errors import DeviceMissingError, ModelMissingError, OptionError
from tts_toolkit.scripts.fields import looks_like_clip
from tts_toolkit.store.catalogue import EMOTION, INDEXTTS, find_model
from tts_toolkit.store.models import require_model, state_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tts_toolkit.config import Options
    from tts_toolkit.engines.base import EngineSpec

# Engines that are one thing on every machine; IndexTTS is made for a folder and a device.
ENGINES: Mapping[str, EngineSpec] = {"builtin": BUILTIN}


@dataclass(frozen=True)
class Choice:
    """An engine and why it was taken.

    Attributes:
        spec: the engine.
        reason: one line for the user.
    """

    spec: EngineSpec
    reason: str


def choose(options: Options, *, made_with: str | None = None) -> Choice:
    """The engine for a run.

    ``auto`` is the engine that the output folder was made with, else IndexTTS where it is
    installed, else the builtin voice if nothing in the command needs more.

    Args:
        options: of the run.
        made_with: the engine in the output folder's ``job.json``.

    Raises:
        ModelMissingError: if the command needs a model that is not here.
        DeviceMissingError: if the engine can't run on the device.
        OptionError: if an option is not for the engine.
    """
    needs = _needs(options)
    name = options.model
    if name == "auto" and made_with and made_with not in MODELS:
        raise OptionError(
            f"the folder was made with {made_with!r}, an engine that is not known here"
        )
    if name == "auto" and made_with:
        name, reason = made_with, "the folder was made with it"
    elif name == "auto" and needs:
        name, reason = INDEXTTS, f"{needs} needs it"
    elif name == "auto" and state_of(find_model(INDEXTTS)).state == "installed":
        name, reason = INDEXTTS, "it is installed"
    elif name == "auto":
        name, reason = "builtin", "the embedded English voice (IndexTTS-2.5's weights are not here)"
    else:
        reason = "asked for"
    if name == "builtin":
        _check_builtin(options)
    if name in ENGINES:
        return Choice(ENGINES[name], f"{name}: {reason}")
    return _indextts(options, reason)


def _indextts(options: Options, reason: str) -> Choice:
    """IndexTTS over its weights, on the device that suits; refused with all that is missing."""
    from tts_toolkit.engines.indextts.spec import IndexTTS  # noqa: PLC0415 - only where it is used

    model = find_model(INDEXTTS)
    if options.deterministic and options.dtype not in {"auto", "float32"}:
        raise OptionError(
            f"--deterministic computes in float32, so --dtype {options.dtype} can't go with it"
        )
    dtype = "float32" if options.deterministic else options.dtype
    device = choose_device(options.device, this_machine(), needs=model.memory, dtype=dtype)
    try:
        folder = require_model(INDEXTTS, options.model_dir)
        if options.emotion_text:
            require_model(EMOTION, options.model_dir)
    except ModelMissingError as error:
        raise ModelMissingError(f"{INDEXTTS} ({reason}): {error}") from error
    where = f"on {device.reason}, in {device.dtype}"
    spec = IndexTTS.of(options, folder, devices=device.devices, dtype=device.dtype)
    warnings = "".join(f"; {warning}" for warning in device.warnings)
    return Choice(spec, f"{INDEXTTS}: {reason}; {where}{warnings}")


def _needs(options: Options) -> str:
    """What in the options only IndexTTS can do, or ""."""
    if options.voice and looks_like_clip(options.voice):
        return f"a reference clip as voice (--voice {options.voice})"
    if options.device not in {"auto", "cpu"}:
        return f"--device {options.device}"
    if options.dtype != "auto":
        return f"--dtype {options.dtype}"
    if options.model_dir:
        return "--model-dir"
    named = ("audio", "text", "vector")
    return next((f"--emotion-{k}" for k in named if getattr(options, f"emotion_{k}")), "")


def _check_builtin(options: Options) -> None:
    if options.device not in {"auto", "cpu"}:
        # Without a GPU the reason is that; it needs no memory there in any case.
        choose_device(options.device, this_machine(), needs={})
        raise DeviceMissingError(
            f"--device {options.device}: the builtin voice runs on the CPU; "
            "leave --device out or say --device cpu"
        )
    if options.dtype != "auto":
        raise OptionError("--dtype: the builtin voice is int8; leave it out")
    if options.model_dir:
        raise OptionError("--model-dir: the builtin voice carries its own weights; leave it out")
    if options.voice and looks_like_clip(options.voice):
        raise ModelMissingError(
            f"--voice {options.voice}: the builtin voice can't clone a clip; IndexTTS can "
            f"(--model {INDEXTTS}, after tts-toolkit models download {INDEXTTS})"
        )
