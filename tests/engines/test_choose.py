from pathlib import Path

import pytest

from tts_toolkit.config import Options
from tts_toolkit.devices.machine import Card, Cpu, Machine
from tts_toolkit.engines import choose as choose_module
from tts_toolkit.engines.choose import choose
from tts_toolkit.errors import DeviceMissingError, ModelMissingError, OptionError


@pytest.mark.parametrize("options", [Options(), Options(model="builtin"), Options(device="cpu")])
def test_the_embedded_voice_is_what_a_fresh_machine_has(options):
    choice = choose(options)
    assert choice.spec.info.name == "builtin"
    assert "builtin" in choice.reason


@pytest.fixture
def a_card(monkeypatch):
    """A machine with a GPU that could run IndexTTS."""
    card = Card("GPU-1", "H100", 80 * 10**9, 79 * 10**9, (9, 0))
    cpu = Cpu("Plain", 8, 32 * 10**9, 24 * 10**9, bfloat16=False)
    machine = Machine(
        cpu, "2.10.0", (13, 0), nvml="", driver="580", driver_cuda=(13, 0), cards=(card,)
    )
    monkeypatch.setattr(choose_module, "this_machine", lambda: machine)


@pytest.fixture
def no_card(monkeypatch):
    cpu = Cpu("Plain", 8, 32 * 10**9, 24 * 10**9, bfloat16=False)
    monkeypatch.setattr(choose_module, "this_machine", lambda: Machine(cpu, "2.10.0", (13, 0)))


@pytest.mark.usefixtures("a_card")
@pytest.mark.parametrize(
    "options",
    [
        Options(voice="me.wav"),
        Options(device="cuda"),
        Options(device="cuda:all"),
        Options(dtype="bfloat16"),
        Options(model="indextts-2.5"),
        Options(model="builtin", voice="clips/me.flac"),
    ],
)
def test_what_needs_indextts_is_never_said_by_another_voice(options):
    with pytest.raises(ModelMissingError, match=r"tts-toolkit models download indextts-2\.5"):
        choose(options)


@pytest.mark.parametrize("model", ["auto", "indextts-2.5"])
def test_a_folder_without_the_weights_is_refused_with_what_it_lacks(model, tmp_path):
    (tmp_path / "config.yaml").write_text("x: 1\n")
    with pytest.raises(ModelMissingError, match=r"(?s)missing in .*gpt\.pth \(3\.3 GB\) from"):
        choose(Options(model=model, model_dir=tmp_path))


@pytest.mark.usefixtures("no_card")
@pytest.mark.parametrize("model", ["auto", "builtin", "indextts-2.5"])
@pytest.mark.parametrize("device", ["cuda", "cuda:1", "cuda:all"])
def test_without_a_gpu_cuda_is_refused_with_the_reason(model, device):
    with pytest.raises(DeviceMissingError, match=f"--device {device}: there is no NVIDIA driver"):
        choose(Options(model=model, device=device))


@pytest.mark.usefixtures("no_card")
def test_a_dtype_that_the_device_lacks_is_refused():
    with pytest.raises(DeviceMissingError, match=r"--dtype float16.*use --dtype float32"):
        choose(Options(model="indextts-2.5", dtype="float16"))


@pytest.mark.usefixtures("a_card")
def test_builtin_refuses_what_it_can_not_use():
    with pytest.raises(DeviceMissingError, match="runs on the CPU"):
        choose(Options(model="builtin", device="cuda"))
    with pytest.raises(OptionError, match="carries its own weights"):
        choose(Options(model="builtin", model_dir=Path("weights")))
    with pytest.raises(OptionError, match="--dtype: the builtin voice is int8"):
        choose(Options(model="builtin", dtype="float32"))


def test_a_folder_keeps_the_engine_that_it_was_made_with(fake_engine):
    assert choose(Options(), made_with="indextts-2.5").spec is fake_engine
    assert choose(Options(model="builtin"), made_with="indextts-2.5").spec.info.name == "builtin"
