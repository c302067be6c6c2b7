"""From a description of the engine to a session: weights, texts, voices, and how much at once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch

from tts_toolkit.devices.host import read_cpu
from tts_toolkit.engines.indextts.checkpoint import load_checkpoint
from tts_toolkit.engines.indextts.engine import IndexTTSSession
from tts_toolkit.engines.indextts.frontend import Frontend
from tts_toolkit.engines.indextts.glossary import read_glossary
from tts_toolkit.engines.indextts.gpt import GPT
from tts_toolkit.engines.indextts.sampling import Sampling
from tts_toolkit.engines.indextts.settings import Settings
from tts_toolkit.engines.indextts.voices import Voices

if TYPE_CHECKING:
    from tts_toolkit.engines.indextts.glossary import Glossary
    from tts_toolkit.engines.indextts.spec import IndexTTS

# What a slot may hold by default: 1500 codes are a minute.
_MAX_CODES = 1500
# Text tokens of a slot, unless longer segments are asked for: the default of the other languages.
_SEGMENT_TOKENS = 120
# Of what is free, this share may be keys and values; flow and vocoder need room as well.
_CACHE_SHARE = 0.4
# Beyond these, a step's arithmetic takes over from reading the weights, and more rows gain little.
_MOST_SLOTS = {"cpu": 32, "mps": 32, "cuda": 256}
_FLOW_ROWS = {"cpu": 4, "mps": 4, "cuda": 16}


def load_session(spec: IndexTTS) -> IndexTTSSession:
    """Load the weights and make a session of them."""
    device = torch.device(spec.devices[0])
    checkpoint = load_checkpoint(spec.folder, device=device, dtype=getattr(torch, spec.dtype))
    settings = settings_of(spec)
    gpt = GPT(checkpoint.gpt)
    most_tokens = min(gpt.most_tokens, max(_SEGMENT_TOKENS, settings.segment_tokens or 0))
    frontend = Frontend(
        checkpoint.tokenizer,
        spec.cache / "grammars",
        glossary=_glossary(spec.knobs["glossary"]),
        max_text_tokens=most_tokens,
    )
    shape = gpt.cache_shape(most_tokens=most_tokens, most_codes=settings.sampling.max_codes)
    slots = spec.batch_size
    if not isinstance(slots, int):
        budget = int(_free(device) * _CACHE_SHARE)
        slots = min(_MOST_SLOTS[device.type], shape.slots_in(budget, gpt.dtype))
    return IndexTTSSession(
        spec.info,
        checkpoint,
        gpt,
        frontend,
        Voices(checkpoint, spec.info.model_revision, spec.cache / "voices"),
        settings,
        slots=slots,
        most_tokens=most_tokens,
        flow_rows=_FLOW_ROWS[device.type],
    )


def settings_of(spec: IndexTTS) -> Settings:
    """The knobs as the session takes them."""
    knobs = spec.knobs
    return Settings(
        diffusion_steps=knobs["diffusion_steps"],
        cfg_rate=knobs["cfg_rate"],
        sampling=Sampling(
            temperature=knobs["temperature"],
            top_k=knobs["top_k"],
            top_p=knobs["top_p"],
            repetition_penalty=knobs["repetition_penalty"],
            max_codes=knobs["max_codes"] or _MAX_CODES,
        ),
        segment_tokens=knobs["segment_tokens"],
        raw=knobs["raw"],
        normalize=knobs["normalize"],
        # Who sets the cap means it.
        retry_capped=knobs["max_codes"] is None,
    )


def _glossary(path: str | None) -> Glossary | None:
    return read_glossary(Path(path)) if path else None


def _free(device: torch.device) -> int:
    """Memory that can be had on the device, in bytes."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    return read_cpu().free
