from __future__ import annotations

import errno
import io
import os
import re
import time

import numpy as np
import pytest

from tts_toolkit.audio.formats import _OFFERED, _RATES, audio_format
from tts_toolkit.audio.tags import tags
from tts_toolkit.audio.write import encode, save, write_synced
from tts_toolkit.errors import StorageError

# Every sample format that is offered, and how far it may be from what went in.
LOSSLESS = {
    ("wav", "PCM_16"): 2**-14,
    ("wav", "PCM_24"): 2**-22,
    ("wav", "PCM_32"): 2**-23,
    ("wav", "FLOAT"): 0.0,
    ("wav", "DOUBLE"): 0.0,
    ("wav", "ULAW"): 2**-5,
    ("wav", "ALAW"): 2**-5,
    ("flac", "PCM_16"): 2**-14,
    ("flac", "PCM_24"): 2**-22,
}
LOSSY = [("ogg", "VORBIS"), ("opus", "OPUS"), ("mp3", "MPEG_LAYER_III")]
EVERY = [*LOSSLESS, *LOSSY]
TAGS = {"software": "tts-toolkit 1", "artist": "an engine", "comment": "AI-generated speech"}


def test_every_sample_format_that_is_offered_is_tested():
    assert set(EVERY) == {(name, sub) for name, (_, subs) in _OFFERED.items() for sub in subs}


@pytest.mark.parametrize(("name", "subtype"), EVERY)
def test_rate_and_length_survive(name, subtype, tone, decoded):
    for rate in _RATES.get(name, (8000, 22_050, 24_000, 48_000, 192_000)):
        samples = tone(rate)
        read, read_rate, _ = decoded(encode(samples, audio_format(name, subtype, rate), TAGS))
        assert (read_rate, len(read)) == (rate, len(samples))


@pytest.mark.parametrize(("name", "subtype"), LOSSLESS)
def test_samples_survive(name, subtype, tone, decoded):
    samples = tone(24_000)
    read, _, _ = decoded(encode(samples, audio_format(name, subtype, 24_000), TAGS))
    assert np.abs(read - samples).max() <= LOSSLESS[name, subtype]


@pytest.mark.parametrize(("name", "subtype"), LOSSY)
@pytest.mark.parametrize("rate", [16_000, 24_000, 48_000])
def test_a_lossy_format_sounds_the_same(name, subtype, rate, tone, decoded):
    samples = tone(rate)
    read, _, _ = decoded(encode(samples, audio_format(name, subtype, rate), TAGS))
    assert np.sqrt(np.mean((read - samples) ** 2)) <= 0.05 * np.sqrt(np.mean(samples**2))


@pytest.mark.parametrize(("name", "subtype"), EVERY)
def test_the_same_clip_is_the_same_bytes(name, subtype, tone):
    written = audio_format(name, subtype, 24_000)
    assert encode(tone(24_000), written, TAGS) == encode(tone(24_000), written, TAGS)


@pytest.mark.parametrize(("name", "subtype"), EVERY)
def test_too_loud_saturates_and_never_wraps(name, subtype, tone, decoded):
    samples = tone(24_000, peak=3.0)
    read, _, _ = decoded(encode(samples, audio_format(name, subtype, 24_000), TAGS))
    loud = np.abs(samples) > 2.0
    assert np.abs(read).max() <= 1.2
    assert (np.sign(read) == np.sign(samples))[loud].all()
    assert np.abs(read[loud]).min() >= 0.75


def test_float_files_hold_no_sample_beyond_one(tone, decoded):
    read, _, _ = decoded(encode(tone(24_000, peak=3.0), audio_format("wav", "FLOAT", 24_000), {}))
    assert np.abs(read).max() == 1.0


def test_what_is_encoded_is_left_as_it_was(tone):
    samples = tone(24_000, peak=3.0)
    before = samples.copy()
    encode(samples, audio_format("wav", None, 24_000), TAGS)
    assert (samples == before).all()


