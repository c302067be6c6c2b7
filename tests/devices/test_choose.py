"""Choosing over descriptions of machines."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tts_toolkit.devices.choose import choose_device
from tts_toolkit.devices.cuda import judge_cards
from tts_toolkit.devices.dtype import card_lacks
from tts_toolkit.devices.machine import Card, Cpu, Machine
from tts_toolkit.devices.visible import visible_cards
from tts_toolkit.errors import DeviceMissingError

GB = 1_000_000_000
NEEDS = {"float32": int(7.5 * GB), "bfloat16": int(5.5 * GB), "float16": int(5.5 * GB)}
PLAIN = Cpu("Plain", 8, 32 * GB, 24 * GB, bfloat16=False)
ZEN4 = replace(PLAIN, name="Zen 4", bfloat16=True)


def card(letter, name, capability, total, free):
    uuid = f"GPU-{letter * 8}-0000-0000-0000-000000000000"
    return Card(uuid, name, int(total * GB), int(free * GB), capability)


def instance(letter, name, total, free):
    return Card(f"MIG-{letter * 8}", name, int(total * GB), int(free * GB), (8, 0))


H100 = card("a", "H100", (9, 0), 80, 79)
A100 = card("b", "A100", (8, 0), 40, 39)
V100 = card("c", "V100", (7, 0), 32, 31)
T4 = card("d", "T4", (7, 5), 16, 15)
RTX3060 = card("e", "RTX 3060", (8, 6), 12, 11)
GTX1080 = card("f", "GTX 1080", (6, 1), 8, 7.9)
FULL = card("1", "Full A100", (8, 0), 40, 1)
SMALL = card("2", "GT 1030", (8, 6), 2, 1.9)


def cuda(*cards, build=(12, 8), driver=(12, 8), cpu=PLAIN, **more):
    """A machine with a good driver and a torch for it."""
    return Machine(
        cpu=cpu,
        torch=f"2.10.0+cu{build[0]}{build[1]}",
        torch_cuda=build,
        nvml="",
        driver="570.86",
        driver_cuda=driver,
        cards=cards,
        **more,
    )


NO_DRIVER = Machine(cpu=PLAIN, torch="2.10.0", torch_cuda=(12, 8))
EIGHT = (RTX3060, T4, FULL, V100, SMALL, H100, A100, GTX1080)
MIG = (instance("a", "A100 MIG 3g.20gb", 20, 19.5), instance("b", "A100 MIG 1g.5gb", 5, 4.8))


@dataclass(frozen=True)
class Case:
    """What a machine answers: to a wish, devices and dtype, or a refusal's words."""

    machine: Machine
    auto: tuple[str, str]
    says: tuple[str, ...]
    cuda: tuple[str, str] | tuple[str, ...] = ()
    refused: tuple[str, ...] = ()


