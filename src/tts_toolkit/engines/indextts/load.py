"""From a description of the engine to a session: weights, texts, voices, and how much at once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch

from tts_toolkit.engines.indextts.checkpoint import load_checkpoint
from tts_toolkit.engines.indextts.deterministic import Deterministic, prepare
from tts_toolkit.engines.indextts.engine import IndexTTSSession
from tts_toolkit.engines.indextts.frontend import Frontend
from tts_toolkit.engines.indextts.glossary import read_glossary
from tts_toolkit.engines.indextts.gpt import GPT
from tts_toolkit.engines.indextts.memory import free_memory, plan, room_for
from tts_toolkit.engines.indextts.sampling import Sampling
from tts_toolkit.engines.indextts.settings import Settings
from tts_toolkit.engines.indextts.voices import Voices
from tts_toolkit.store.catalogue import INDEXTTS, find_model

if TYPE_CHECKING:
    from tts_toolkit.engines.base import Engine
    from tts_toolkit.engines.indextts.glossary import Glossary
    from tts_toolkit.engines.indextts.spec import IndexTTS

# What a slot may hold by default: 1500 codes are a minute.
_MAX_CODES = 1500
# Text tokens of a slot, unless longer segments are asked for: the default of the other languages.
_SEGMENT_TOKENS = 120
# Beyond these, a step's arithmetic takes over from reading the weights, and more rows gain little.
_MOST_SLOTS = {"cpu": 32, "mps": 32, "cuda": 256}
_MOST_ROWS = {"cpu": 4, "mps": 4, "cuda": 16}


def load_session(spec: IndexTTS) -> Engine:
    """Load the weights and make a session of them.

    Raises:
        DeviceMissingError: if they, or the slots that were asked for, do not fit into memory.
        ModelMissingError: if the folder does not hold the model.
    """
    device = torch.device(spec.devices[0])
    if spec.deterministic:
        prepare()
    with room_for(
        f"the weights of {INDEXTTS} in {spec.dtype} and room to work",
        find_model(INDEXTTS).memory[spec.dtype],
        device,
        "end what else uses it, raise the container's limit, or take another --dtype or --device",
    ):
        session = _load(spec, device)
    return Deterministic(session) if spec.deterministic else session


def _load(spec: IndexTTS, device: torch.device) -> IndexTTSSession:
    checkpoint = load_checkpoint(spec.folder, device=device, dtype=getattr(torch, spec.dtype))
    settings = settings_of(spec)
    gpt = GPT(checkpoint.gpt)
    most_tokens = min(gpt.most_tokens, max(_SEGMENT_TOKENS, settings.segment_tokens or 0))
    frontend = Frontend(
        checkpoint.tokenizer,
        spec.cache,
        glossary=_glossary(spec.knobs["glossary"]),
        max_text_tokens=most_tokens,
    )
    shape = gpt.cache_shape(most_tokens=most_tokens, most_codes=settings.sampling.max_codes)
    shares = plan(
        free_memory(device),
        slot_bytes=shape.slot_bytes(gpt.dtype),
        most_slots=_MOST_SLOTS[device.type],
        most_rows=_MOST_ROWS[device.type],
        slots=spec.batch_size if isinstance(spec.batch_size, int) else None,
    )
    return IndexTTSSession(
        spec.info,
        checkpoint,
        gpt,
        frontend,
        Voices(checkpoint, spec.info.model_revision, spec.cache / "voices"),
        settings,
        slots=shares.slots,
        most_tokens=most_tokens,
        flow_rows=shares.flow_rows,
        graphs=spec.cuda_graphs,
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
