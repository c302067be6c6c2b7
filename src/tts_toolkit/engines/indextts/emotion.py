"""How an utterance should feel, as the one vector that the GPT takes beside the voice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from tts_toolkit.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from tts_toolkit.engines.indextts.checkpoint import Checkpoint
    from tts_toolkit.engines.indextts.voice import Conditioning

# indextts25 cuts the weights of a scaled vector behind the fourth decimal.
_DECIMALS = 10_000


@torch.no_grad()
def emotion_vector(
    checkpoint: Checkpoint,
    voice: Conditioning,
    emotion_semantic: Tensor | None,
    vector: Sequence[float] | None,
    weight: float,
) -> Tensor:
    """What ``indextts25`` calls ``emovec``.

    Args:
        checkpoint: the model.
        voice: of the speaker; without an emotion of its own an utterance has that of the clip.
        emotion_semantic: shape (1, T, 1024): of a clip whose mood is taken, or None.
        vector: a weight for each of the model's eight emotions, or None; beside it
            ``emotion_semantic`` is not used.
        weight: strength in [0, 1] of the clip's mood or of the vector.

    Returns:
        Shape (1, model_dim), float32, on the checkpoint's device.

    Raises:
        EngineError: if the vector has another length than the model has emotions.
    """
    if emotion_semantic is None or vector is not None:
        mood = _mood(checkpoint, voice, voice.emotion_semantic, 1.0)
    else:
        mood = _mood(checkpoint, voice, emotion_semantic, weight)
    if vector is None:
        return mood
    expected = len(checkpoint.emotion_matrices)
    if len(vector) != expected:
        raise EngineError(f"an emotion vector has {expected} weights, and this one {len(vector)}")
    strength = max(0.0, min(1.0, weight))
    if strength != 1.0:
        vector = [int(part * strength * _DECIMALS) / _DECIMALS for part in vector]
    weights = torch.tensor(vector, dtype=torch.float32, device=checkpoint.device)
    directions = torch.stack(
        [
            matrix[_most_similar(voice.style, speakers)]
            for matrix, speakers in zip(
                checkpoint.emotion_matrices, checkpoint.speaker_matrices, strict=True
            )
        ]
    )
    return (weights.unsqueeze(1) * directions).sum(0, keepdim=True) + (1 - weights.sum()) * mood


def _mood(checkpoint: Checkpoint, voice: Conditioning, semantic: Tensor, weight: float) -> Tensor:
    """The voice's own mood, moved towards that of ``semantic``; shape (1, model_dim), float32."""
    device, dtype = checkpoint.device, checkpoint.dtype
    with torch.autocast(device.type, dtype, enabled=dtype != torch.float32):
        merged: Tensor = checkpoint.gpt.merge_emovec(
            voice.semantic,
            semantic,
            # indextts25 gives the width for the length, as upstream does; a mask of the 750
            # frames of 15 seconds is full either way.
            torch.tensor([voice.semantic.shape[-1]], device=device),
            torch.tensor([semantic.shape[-1]], device=device),
            alpha=weight,
        )
    return merged.float()


def _most_similar(style: Tensor, speakers: Tensor) -> Tensor:
    """Which of the speakers (n, 192) is nearest to a style (1, 192), by cosine."""
    return functional.cosine_similarity(style.float(), speakers.float(), dim=1).argmax()