@pytest.mark.parametrize("name", ["wav", "flac", "ogg", "opus"])
def test_a_file_says_that_a_machine_made_it_and_which(name, tone, decoded):
    given = tags("builtin", "hibari-tts", "0.2.1")
    _, _, found = decoded(encode(tone(24_000), audio_format(name, None, 24_000), given))
    assert found["comment"] == "AI-generated speech"
    assert found["artist"] == "builtin (hibari-tts 0.2.1)"
    assert re.match(r"tts-toolkit \d+\.\d+\.\d+", found["software"])


def test_an_mp3_says_so_too(tone, decoded):
    given = tags("builtin", "hibari-tts", "0.2.1")
    _, _, found = decoded(encode(tone(24_000), audio_format("mp3", None, 24_000), given))
    assert found["comment"] == "AI-generated speech"
    assert found["artist"] == "builtin (hibari-tts 0.2.1)"


@pytest.mark.parametrize("name", list(_OFFERED))
def test_a_file_has_no_date(name, tone, decoded):
    given = tags("builtin", "hibari-tts", "0.2.1")
    data = encode(tone(24_000), audio_format(name, None, 24_000), given)
    assert not decoded(data)[2].get("date")
    assert time.strftime("%Y").encode() not in data


def test_two_minutes_of_vorbis_do_not_bring_the_encoder_down(decoded):
    samples = np.zeros(24_000 * 120, np.float32)
    read, _, _ = decoded(encode(samples, audio_format("ogg", None, 24_000), TAGS))
    assert len(read) == len(samples)


def test_no_samples_are_an_empty_wav(decoded):
    data = encode(np.zeros(0, np.float32), audio_format("wav", None, 24_000), TAGS)
    assert len(decoded(data)[0]) == 0


def full(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class TestWriteSynced:
    def test_it_writes_what_it_was_given(self, tmp_path):
        write_synced(tmp_path / "a", b"data")
        assert (tmp_path / "a").read_bytes() == b"data"

    def test_it_waits_for_the_disk(self, tmp_path, monkeypatch):
        synced = []
        monkeypatch.setattr(os, "fsync", lambda handle: synced.append(os.fstat(handle).st_size))
        write_synced(tmp_path / "a", b"data")
        assert synced == [4]

    def test_a_full_disk_leaves_nothing_half_written(self, tmp_path, monkeypatch):
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            write_synced(tmp_path / "a", b"data")
        assert list(tmp_path.iterdir()) == []


class TestSave:
    def test_it_replaces_a_file_as_a_whole(self, tmp_path):
        (tmp_path / "a.wav").write_bytes(b"old and longer")
        save(tmp_path / "a.wav", b"new")
        assert (tmp_path / "a.wav").read_bytes() == b"new"
        assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]

    def test_a_full_disk_leaves_the_old_file_and_nothing_else(self, tmp_path, monkeypatch):
        path = tmp_path / "a.wav"
        path.write_bytes(b"old")
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(StorageError) as error:
            save(path, b"new")
        assert str(error.value) == f"{path}: can't be written: No space left on device"
        assert path.read_bytes() == b"old"
        assert [one.name for one in tmp_path.iterdir()] == ["a.wav"]

    def test_a_folder_in_its_place_is_named_and_nothing_is_left(self, tmp_path):
        path = tmp_path / "a.wav"
        path.mkdir()
        with pytest.raises(StorageError, match=re.escape(f"{path}: can't be written: ")):
            save(path, b"new")
        assert [one.name for one in tmp_path.iterdir()] == ["a.wav"]

    @pytest.mark.parametrize("place", ["missing/a.wav", "file/a.wav", "n" * 300 + ".wav"])
    def test_a_place_that_is_none_is_named(self, tmp_path, place):
        (tmp_path / "file").write_bytes(b"")
        with pytest.raises(StorageError, match=re.escape(f"{tmp_path / place}: can't be written")):
            save(tmp_path / place, b"new")
        assert [one.name for one in tmp_path.iterdir()] == ["file"]


def test_the_encoder_s_bytes_are_a_whole_file(tone):
    import soundfile

    data = encode(tone(24_000), audio_format("wav", None, 24_000), TAGS)
    assert soundfile.info(io.BytesIO(data)).format == "WAV"
    assert int.from_bytes(data[4:8], "little") + 8 == len(data)
