"""What the model makes of an utterance's voice and emotion."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import ref

from tts_toolkit.engines.builtin import DEFAULT_VOICE
from tts_toolkit.engines.indextts.default_voice import reference_clip
from tts_toolkit.engines.indextts.emotion import emotion_vector
from tts_toolkit.engines.indextts.emotion_text import EmotionReader
from tts_toolkit.engines.indextts.voice_cache import VoiceCache

if TYPE_CHECKING:
    from torch import Tensor

    from tts_toolkit.engines.indextts.checkpoint import Checkpoint
    from tts_toolkit.engines.indextts.voice import Conditioning
    from tts_toolkit.utterance import Utterance

# Emotion vectors kept, and moods in words; each is a few kB.
_KEPT = 1024


class Voices:
    """Reference clips by their content, so that a file that changes is heard anew.

    Args:
        checkpoint: the model.
        revision: what pins its weights.
        folder: for what clips are made into, and for the default voice's clip.
    """

    def __init__(self, checkpoint: Checkpoint, revision: str, folder: Path) -> None:
        self._checkpoint = checkpoint
        self._folder = folder
        self._cache = VoiceCache(checkpoint, revision, folder)
        # By the conditionings themselves, which the cache gives as the same objects; weakly, since
        # how many are kept, megabytes each, is the cache's to say.
        self._vectors: OrderedDict[tuple[object, ...], Tensor] = OrderedDict()
        self._reader: EmotionReader | None = None
        self._moods: OrderedDict[str, tuple[float, ...]] = OrderedDict()

    def of(self, utterance: Utterance) -> tuple[Conditioning, Tensor]:
        """The conditioning of an utterance's voice, and its emotion: shape (1, model_dim).

        Raises:
            EngineError: if a clip can't be used, or a mood in words can't be told.
            ModelMissingError: if the model that reads moods can't be loaded.
        """
        name = utterance.voice or DEFAULT_VOICE
        path = reference_clip(self._folder) if name == DEFAULT_VOICE else Path(name)
        voice = self._cache.voice(path)
        emotion = utterance.emotion
        mood = self._cache.emotion(Path(emotion.audio)) if emotion and emotion.audio else None
        vector = emotion.vector if emotion else None
        if emotion and emotion.text:
            vector = self._weights(emotion.text)
        weight = 1.0 if emotion is None or emotion.weight is None else emotion.weight
        key = (ref(voice), mood if mood is None else ref(mood), vector, weight)
        if key not in self._vectors:
            self._vectors[key] = emotion_vector(self._checkpoint, voice, mood, vector, weight)
            while len(self._vectors) > _KEPT:
                self._vectors.popitem(last=False)
        self._vectors.move_to_end(key)
        return voice, self._vectors[key]

    def _weights(self, text: str) -> tuple[float, ...]:
        """Of a mood in words."""
        if text not in self._moods:
            if self._reader is None:
                self._reader = EmotionReader(self._checkpoint.folder, self._checkpoint.device)
            self._moods[text] = self._reader(text)
            while len(self._moods) > _KEPT:
                self._moods.popitem(last=False)
        self._moods.move_to_end(text)
        return self._moods[text]
