"""A machine as far as choosing a device needs it: plain values, no looking."""

from __future__ import annotations

from dataclasses import dataclass

Version = tuple[int, int]


@dataclass(frozen=True)
class Card:
    """A CUDA GPU, or an instance of one that is split (MIG).

    Attributes:
        uuid: as NVML and CUDA write it: "GPU-…", or "MIG-…" for an instance.
        name: e.g. "NVIDIA H100 80GB HBM3".
        total: memory in bytes.
        free: memory that nobody uses at the moment, in bytes.
        capability: compute capability, e.g. (9, 0).
    """

    uuid: str
    name: str
    total: int
    free: int
    capability: Version

    @property
    def is_instance(self) -> bool:
        """Whether it is a MIG instance."""
        return self.uuid.startswith("MIG-")


@dataclass(frozen=True)
class Cpu:
    """The processor and its memory.

    Attributes:
        name: e.g. "AMD EPYC".
        cores: that this process may use.
        total: memory in bytes, or the container's limit.
        free: memory that can be had at the moment, in bytes.
        bfloat16: whether it computes in bfloat16 (avx512_bf16, AMX, or Arm's).
    """

    name: str
    cores: int
    total: int
    free: int
    bfloat16: bool


@dataclass(frozen=True)
class Machine:
    """Everything that choosing a device looks at.

    Attributes:
        cpu: the processor.
        torch: its version, or "" where it is not installed.
        torch_cuda: CUDA that torch was built for, or None for a build without.
        nvml: "" if NVML answers, else its error; "missing" where there is no driver.
        driver: version of NVIDIA's driver, or "".
        driver_cuda: newest CUDA that the driver runs, or None.
        cards: in NVML's order.
        cuda_order: uuids in the order in which CUDA numbers them for this process, which is not
            NVML's; None where the CUDA driver was not asked.
        cuda_error: why the CUDA driver does not start, or "".
        visible_devices: the environment's CUDA_VISIBLE_DEVICES, or None.
        container: whether this is one.
        wsl: whether this is Linux in Windows.
        mps: whether there is an Apple GPU.
    """

    cpu: Cpu
    torch: str = ""
    torch_cuda: Version | None = None
    nvml: str = "missing"
    driver: str = ""
    driver_cuda: Version | None = None
    cards: tuple[Card, ...] = ()
    cuda_order: tuple[str, ...] | None = None
    cuda_error: str = ""
    visible_devices: str | None = None
    container: bool = False
    wsl: bool = False
    mps: bool = False
