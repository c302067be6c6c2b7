"""From a reference clip to what the model makes of it.

As ``indextts25`` does it, number for number: the speaker's clip goes through 22,050 Hz, and to
16 kHz from there; a clip that gives the emotion goes to 16 kHz at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import librosa
import numpy as np
import soundfile
import torch
from indextts25.s2mel.modules.audio import mel_spectrogram
from indextts25.utils.common import kaldi_fbank, resample

from tts_toolkit.errors import EngineError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

    from tts_toolkit.engines.indextts.checkpoint import Checkpoint

# What the model hears of a clip, in seconds; indextts25 cuts there.
LONGEST = 15
# w2v-bert and CAMPPlus make little of less, in seconds.
_SHORTEST = 1.0
# What is decoded of a longer file, in seconds: enough that the cut does not reach the resampler's
# filter at 15 seconds.
_DECODED = 20
# A peak below this, of 1, is a muted microphone: -60 dB.
_SILENT = 1e-3
# A sample at full scale, and the share of them from which a clip counts as clipped.
_FULL_SCALE = 0.999
_CLIPPED = 1e-3
# What w2v-bert and CAMPPlus hear, in Hz.
_SEMANTIC_RATE = 16_000
# Mel bands of CAMPPlus.
_STYLE_BANDS = 80


@dataclass(frozen=True, eq=False)
class Conditioning:
    """What the model makes of one reference clip; float32, on the checkpoint's device.

    Attributes:
        semantic: shape (1, T, 1024): normalised features of w2v-bert, 50 a second.
        style: shape (1, 192): CAMPPlus's vector of the speaker.
        prompt_condition: shape (1, Tp, content_dim, 512 as published): the length regulator over
            ``semantic``.
        prompt_mel: shape (1, 80, Tp): log mel, 22,050 Hz, hop 256.
        emotion_semantic: shape (1, T', 1024): as ``semantic``, of the clip as one that gives the
            emotion, which takes another way to 16 kHz.
        warnings: what its user should know of the clip.
    """

    semantic: Tensor
    style: Tensor
    prompt_condition: Tensor
    prompt_mel: Tensor
    emotion_semantic: Tensor
    warnings: tuple[str, ...]


@torch.no_grad()
def condition(checkpoint: Checkpoint, path: Path) -> Conditioning:
    """What the model makes of a speaker's clip: its first 15 seconds.

    The same file gives the same numbers. It takes seconds of a CPU.

    Args:
        checkpoint: the model.
        path: of any file that soundfile or librosa reads, at any rate, mono or not.

    Raises:
        EngineError: if it can't be read, is silent, or is shorter than a second.
    """
    clip = _read(path)
    warnings = _judge(clip, path)
    settings = checkpoint.config.s2mel.preprocess_params
    rate = settings.sr
    samples = clip.at(rate)
    low = resample(samples, rate, _SEMANTIC_RATE)
    semantic = _semantic(checkpoint, low)
    spectrum = settings.spect_params
    mel = mel_spectrogram(
        samples.to(checkpoint.device),
        n_fft=spectrum.n_fft,
        num_mels=spectrum.n_mels,
        sampling_rate=rate,
        hop_size=spectrum.hop_length,
        win_size=spectrum.win_length,
        fmin=spectrum.get("fmin", 0),
        # indextts25 takes any other value for 8000 as well.
        fmax=None if spectrum.get("fmax", "None") == "None" else 8000,
        center=False,
    )
    bank = kaldi_fbank(low.to(checkpoint.device), _STYLE_BANDS, _SEMANTIC_RATE)
    bank = bank - bank.mean(dim=0, keepdim=True)
    frames = torch.tensor([mel.shape[2]], device=checkpoint.device)
    return Conditioning(
        semantic=semantic,
        style=checkpoint.style_encoder(bank.unsqueeze(0)),
        prompt_condition=checkpoint.length_regulator(semantic, ylens=frames),
        prompt_mel=mel,
        emotion_semantic=_semantic(checkpoint, clip.at(_SEMANTIC_RATE)),
        warnings=warnings,
    )


@torch.no_grad()
def emotion_semantic(checkpoint: Checkpoint, path: Path) -> Tensor:
    """The features of a clip whose mood is taken: its first 15 seconds.

    Args:
        checkpoint: the model.
        path: of any file that soundfile or librosa reads, at any rate, mono or not.

    Returns:
        Shape (1, T, 1024), float32, on the checkpoint's device.

    Raises:
        EngineError: if it can't be read, is silent, or is shorter than a second.
    """
    clip = _read(path)
    _judge(clip, path)
    return _semantic(checkpoint, clip.at(_SEMANTIC_RATE))


@dataclass(frozen=True, eq=False)
class _Recording:
    """A decoded file.

    Attributes:
        samples: shape (T,), float32, mono; not more than 20 seconds.
        sampling_rate: in Hz.
        clipped: share of the samples that are at full scale in a channel, in [0, 1].
    """

    samples: NDArray[np.float32]
    sampling_rate: int
    clipped: float

    def at(self, rate: int) -> Tensor:
        """What the model hears at a rate in Hz: shape (1, T), float32."""
        samples = self.samples
        if rate != self.sampling_rate:
            samples = librosa.resample(samples, orig_sr=self.sampling_rate, target_sr=rate)
        return torch.tensor(samples[: LONGEST * rate]).unsqueeze(0)


def _read(path: Path) -> _Recording:
    try:
        with soundfile.SoundFile(path) as file:
            rate = file.samplerate
            channels = file.read(_DECODED * rate, dtype="float32", always_2d=True).T
    except (soundfile.LibsndfileError, OSError) as error:
        channels, rate = _read_otherwise(path, error)
    if not np.isfinite(channels).all():
        raise EngineError(f"the clip {path} has samples that are not numbers; record it again")
    full = np.abs(channels) >= _FULL_SCALE
    return _Recording(librosa.to_mono(channels), rate, float(full.mean()) if full.size else 0.0)


def _read_otherwise(path: Path, reason: Exception) -> tuple[NDArray[np.float32], int]:
    """A file that libsndfile does not read, with what else librosa finds on the machine.

    Returns:
        Shape (channels, T), float32, and the rate in Hz.
    """
    if not path.is_file():
        raise EngineError(f"there is no clip {path}") from reason
    import warnings  # noqa: PLC0415 - only for such files

    try:
        with warnings.catch_warnings():
            # librosa means to drop this way and says so, and its modules are old.
            warnings.simplefilter("ignore")
            from audioread import DecodeError  # noqa: PLC0415

            samples, rate = librosa.load(path, sr=None, mono=False, duration=_DECODED)
    except (DecodeError, EOFError, OSError, ValueError) as error:
        raise EngineError(
            f"the clip {path} can't be read as audio ({reason}); convert it to WAV or FLAC"
        ) from error
    return np.atleast_2d(samples), int(rate)


def _judge(clip: _Recording, path: Path) -> tuple[str, ...]:
    """What is wrong with a clip and can be lived with; what can't be is raised."""
    seconds = len(clip.samples) / clip.sampling_rate
    if seconds < _SHORTEST:
        raise EngineError(
            f"the clip {path} has {seconds:.2f} seconds; a voice needs one at least, better 5 to 15"
        )
    heard = clip.samples[: LONGEST * clip.sampling_rate]
    if float(np.abs(heard).max()) < _SILENT:
        raise EngineError(f"the clip {path} is silent in its first {LONGEST} seconds")
    # Without the path: they go into manifests, and are kept for any clip of the same content.
    warnings = []
    if seconds > LONGEST:
        warnings.append(
            f"the reference clip is longer than {LONGEST} seconds: only its start is used"
        )
    if clip.clipped > _CLIPPED:
        share = f"{clip.clipped:.1%}"
        warnings.append(f"the reference clip is clipped: {share} of its samples are at full scale")
    return tuple(warnings)


def _semantic(checkpoint: Checkpoint, samples: Tensor) -> Tensor:
    """Normalised features of w2v-bert, shape (1, T, 1024), of samples (1, T) at 16 kHz."""
    inputs = checkpoint.feature_extractor(
        samples.numpy(), sampling_rate=_SEMANTIC_RATE, return_tensors="pt"
    )
    # The model has as many layers as are read, so its last state is the one that is wanted.
    features: Tensor = checkpoint.semantic_model(
        input_features=inputs["input_features"].to(checkpoint.device),
        attention_mask=inputs["attention_mask"].to(checkpoint.device),
    ).last_hidden_state
    return (features - checkpoint.semantic_mean) / checkpoint.semantic_std
