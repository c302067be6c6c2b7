"""Looking at a machine whose driver is a double: there is no GPU where these tests run."""

from __future__ import annotations

import subprocess
import sys
import uuid
from dataclasses import dataclass, field
from importlib.metadata import version
from types import SimpleNamespace

import pynvml
import pytest

from tts_toolkit.devices import probe
from tts_toolkit.devices.probe import read_cuda, read_nvml, read_torch, this_machine

GB = 1_000_000_000
BYTES = {letter: bytes([ord(letter)]) * 16 for letter in "abcd"}


def uuid_of(letter, kind="GPU"):
    return f"{kind}-{uuid.UUID(bytes=BYTES[letter])}"


@dataclass
class Gpu:
    """A card of the double.

    Attributes:
        shared: whether it has no memory of its own.
        parts: its MIG instances; None for a card that knows no MIG.
    """

    letter: str
    kind: str = "GPU"
    free: int = 70 * GB
    shared: bool = False
    parts: list[Gpu | None] | None = field(default=None)


@pytest.fixture
def nvml(monkeypatch):
    """NVML answers for these cards; what is done with it is noted."""

    def install(*cards):
        done = []

        def memory(gpu):
            if gpu.shared:
                raise pynvml.NVMLError_NotSupported
            return SimpleNamespace(total=80 * GB, free=gpu.free)

        def mode(gpu):
            if gpu.parts is None:
                raise pynvml.NVMLError_NotSupported
            return [int(bool(gpu.parts)), 0]

        def part(gpu, number):
            if gpu.parts[number] is None:
                raise pynvml.NVMLError_NotFound
            return gpu.parts[number]

        answers = {
            "nvmlInit": lambda: done.append("init"),
            "nvmlShutdown": lambda: done.append("shutdown"),
            "nvmlSystemGetDriverVersion": lambda: "580.65.06",
            "nvmlSystemGetCudaDriverVersion_v2": lambda: 13010,
            "nvmlDeviceGetCount": lambda: len(cards),
            "nvmlDeviceGetHandleByIndex": lambda number: cards[number],
            "nvmlDeviceGetCudaComputeCapability": lambda _: (9, 0),
            "nvmlDeviceGetMigMode": mode,
            "nvmlDeviceGetMaxMigDeviceCount": lambda gpu: len(gpu.parts),
            "nvmlDeviceGetMigDeviceHandleByIndex": part,
            "nvmlDeviceGetMemoryInfo": memory,
            "nvmlDeviceGetUUID": lambda gpu: uuid_of(gpu.letter, gpu.kind),
            "nvmlDeviceGetName": lambda gpu: f"Card {gpu.letter}",
        }
        for name, answer in answers.items():
            monkeypatch.setattr(pynvml, name, answer)
        return done

    return install


class Driver:
    """libcuda's calls, for these uuids or with an error."""

    def __init__(self, letters="", status=0):
        self.letters = letters
        self.status = status
        self.called = []

    def __getattr__(self, name):
        def call(*args):
            self.called.append(name)
            return getattr(Driver, f"do_{name}")(self, *args)

        if not hasattr(Driver, f"do_{name}"):
            raise AttributeError(name)
        return call

    def do_cuDriverGetVersion(self, out):
        out._obj.value = 13020
        return 0

    def do_cuInit(self, _flags):
        return self.status

    def do_cuDeviceGetCount(self, out):
        out._obj.value = len(self.letters)
        return 0

    def do_cuDeviceGet(self, out, number):
        out._obj.value = number
        return 0

    def do_cuDeviceGetUuid_v2(self, out, device):
        out._obj[:] = BYTES[self.letters[device.value]]
        return 0

    def do_cuGetErrorString(self, _status, out):
        out._obj.value = b"no device"
        return 0


@pytest.fixture
def driver(monkeypatch):
    def install(**more):
        double = Driver(**more)
        monkeypatch.setattr(probe.ctypes, "CDLL", lambda _: double)
        return double

    return install


