"""Voices of utterances: what is kept of many clips."""

import gc
import weakref

import numpy as np
import soundfile as sf

from tts_toolkit.engines.indextts import voice_cache
from tts_toolkit.engines.indextts.voices import Voices
from tts_toolkit.utterance import Utterance


def test_no_more_clips_are_kept_than_the_cache_says(checkpoint, tmp_path, monkeypatch):
    monkeypatch.setattr(voice_cache.VoiceCache.__init__, "__kwdefaults__", {"kept": 2})
    voices = Voices(checkpoint, "1", tmp_path / "voices")
    seen = []
    for number in range(4):
        clip = tmp_path / f"{number}.wav"
        sf.write(clip, np.random.default_rng(number).normal(0, 0.1, 24_000), 24_000)
        line = Utterance("Hello.", voice=str(clip))
        voice, emotion = voices.of(line)
        again, same = voices.of(line)
        assert again is voice
        assert same is emotion
        seen.append(weakref.ref(voice))
    del voice, again
    gc.collect()
    assert [one() is not None for one in seen] == [False, False, True, True]
