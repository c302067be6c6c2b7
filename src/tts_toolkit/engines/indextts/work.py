"""An utterance on its way: its segments, in order, and what has become of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray
    from torch import Tensor

    from tts_toolkit.audio.join import Joiner
    from tts_toolkit.engines.base import Segment
    from tts_toolkit.engines.indextts.frontend import SegmentText
    from tts_toolkit.engines.indextts.voice import Conditioning
    from tts_toolkit.utterance import Utterance


@dataclass(eq=False)
class Piece:
    """A segment.

    Attributes:
        text: what it says.
        number: of its generator, unique in the utterance.
        codes: once it is decoded; shape (N,), int64.
        wave: once it is vocoded; shape (T,), float32.
        retried: whether it is a part of one that ran into the cap.
    """

    text: SegmentText
    number: int
    codes: Tensor | None = None
    wave: NDArray[np.float32] | None = None
    retried: bool = False


@dataclass(eq=False)
class Work:
    """An utterance.

    Attributes:
        utterance: that was submitted.
        voice: its conditioning.
        emotion: shape (1, model_dim), float32.
        pieces: its segments, in order.
        noise: one generator for the noise of all of its segments, drawn in their order.
        started: how many pieces, from the first, the flow has.
        said: how many pieces, from the first, were handed out.
        joiner: puts them behind each other.
        parts: their samples, each with the pause before it.
        segments: their places in the clip.
        seconds: of computing, its share of each batch.
        warnings: for the listener.
    """

    utterance: Utterance
    voice: Conditioning
    emotion: Tensor
    pieces: list[Piece]
    noise: torch.Generator
    joiner: Joiner
    started: int = 0
    said: int = 0
    parts: list[NDArray[np.float32]] = field(default_factory=list)
    segments: list[Segment] = field(default_factory=list)
    seconds: float = 0.0
    warnings: list[str] = field(default_factory=list)

    def ready_for_flow(self) -> list[Piece]:
        """The next pieces whose codes are there, and those of all before them.

        The noise of a segment is drawn after that of the segments before it, so its length has to
        be known first.
        """
        ready = []
        for piece in self.pieces[self.started :]:
            if piece.codes is None:
                break
            ready.append(piece)
        self.started += len(ready)
        return ready

    def ready_to_say(self) -> list[Piece]:
        """The next pieces that are vocoded, and all before them are."""
        ready = []
        for piece in self.pieces[self.said :]:
            if piece.wave is None:
                break
            ready.append(piece)
        self.said += len(ready)
        return ready

    @property
    def finished(self) -> bool:
        """Whether every piece was handed out."""
        return self.said == len(self.pieces)

    def replace(self, piece: Piece, smaller: list[Piece]) -> None:
        """Put smaller pieces in the place of one that is not decoded."""
        at = self.pieces.index(piece)
        self.pieces[at : at + 1] = smaller
