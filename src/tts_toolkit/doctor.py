"""What this installation has, what it lacks, and what each lack needs."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from tts_toolkit import __version__
from tts_toolkit.config import resolve
from tts_toolkit.devices.choose import choose_device
from tts_toolkit.devices.cuda import judge_cards, why_no_cuda
from tts_toolkit.devices.probe import this_machine
from tts_toolkit.errors import DownloadError, OptionError
from tts_toolkit.store.catalogue import INDEXTTS, find_model
from tts_toolkit.store.models import models
from tts_toolkit.store.paths import config_file, home
from tts_toolkit.store.size import in_bytes
from tts_toolkit.store.voices import installed_path

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tts_toolkit.devices.machine import Machine

# What reads times, numbers and units aloud for IndexTTS, a language each: its modules, the extra
# that brings them ("" for the package's own dependencies), and what is worse without.
_NORMALISERS = {
    "en": (("nemo_text_processing", "pynini"), "", "digits reach the model as they are"),
    "es": (("nemo_text_processing", "pynini"), "", "digits reach the model as they are"),
    "ar": ((), "", ""),
    "zh": (
        (("tn",) if sys.platform == "linux" else ("wetext",)),
        "zh",
        "NeMo's grammar reads Chinese instead",
    ),
    "ja": (("fugashi", "unidic_lite"), "ja", "Japanese is refused"),
}
_EXTRAS = {
    "modelscope": ("modelscope_hub", "models download --source modelscope is refused"),
    "server": ("fastapi", "tts-toolkit serve is refused"),
}


@dataclass(frozen=True)
class Check:
    """One row of what ``tts-toolkit doctor`` prints.

    Attributes:
        name: what was looked at.
        state: "ok"; "missing" for what may be missing; "problem" for what has to be mended.
        detail: what was found.
        need: what to do about it, or "".
    """

    name: str
    state: str
    detail: str
    need: str = ""


def diagnose(*, network: bool = False) -> list[Check]:
    """Look at everything; nothing is changed, and the network is used only if asked for."""
    machine = this_machine()
    checks = [
        *_packages(machine),
        *_devices(machine),
        *_voices(),
        *_normalisers(),
        *_folders(),
    ]
    if network:
        checks.append(_network())
    return checks


def _packages(machine: Machine) -> Iterator[Check]:
    yield Check("Python", "ok", f"{platform.python_version()} on {platform.platform()}")
    yield Check("tts-toolkit", "ok", __version__)
    if machine.torch:
        build = "without CUDA"
        if machine.torch_cuda:
            build = f"for CUDA {machine.torch_cuda[0]}.{machine.torch_cuda[1]}"
        yield Check("torch", "ok", f"{machine.torch}, built {build}")
    else:
        yield Check(
            "torch", "problem", "not installed", "install tts-toolkit with its dependencies"
        )
    for name in ("indextts25-inference", "hibari-tts", "huggingface-hub"):
        yield _distribution(name)
    for extra, (module, without) in _EXTRAS.items():
        if _has(module):
            yield Check(f"extra {extra}", "ok", "installed")
        else:
            yield Check(f"extra {extra}", "missing", without, _install(extra))


def _distribution(name: str) -> Check:
    try:
        return Check(name, "ok", version(name))
    except PackageNotFoundError:
        return Check(name, "problem", "not installed", "install tts-toolkit with its dependencies")


def _devices(machine: Machine) -> Iterator[Check]:
    why = why_no_cuda(machine)
    if machine.driver:
        runs = machine.driver_cuda
        detail = f"{machine.driver}, CUDA {runs[0]}.{runs[1]}" if runs else machine.driver
        yield Check("NVIDIA driver", "ok", detail)
    else:
        yield Check("NVIDIA driver", "missing", "none")
    memory = find_model(INDEXTTS).memory
    for one in judge_cards(machine, needs=memory):
        free = f"{in_bytes(one.card.free)} of {in_bytes(one.card.total)} free"
        name = one.device or one.card.uuid
        state = "missing" if one.problem else "ok"
        yield Check(name, state, f"{one.card.name}, {free}, {one.dtype}", one.problem)
    if why:
        yield Check("CUDA", "missing", "not to be had", why)
    cpu = machine.cpu
    detail = f"{cpu.name}, {cpu.cores} cores, {in_bytes(cpu.free)} of {in_bytes(cpu.total)} free"
    yield Check("processor", "ok", detail)
    choice = choose_device("auto", machine, needs=memory)
    yield Check(f"device for {INDEXTTS}", "ok", f"{choice.reason}; {choice.dtype}")


def _voices() -> Iterator[Check]:
    here = installed_path("heart") is not None
    need = "" if here else "reinstall hibari-tts; the voice is inside its wheel"
    yield Check("builtin voice", "ok" if here else "problem", "heart", need)
    for one in models():
        installed = one.state == "installed"
        size = in_bytes(one.model.size)
        detail = f"{one.state}, {size}" if installed else f"{one.state}; {size} to download"
        need = "" if installed else f"tts-toolkit models download {one.model.name}"
        yield Check(one.model.name, "ok" if installed else "missing", detail, need)


def _normalisers() -> Iterator[Check]:
    for language, (modules, extra, without) in _NORMALISERS.items():
        name = f"text normaliser {language}"
        missing = [module for module in modules if not _has(module)]
        if not missing:
            yield Check(name, "ok", ", ".join(modules) or "none: Arabic is read as it is")
        else:
            need = _install(extra) if extra else "Linux on x86_64 with Python before 3.14 has it"
            yield Check(name, "missing", f"{', '.join(missing)} not installed: {without}", need)


def _folders() -> Iterator[Check]:
    config = config_file()
    try:
        resolve({}, config_file=config)
    except OptionError as error:
        problems = str(error).replace("\n", "; ")
        yield Check("config file", "problem", problems, "mend it where it stands")
    else:
        yield Check("config file", "ok", f"{config}{'' if config.is_file() else ' (none yet)'}")
    store = home()
    top = next(folder for folder in (store, *store.absolute().parents) if folder.exists())
    free = in_bytes(shutil.disk_usage(top).free)
    if _writable(top):
        yield Check("cache folder", "ok", f"{store}, {free} free on its disk")
    else:
        yield Check(
            "cache folder",
            "missing",
            f"{store} can be read and not written: models in it are used, none is downloaded to it",
            "set TTS_TOOLKIT_HOME to a folder of yours, or mend its rights",
        )


def _network() -> Check:
    from tts_toolkit.store.hub import reach  # noqa: PLC0415 - brings the HTTP client

    try:
        return Check("hub", "ok", reach())
    except DownloadError as error:
        need = "check the connection, HTTPS_PROXY, or a mirror (HF_ENDPOINT)"
        return Check("hub", "problem", str(error), need)


def _has(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def _install(extra: str) -> str:
    return f"pip install 'tts-toolkit[{extra}]'"


def _writable(folder: Path) -> bool:
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)
