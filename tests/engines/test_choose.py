from pathlib import Path

import pytest

from tts_toolkit.config import Options
from tts_toolkit.engines.choose import choose
from tts_toolkit.errors import DeviceMissingError, ModelMissingError, OptionError


@pytest.mark.parametrize("options", [Options(), Options(model="builtin"), Options(device="cpu")])
def test_the_embedded_voice_is_what_a_fresh_machine_has(options):
    choice = choose(options)
    assert choice.spec.info.name == "builtin"
    assert "builtin" in choice.reason


@pytest.mark.parametrize(
    "options",
    [
        Options(voice="me.wav"),
        Options(device="cuda"),
        Options(device="cuda:all"),
        Options(model_dir=Path("weights")),
        Options(model="indextts-2.5"),
        Options(model="builtin", voice="clips/me.flac"),
    ],
)
def test_what_needs_indextts_is_never_said_by_another_voice(options):
    with pytest.raises(ModelMissingError, match=r"IndexTTS-2\.5 is not part of this version"):
        choose(options)


def test_builtin_refuses_what_it_can_not_use():
    with pytest.raises(DeviceMissingError, match="runs on the CPU"):
        choose(Options(model="builtin", device="cuda"))
    with pytest.raises(OptionError, match="carries its own weights"):
        choose(Options(model="builtin", model_dir=Path("weights")))


def test_a_folder_keeps_the_engine_that_it_was_made_with(fake_engine):
    assert choose(Options(), made_with="indextts-2.5").spec is fake_engine
    assert choose(Options(model="builtin"), made_with="indextts-2.5").spec.info.name == "builtin"
