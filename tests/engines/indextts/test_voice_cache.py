import shutil
from dataclasses import fields
from types import SimpleNamespace

import pytest
import torch

from tts_toolkit.engines.indextts import voice_cache
from tts_toolkit.engines.indextts.voice import Conditioning
from tts_toolkit.engines.indextts.voice_cache import VoiceCache
from tts_toolkit.errors import EngineError

NAMES = [field.name for field in fields(Conditioning) if field.name != "warnings"]


@pytest.fixture
def model():
    return SimpleNamespace(device=torch.device("cpu"))


@pytest.fixture
def made(monkeypatch):
    """The clips that were computed, in order; what comes of one depends on its content."""
    paths = []

    def number(path):
        paths.append(path)
        return torch.full((1, 2, 3), float(path.stat().st_size))

    def condition(_, path):
        value = number(path)
        return Conditioning(**{name: value + NAMES.index(name) for name in NAMES}, warnings=("w",))

    monkeypatch.setattr(voice_cache, "condition", condition)
    monkeypatch.setattr(voice_cache, "emotion_semantic", lambda _, path: number(path))
    return paths


@pytest.fixture
def clip(tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(b"one clip")
    return path


def same(one, other):
    equal = all(torch.equal(getattr(one, name), getattr(other, name)) for name in NAMES)
    return equal and one.warnings == other.warnings


@pytest.mark.parametrize("on_disk", [True, False])
def test_a_clip_is_computed_once_a_session(model, made, clip, tmp_path, on_disk):
    cache = VoiceCache(model, "r1", tmp_path / "cache" if on_disk else None)
    assert cache.voice(clip) is cache.voice(clip)
    assert cache.emotion(clip) is cache.emotion(clip)
    assert made == [clip, clip]


def test_and_once_a_machine(model, made, clip, tmp_path):
    first = VoiceCache(model, "r1", tmp_path / "cache")
    voice, emotion = first.voice(clip), first.emotion(clip)
    second = VoiceCache(model, "r1", tmp_path / "cache")
    assert same(second.voice(clip), voice)
    assert torch.equal(second.emotion(clip), emotion)
    assert len(made) == 2
    assert not [path for path in (tmp_path / "cache").iterdir() if path.suffix == ".part"]


def test_it_goes_by_content_and_not_by_name(model, made, clip, tmp_path):
    cache = VoiceCache(model, "r1", tmp_path / "cache")
    before = cache.voice(clip)
    copy = shutil.copy(clip, tmp_path / "b.wav")
    assert cache.voice(copy) is before
    clip.write_bytes(b"another clip")
    assert not same(cache.voice(clip), before)
    assert len(made) == 2


def test_another_revision_computes_anew(model, made, clip, tmp_path):
    VoiceCache(model, "r1", tmp_path / "cache").voice(clip)
    VoiceCache(model, "r2", tmp_path / "cache").voice(clip)
    assert len(made) == 2


@pytest.mark.parametrize("damage", ["cut", "flipped", "text", "empty"])
def test_a_damaged_file_is_made_again(model, made, clip, tmp_path, damage):
    voice = VoiceCache(model, "r1", tmp_path / "cache").voice(clip)
    [file] = (tmp_path / "cache").iterdir()
    data = file.read_bytes()
    flipped = data[:-1] + bytes([data[-1] ^ 1])
    bad = {"cut": data[:-5], "flipped": flipped, "text": b"x" * 50, "empty": b""}
    file.write_bytes(bad[damage])
    assert same(VoiceCache(model, "r1", tmp_path / "cache").voice(clip), voice)
    assert len(made) == 2
    VoiceCache(model, "r1", tmp_path / "cache").voice(clip)
    assert len(made) == 2


def test_memory_keeps_the_clips_used_last(model, made, tmp_path):
    cache = VoiceCache(model, "r1", None, kept=2)
    clips = [tmp_path / f"{name}.wav" for name in "abc"]
    for clip in clips:
        clip.write_bytes(clip.name.encode())
    a, b, c = clips
    for clip in (a, b, a, c, a, b):
        cache.voice(clip)
    assert made == [a, b, c, b]


def test_a_folder_that_cannot_be_written_only_costs_time(model, made, clip, tmp_path):
    (tmp_path / "cache").write_text("a file where the folder should be")
    cache = VoiceCache(model, "r1", tmp_path / "cache")
    assert cache.voice(clip).warnings == ("w",)
    assert len(made) == 1


def test_a_clip_that_is_not_there_is_named(model, made, tmp_path):
    with pytest.raises(EngineError, match=r"gone\.wav"):
        VoiceCache(model, "r1", None).voice(tmp_path / "gone.wav")


def test_a_real_conditioning_comes_back_as_it_was(checkpoint, voices, tmp_path):
    made = VoiceCache(checkpoint, "r1", tmp_path).voice(voices["low"])
    assert same(VoiceCache(checkpoint, "r1", tmp_path).voice(voices["low"]), made)
