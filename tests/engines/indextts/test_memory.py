"""How memory is shared out, and what is said when it does not suffice."""

from __future__ import annotations

import errno
import os

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tts_toolkit.engines.indextts import memory
from tts_toolkit.engines.indextts.memory import (
    ROW_FRAMES,
    Plan,
    first_line,
    flow_bytes,
    free_memory,
    gigabytes,
    out_of_memory,
    plan,
    room_for,
    shortage,
)
from tts_toolkit.errors import DeviceMissingError, ModelMissingError

CPU = torch.device("cpu")
GB = 10**9
MOST = {"most_slots": 32, "most_rows": 4}


def test_slots_get_two_fifths_of_what_is_free_and_rows_three_tenths():
    rows = int(0.3 * 2 * GB) // flow_bytes(ROW_FRAMES)
    assert plan(2 * GB, slot_bytes=GB // 10, most_slots=99, most_rows=99) == Plan(8, rows)
    assert rows >= 1


def test_there_is_a_limit_that_pays_and_at_least_one():
    assert plan(10_000 * GB, slot_bytes=GB, **MOST) == Plan(32, 4)
    assert plan(0, slot_bytes=GB, **MOST) == Plan(1, 1)


def test_slots_that_are_asked_for_are_taken_as_they_are():
    assert plan(GB, slot_bytes=GB, slots=500, **MOST).slots == 500
    assert (
        plan(GB, slot_bytes=GB, slots=500, **MOST).flow_rows
        == plan(GB, slot_bytes=GB, **MOST).flow_rows
    )


@given(
    free=st.integers(0, 10**12),
    slot_bytes=st.integers(1, 10**10),
    most_slots=st.integers(1, 256),
    most_rows=st.integers(1, 16),
)
def test_what_is_planned_fits_unless_it_is_one(free, slot_bytes, most_slots, most_rows):
    made = plan(free, slot_bytes=slot_bytes, most_slots=most_slots, most_rows=most_rows)
    assert 1 <= made.slots <= most_slots
    assert 1 <= made.flow_rows <= most_rows
    assert made.slots == 1 or made.slots * slot_bytes <= 0.4 * free
    assert made.flow_rows == 1 or made.flow_rows * flow_bytes(ROW_FRAMES) <= 0.3 * free


def test_the_flow_s_memory_grows_with_the_frames():
    assert flow_bytes(2000) == 2 * flow_bytes(1000)


def test_free_memory_of_the_processor_is_within_the_machine_s():
    assert 0 < free_memory(CPU) <= os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def caused(error, cause):
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        MemoryError(),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to"),
        RuntimeError("CUDA error: out of memory"),
        RuntimeError("MPS backend out of memory (MPS allocated: 8.00 GB)"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("unable to mmap 3259508791 bytes from file <gpt.pth>: Cannot allocate memory"),
        OSError(errno.ENOMEM, os.strerror(errno.ENOMEM)),
        caused(ModelMissingError("gpt.pth: it is damaged"), MemoryError()),
    ],
    ids=lambda error: (str(error) or type(error).__name__)[:30],
)
def test_no_memory_is_known_however_it_is_said(error):
    assert out_of_memory(error)


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("shapes do not match"),
        ModelMissingError("gpt.pth: it is damaged"),
        caused(ModelMissingError("gpt.pth: it is damaged"), EOFError("it ends")),
    ],
    ids=str,
)
def test_only_memory_is_taken_for_memory(error):
    assert not out_of_memory(error)


def test_an_error_in_the_handling_of_no_memory_is_not_one():
    error = RuntimeError("shapes do not match")
    error.__context__ = MemoryError()
    assert not out_of_memory(error)


def test_an_utterance_s_shortage_says_what_to_do():
    said = shortage("none left", "decoding", "a smaller --max-codes", torch.device("cuda:1"))
    assert str(said) == (
        "out of memory decoding; try a smaller --max-codes, or --device cpu (none left)"
    )
    assert "--device" not in str(shortage("none left", "decoding", "a smaller --max-codes", CPU))


def test_sizes_and_messages_are_short():
    assert gigabytes(400_000_000) == "0.40 GB"
    assert first_line(RuntimeError("\nCUDA out of memory.\nSee the documentation")) == (
        "CUDA out of memory."
    )
    assert first_line(MemoryError()) == "MemoryError"
    damaged = caused(ModelMissingError("gpt.pth: it is damaged"), MemoryError("none left"))
    assert first_line(damaged) == "none left"


def test_what_does_not_fit_is_said_with_what_is_free(monkeypatch):
    monkeypatch.setattr(memory, "free_memory", lambda _: 3 * GB)
    said = "slots need 8.00 GB, and 3.00 GB are free on cpu: take fewer (none left)"
    with pytest.raises(DeviceMissingError) as caught, room_for("slots", 8 * GB, CPU, "take fewer"):
        raise MemoryError("none left")
    assert str(caught.value) == said


def test_a_card_that_can_t_even_say_what_is_free_has_nothing(monkeypatch):
    def full(_):
        raise RuntimeError("CUDA error: out of memory")

    monkeypatch.setattr(memory, "free_memory", full)
    with (
        pytest.raises(DeviceMissingError, match=r"0.00 GB are free on cpu"),
        room_for("slots", GB, CPU, "take fewer"),
    ):
        pass


def test_other_errors_and_success_pass_through():
    with pytest.raises(RuntimeError, match="shapes"), room_for("slots", GB, CPU, "take fewer"):
        raise RuntimeError("shapes do not match")
    damaged = pytest.raises(ModelMissingError, match="damaged")
    with damaged, room_for("slots", GB, CPU, "take fewer"):
        raise ModelMissingError("gpt.pth: it is damaged")
    with room_for("slots", GB, CPU, "take fewer"):
        made = 1
    assert made