def test_cards_are_read_and_nvml_is_closed(nvml):
    done = nvml(Gpu("a"), Gpu("b", free=3 * GB, parts=[]))
    error, number, runs, cards = read_nvml(shared=(0, 0))
    assert (error, number, runs) == ("", "580.65.06", (13, 1))
    assert [(one.uuid, one.free) for one in cards] == [
        (uuid_of("a"), 70 * GB),
        (uuid_of("b"), 3 * GB),
    ]
    assert done == ["init", "shutdown"]


def test_a_card_that_is_split_is_its_instances(nvml):
    nvml(Gpu("a", parts=[Gpu("b", "MIG"), None, Gpu("c", "MIG")]))
    *_, cards = read_nvml(shared=(0, 0))
    assert [one.uuid for one in cards] == [uuid_of("b", "MIG"), uuid_of("c", "MIG")]
    assert all(one.is_instance for one in cards)


def test_a_chip_without_memory_of_its_own_has_the_machine_s(nvml):
    nvml(Gpu("a", shared=True))
    *_, (card,) = read_nvml(shared=(128 * GB, 100 * GB))
    assert (card.total, card.free) == (128 * GB, 100 * GB)


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (pynvml.NVMLError_LibraryNotFound, "missing"),
        (pynvml.NVMLError_DriverNotLoaded, "missing"),
        (pynvml.NVMLError_LibRmVersionMismatch, "Mismatch"),
    ],
)
def test_a_driver_that_does_not_answer_is_told(monkeypatch, error, says):
    def fail():
        raise error

    monkeypatch.setattr(pynvml, "nvmlInit", fail)
    found, *_, cards = read_nvml(shared=(0, 0))
    assert says.lower() in found.lower()
    assert cards == ()


def test_cuda_tells_its_order_and_makes_no_context(driver):
    cuda = driver(letters="ba")
    order, runs, error = read_cuda()
    assert (runs, error) == ((13, 2), "")
    assert [one for one in order if one.startswith("GPU")] == [uuid_of("b"), uuid_of("a")]
    assert "cuInit" in cuda.called
    assert not [name for name in cuda.called if "Ctx" in name]


def test_a_cuda_driver_that_does_not_start_says_why(driver):
    driver(status=100)
    assert read_cuda() == (None, (13, 2), "error 100: no device")


def test_without_a_cuda_driver_there_is_no_order(monkeypatch):
    def missing(name):
        raise OSError(f"{name}: cannot open shared object file")

    monkeypatch.setattr(probe.ctypes, "CDLL", missing)
    order, runs, error = read_cuda()
    assert (order, runs) == (None, None)
    assert "cannot open" in error


def test_a_whole_machine_is_described(nvml, driver, monkeypatch):
    nvml(Gpu("a"), Gpu("b"), Gpu("c", parts=[Gpu("d", "MIG")]))
    driver(letters="bda")
    monkeypatch.setattr(probe, "read_torch", lambda: ("2.15.0", (13, 2)))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1,2,0")
    machine = this_machine()
    assert machine.cuda_order == (uuid_of("b"), uuid_of("d", "MIG"), uuid_of("a"))
    assert machine.driver_cuda == (13, 2)  # of the libraries, which may be newer than the driver
    assert machine.visible_devices == "1,2,0"
    assert [one.name for one in machine.cards] == ["Card a", "Card b", "Card d"]


def test_torch_is_read_without_importing_it():
    found, cuda = read_torch()
    assert found.partition("+")[0] == version("torch").partition("+")[0]
    import torch

    wanted = torch.version.cuda
    assert cuda == (tuple(map(int, wanted.split(".")[:2])) if wanted else None)
    assert found == torch.__version__


def test_looking_imports_no_torch():
    program = (
        "import sys\n"
        "from tts_toolkit.devices.probe import this_machine\n"
        "this_machine()\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
