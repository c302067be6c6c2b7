"""Looking at this machine, without a context on any card and without importing torch."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import platform
import uuid
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tts_toolkit.devices.host import has_mps, is_container, is_wsl, read_cpu
from tts_toolkit.devices.machine import Card, Machine

if TYPE_CHECKING:
    from tts_toolkit.devices.machine import Version

_UUID_BYTES = 16


def this_machine() -> Machine:
    """A description of this machine, as it is now."""
    cpu = read_cpu()
    torch, torch_cuda = read_torch()
    nvml, driver, driver_cuda, cards = read_nvml(shared=(cpu.total, cpu.free))
    order: tuple[str, ...] | None = None
    error = ""
    if cards and torch_cuda:
        seen, driver_runs, error = read_cuda()
        known = {card.uuid for card in cards}
        if seen is not None:
            order = tuple(one for one in seen if one in known)
        # With NVIDIA's compatibility libraries this is newer than what the driver itself has.
        driver_cuda = driver_runs or driver_cuda
    return Machine(
        cpu=cpu,
        torch=torch,
        torch_cuda=torch_cuda,
        nvml=nvml,
        driver=driver,
        driver_cuda=driver_cuda,
        cards=cards,
        cuda_order=order,
        cuda_error=error,
        visible_devices=os.environ.get("CUDA_VISIBLE_DEVICES"),
        container=is_container(),
        wsl=is_wsl(),
        mps=has_mps(),
    )


def read_torch() -> tuple[str, Version | None]:
    """Torch's version, and the CUDA that it was built for; ("", None) without torch.

    From its file ``version.py``: importing torch takes seconds.
    """
    try:
        installed = version("torch")
        spec = importlib.util.find_spec("torch")
    except (PackageNotFoundError, ValueError):
        return "", None
    if spec is None or spec.origin is None:
        return installed, None
    path = Path(spec.origin).with_name("version.py")
    of_file = importlib.util.spec_from_file_location("torch_version", path)
    if of_file is None or of_file.loader is None or not path.is_file():
        return installed, None
    module = importlib.util.module_from_spec(of_file)
    of_file.loader.exec_module(module)
    cuda = getattr(module, "cuda", None)
    return str(getattr(module, "__version__", installed)), _version(cuda) if cuda else None


def read_nvml(*, shared: tuple[int, int]) -> tuple[str, str, Version | None, tuple[Card, ...]]:
    """NVML's error ("" if it answers), the driver, the CUDA that it runs, and the cards.

    Args:
        shared: total and free bytes of the machine's memory, for cards that have none of their own.
    """
    import pynvml  # noqa: PLC0415 - only to look for cards

    try:
        pynvml.nvmlInit()
    except (pynvml.NVMLError_LibraryNotFound, pynvml.NVMLError_DriverNotLoaded):
        return "missing", "", None, ()
    except pynvml.NVMLError as error:
        return str(error), "", None, ()
    try:
        driver = str(pynvml.nvmlSystemGetDriverVersion())
        runs = int(pynvml.nvmlSystemGetCudaDriverVersion_v2())
        cards = tuple(
            card
            for number in range(pynvml.nvmlDeviceGetCount())
            for card in _cards_of(pynvml.nvmlDeviceGetHandleByIndex(number), shared)
        )
    except pynvml.NVMLError as error:
        return str(error), "", None, ()
    finally:
        pynvml.nvmlShutdown()
    return "", driver, _cuda_version(runs), cards


def read_cuda() -> tuple[tuple[str, ...] | None, Version | None, str]:
    """Uuids as CUDA numbers them for this process, the CUDA that it runs, and its error.

    CUDA does not say whether a uuid is a card's or an instance's: each is there as both.
    ``cuInit`` starts the driver and makes no context on any card.
    """
    name = "nvcuda.dll" if platform.system() == "Windows" else "libcuda.so.1"
    try:
        cuda = ctypes.CDLL(name)
    except OSError as error:
        return None, None, str(error)
    runs = ctypes.c_int()
    cuda.cuDriverGetVersion(ctypes.byref(runs))
    status = cuda.cuInit(0)
    if status:
        return None, _cuda_version(runs.value), _cuda_error(cuda, status)
    count = ctypes.c_int()
    cuda.cuDeviceGetCount(ctypes.byref(count))
    # The newer call knows MIG instances.
    get_uuid = getattr(cuda, "cuDeviceGetUuid_v2", None) or cuda.cuDeviceGetUuid
    kinds = ("GPU", "MIG")
    found = []
    for number in range(count.value):
        device = ctypes.c_int()
        cuda.cuDeviceGet(ctypes.byref(device), number)
        raw = (ctypes.c_ubyte * _UUID_BYTES)()
        get_uuid(ctypes.byref(raw), device)
        found.append(str(uuid.UUID(bytes=bytes(raw))))
    return tuple(f"{kind}-{one}" for one in found for kind in kinds), _cuda_version(runs.value), ""


def _cards_of(handle: Any, shared: tuple[int, int]) -> list[Card]:
    """A card, or the instances that it is split into."""
    import pynvml  # noqa: PLC0415 - as above

    capability = tuple(pynvml.nvmlDeviceGetCudaComputeCapability(handle))
    try:
        split = pynvml.nvmlDeviceGetMigMode(handle)[0] == pynvml.NVML_DEVICE_MIG_ENABLE
    except pynvml.NVMLError:
        split = False  # a card that knows no MIG
    if not split:
        return [_card(handle, capability, shared)]
    cards = []
    for number in range(pynvml.nvmlDeviceGetMaxMigDeviceCount(handle)):
        try:
            instance = pynvml.nvmlDeviceGetMigDeviceHandleByIndex(handle, number)
        except pynvml.NVMLError_NotFound:
            continue
        cards.append(_card(instance, capability, shared))
    return cards


def _card(handle: Any, capability: tuple[int, int], shared: tuple[int, int]) -> Card:
    import pynvml  # noqa: PLC0415 - as above

    try:
        memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
        total, free = int(memory.total), int(memory.free)
    except pynvml.NVMLError_NotSupported:
        total, free = shared  # a chip that shares the processor's memory
    return Card(
        uuid=str(pynvml.nvmlDeviceGetUUID(handle)),
        name=str(pynvml.nvmlDeviceGetName(handle)),
        total=total,
        free=free,
        capability=capability,
    )


def _cuda_error(cuda: Any, status: int) -> str:
    text = ctypes.c_char_p()
    if cuda.cuGetErrorString(status, ctypes.byref(text)) or not text.value:
        return f"error {status}"
    return f"error {status}: {text.value.decode(errors='replace')}"


def _version(text: str) -> Version:
    major, _, minor = text.partition(".")
    return int(major), int(minor.partition(".")[0] or 0)


def _cuda_version(number: int) -> Version | None:
    """CUDA's own way to write 12.4 is 12040."""
    return (number // 1000, number % 1000 // 10) if number else None
