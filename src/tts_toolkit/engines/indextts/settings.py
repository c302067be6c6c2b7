"""What a session does, apart from its utterances."""

from __future__ import annotations

from dataclasses import dataclass, field

from tts_toolkit.config import QUALITIES
from tts_toolkit.engines.indextts.sampling import Sampling


@dataclass(frozen=True)
class Settings:
    """The knobs of the engine, each with IndexTTS's own default.

    Attributes:
        diffusion_steps: Euler steps of the flow.
        cfg_rate: weight of its classifier-free guidance; 0 saves half of its work.
        sampling: how codes are chosen.
        segment_tokens: longest segment in text tokens, language prefix included; None for the
            language's own.
        raw: as ``indextts25`` does it: its cuts, 200 ms between segments, no trim, fade or retry.
        normalize: whether numbers and symbols are written out.
        retry_capped: whether a segment that runs into ``max_codes`` is cut smaller and tried once.
    """

    diffusion_steps: int = QUALITIES["fidelity"]
    cfg_rate: float = 0.7
    sampling: Sampling = field(default_factory=Sampling)
    segment_tokens: int | None = None
    raw: bool = False
    normalize: bool = True
    retry_capped: bool = True
