from __future__ import annotations

import io

import numpy as np
import pytest


@pytest.fixture
def tone():
    """A tone of 440 Hz that fades in and out: shape (T,), float32."""

    def make(sampling_rate, seconds=0.5, peak=0.5):
        length = round(sampling_rate * seconds) + 17
        wave = peak * np.sin(2 * np.pi * 440 * np.arange(length) / sampling_rate)
        edge = sampling_rate // 20
        wave[:edge] *= np.linspace(0, 1, edge)
        wave[-edge:] *= np.linspace(1, 0, edge)
        return wave.astype(np.float32)

    return make


@pytest.fixture
def decoded():
    """Samples, rate and tags of a file's bytes, as libsndfile reads them."""

    def read(data):
        import soundfile

        with soundfile.SoundFile(io.BytesIO(data)) as file:
            return file.read(dtype="float32"), file.samplerate, file.copy_metadata()

    return read