# name → machine, what auto takes and says, and what --device cuda takes or is refused with.
CASES = {
    "nothing": Case(
        NO_DRIVER,
        ("cpu", "float32"),
        ("no NVIDIA driver",),
        refused=("--device cuda: there is no NVIDIA driver on this machine",),
    ),
    "a processor with bfloat16": Case(
        replace(NO_DRIVER, cpu=ZEN4), ("cpu", "bfloat16"), ("cpu:",), refused=("no NVIDIA driver",)
    ),
    "torch without CUDA": Case(
        replace(cuda(H100), torch="2.10.0+cpu", torch_cuda=None),
        ("cpu", "float32"),
        ("2.10.0+cpu is built without CUDA",),
        refused=("built without CUDA", "--torch-backend"),
    ),
    "no torch": Case(
        replace(NO_DRIVER, torch="", torch_cuda=None),
        ("cpu", "float32"),
        ("torch is not installed",),
        refused=("torch is not installed",),
    ),
    "a container without GPUs": Case(
        replace(NO_DRIVER, container=True),
        ("cpu", "float32"),
        ("docker run --gpus all",),
        refused=("this container has no GPU", "docker run --gpus all"),
    ),
    "WSL without a driver": Case(
        replace(NO_DRIVER, wsl=True),
        ("cpu", "float32"),
        ("in Windows, not in WSL",),
        refused=("install it in Windows",),
    ),
    "WSL with a card": Case(
        cuda(RTX3060, wsl=True), ("cuda:0", "bfloat16"), ("RTX 3060",), ("cuda:0", "bfloat16")
    ),
    "a driver that does not answer": Case(
        replace(NO_DRIVER, nvml="Driver/library version mismatch"),
        ("cpu", "float32"),
        ("version mismatch",),
        refused=("does not answer (Driver/library version mismatch)", "nvidia-smi"),
    ),
    "a driver too old": Case(
        cuda(H100, build=(13, 2), driver=(12, 4)),
        ("cpu", "float32"),
        ("too old",),
        refused=("driver 570.86 is too old", "CUDA 12.4 at most", "13.2", "580 on"),
    ),
    "a minor version behind is no trouble": Case(
        cuda(H100, build=(12, 8), driver=(12, 2)),
        ("cuda:0", "bfloat16"),
        ("H100",),
        ("cuda:0", "bfloat16"),
    ),
    "a driver and no card": Case(
        cuda(), ("cpu", "float32"), ("no NVIDIA GPU",), refused=("there is a driver, and no",)
    ),
    "a container with a driver and no card": Case(
        cuda(container=True), ("cpu", "float32"), ("--gpus all",), refused=("--gpus all",)
    ),
    "one card": Case(
        cuda(H100), ("cuda:0", "bfloat16"), ("cuda:0 (H100): 79.0 GB free",), ("cuda:0", "bfloat16")
    ),
    "eight cards": Case(
        cuda(*EIGHT, build=(12, 6)),
        ("cuda:5", "bfloat16"),
        ("most free memory of 6",),
        ("cuda:5", "bfloat16"),
    ),
    "equal cards: the first": Case(
        cuda(A100, replace(A100, uuid="GPU-other")),
        ("cuda:0", "bfloat16"),
        ("of 2",),
        ("cuda:0", "bfloat16"),
    ),
    "CUDA numbers by speed, NVML by place": Case(
        cuda(T4, H100, cuda_order=(H100.uuid, T4.uuid)),
        ("cuda:0", "bfloat16"),
        ("cuda:0 (H100)",),
        ("cuda:0", "bfloat16"),
    ),
    "a full card": Case(
        cuda(FULL),
        ("cpu", "float32"),
        ("cuda:0 (Full A100): too little memory",),
        refused=("5.5 GB are needed", "1.0 of 40.0 GB are free"),
    ),
    "a full card beside a free one": Case(
        cuda(FULL, T4), ("cuda:1", "float16"), ("cuda:1 (T4)",), ("cuda:1", "float16")
    ),
    "hidden by an empty list": Case(
        cuda(H100, visible_devices=""),
        ("cpu", "float32"),
        ("CUDA_VISIBLE_DEVICES='' hides all 1",),
        refused=("CUDA_VISIBLE_DEVICES=''",),
    ),
    "hidden by -1": Case(
        cuda(H100, A100, visible_devices="-1"),
        ("cpu", "float32"),
        ("hides all 2",),
        refused=("hides all 2 GPUs",),
    ),
    "chosen by index": Case(
        cuda(*EIGHT, visible_devices="3,1"), ("cuda:0", "float16"), ("V100",), ("cuda:0", "float16")
    ),
    "chosen by the start of a uuid": Case(
        cuda(*EIGHT, visible_devices="GPU-bb"), ("cuda:0", "bfloat16"), ("A100",)
    ),
    "a list that ends at nothing": Case(
        cuda(H100, A100, visible_devices="1,9,0"), ("cuda:0", "bfloat16"), ("A100",)
    ),
    "a card that is listed twice voids the list": Case(
        cuda(H100, A100, visible_devices="0,0"),
        ("cpu", "float32"),
        ("hides all",),
        refused=("hides all",),
    ),
    "MIG: CUDA shows the first instance": Case(
        cuda(*MIG), ("cuda:0", "bfloat16"), ("3g.20gb",), ("cuda:0", "bfloat16")
    ),
    "MIG: an instance chosen, too small": Case(
        cuda(*MIG, visible_devices="MIG-b"),
        ("cpu", "float32"),
        ("1g.5gb",),
        refused=("4.8 of 5.0 GB are free",),
    ),
    "Volta: float16": Case(cuda(V100, build=(12, 6)), ("cuda:0", "float16"), ("V100",)),
    "Pascal: float32": Case(
        cuda(GTX1080, build=(12, 6)), ("cuda:0", "float32"), ("GTX 1080",), ("cuda:0", "float32")
    ),
    "Volta is too old for CUDA 13": Case(
        cuda(V100, build=(13, 0), driver=(13, 0)),
        ("cpu", "float32"),
        ("too old for this torch",),
        refused=("compute capability 7.0", "wants 7.5"),
    ),
    "the CUDA driver does not start": Case(
        cuda(H100, cuda_error="error 802: system not yet initialized"),
        ("cpu", "float32"),
        ("error 802",),
        refused=("does not start (error 802",),
    ),
    "a Mac": Case(
        Machine(cpu=PLAIN, torch="2.10.0", mps=True),
        ("mps", "float32"),
        ("this Mac's GPU",),
        refused=("no NVIDIA driver",),
    ),
    "little memory on a processor": Case(
        replace(NO_DRIVER, cpu=replace(PLAIN, total=4 * GB, free=2 * GB)),
        ("cpu", "float32"),
        ("cpu:",),
        refused=("no NVIDIA driver",),
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_auto_takes_the_best_and_says_why(case):
    choice = choose_device("auto", case.machine, needs=NEEDS)
    assert (choice.devices, choice.dtype) == ((case.auto[0],), case.auto[1])
    for words in case.says:
        assert words in choice.reason


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_cuda_takes_a_card_or_says_what_is_missing(case):
    if case.refused:
        with pytest.raises(DeviceMissingError) as error:
            choose_device("cuda", case.machine, needs=NEEDS)
        for words in case.refused:
            assert words in str(error.value)
    else:
        choice = choose_device("cuda", case.machine, needs=NEEDS)
        assert (choice.devices[0], choice.dtype) == (case.cuda or case.auto)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_cpu_is_always_there(case):
    choice = choose_device("cpu", case.machine, needs=NEEDS)
    assert choice.devices == ("cpu",)
    assert choice.dtype == ("bfloat16" if case.machine.cpu.bfloat16 else "float32")


def test_a_number_is_taken_at_its_word():
    machine = cuda(H100, FULL, T4)
    assert choose_device("cuda:2", machine, needs=NEEDS).devices == ("cuda:2",)
    with pytest.raises(DeviceMissingError, match=r"cuda:1: Full A100: too little memory"):
        choose_device("cuda:1", machine, needs=NEEDS)
    with pytest.raises(DeviceMissingError, match=r"no such GPU; there are cuda:0 \(H100\), cuda:1"):
        choose_device("cuda:7", machine, needs=NEEDS)


def test_all_cards_work_in_one_dtype_and_the_unfit_are_named():
    choice = choose_device("cuda:all", cuda(H100, FULL, T4), needs=NEEDS)
    assert choice.devices == ("cuda:0", "cuda:2")
    assert choice.dtype == "float16"  # the T4 has no bfloat16
    assert choice.warnings == (
        (
            "cuda:1 (Full A100) is left out: too little memory: 5.5 GB are needed, "
            "1.0 of 40.0 GB are free"
        ),
    )
    with pytest.raises(DeviceMissingError, match="cuda:all: cuda:0"):
        choose_device("cuda:all", cuda(FULL), needs=NEEDS)
    pascal = choose_device("cuda:all", cuda(GTX1080, H100, build=(12, 6)), needs=NEEDS)
    assert pascal.dtype == "float32"


def test_a_dtype_that_the_hardware_lacks_is_refused_with_the_one_that_it_has():
    with pytest.raises(DeviceMissingError, match=r"only emulates bfloat16.*use --dtype float16"):
        choose_device("cuda:0", cuda(V100, build=(12, 6)), needs=NEEDS, dtype="bfloat16")
    with pytest.raises(DeviceMissingError, match=r"no fast float16.*use --dtype float32"):
        choose_device("cuda", cuda(GTX1080, build=(12, 6)), needs=NEEDS, dtype="float16")
    with pytest.raises(DeviceMissingError, match=r"float16.*use --dtype bfloat16, or a GPU"):
        choose_device("cpu", replace(NO_DRIVER, cpu=ZEN4), needs=NEEDS, dtype="float16")
    with pytest.raises(DeviceMissingError, match="no Mac"):
        choose_device("mps", NO_DRIVER, needs=NEEDS)


def test_a_dtype_leaves_auto_the_cards_that_have_it():
    choice = choose_device("auto", cuda(V100, RTX3060), needs=NEEDS, dtype="bfloat16")
    assert choice.devices == ("cuda:1",)


def test_memory_is_of_the_dtype():
    six = replace(RTX3060, free=6 * GB)
    assert choose_device("auto", cuda(six), needs=NEEDS).devices == ("cuda:0",)
    with pytest.raises(DeviceMissingError, match=r"7\.5 GB are needed, 6\.0 of 12\.0"):
        choose_device("cuda", cuda(six), needs=NEEDS, dtype="float32")


def test_what_may_go_badly_on_a_processor_is_told():
    little = replace(NO_DRIVER, cpu=replace(PLAIN, total=4 * GB, free=2 * GB))
    (warning,) = choose_device("cpu", little, needs=NEEDS).warnings
    assert "too little memory" in warning
    (warning,) = choose_device("cpu", NO_DRIVER, needs=NEEDS, dtype="bfloat16").warnings
    assert "no bfloat16 of its own" in warning


def test_hidden_cards_are_in_the_table_with_the_reason():
    judged = judge_cards(cuda(H100, A100, visible_devices="1"), needs=NEEDS)
    assert [(one.device, one.card.name) for one in judged] == [("cuda:0", "A100"), ("", "H100")]
    assert judged[1].problem == "CUDA_VISIBLE_DEVICES hides it"
    (_, other) = judge_cards(cuda(*MIG), needs=NEEDS)
    assert "one MIG instance" in other.problem


cards = st.lists(
    st.builds(
        card,
        st.sampled_from("0123456789"),
        st.sampled_from(["A", "B"]),
        st.sampled_from([(6, 0), (6, 1), (7, 0), (7, 5), (8, 0), (8, 9), (9, 0), (12, 0)]),
        st.just(80),
        st.floats(0, 80),
    ),
    max_size=8,
    unique_by=lambda one: one.uuid,
)
listed = st.none() | st.lists(st.integers(-1, 8), max_size=4).map(
    lambda numbers: ",".join(map(str, numbers))
)


@given(cards=cards, visible=listed, dtype=st.sampled_from(["auto", *NEEDS]))
def test_a_card_that_is_taken_is_visible_has_room_and_has_the_dtype(cards, visible, dtype):
    machine = cuda(*cards, visible_devices=visible)
    try:
        choice = choose_device("cuda", machine, needs=NEEDS, dtype=dtype)
    except DeviceMissingError:
        choice = None
    shown = visible_cards(machine)
    fits = [
        one.card.free
        for one in judge_cards(machine, needs=NEEDS, dtype=dtype)
        if one.device and not one.problem
    ]
    if choice is None:
        assert not fits
        return
    taken = shown[int(choice.devices[0].removeprefix("cuda:"))]
    assert taken.free == max(fits) >= NEEDS[choice.dtype]
    assert not card_lacks(taken, choice.dtype)
    assert dtype in {"auto", choice.dtype}
