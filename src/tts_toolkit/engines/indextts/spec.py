"""IndexTTS-2.5, not loaded: what it is, what it refuses, and how to load it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tts_toolkit.config import QUALITIES
from tts_toolkit.engines.base import EngineInfo
from tts_toolkit.engines.builtin import DEFAULT_VOICE
from tts_toolkit.engines.indextts.speakable import LANGUAGES, unspeakable
from tts_toolkit.errors import ModelMissingError, OptionError, VoiceMissingError
from tts_toolkit.scripts.fields import looks_like_clip
from tts_toolkit.store.catalogue import EMOTION, INDEXTTS, find_model
from tts_toolkit.store.models import require_model
from tts_toolkit.store.paths import home

if TYPE_CHECKING:
    from tts_toolkit.config import Options
    from tts_toolkit.engines.base import Engine
    from tts_toolkit.utterance import Utterance


@dataclass(frozen=True)
class IndexTTS:
    """The engine over one folder of weights, on one device.

    Attributes:
        folder: with the weights.
        devices: as torch takes them: a session runs on the first, a pool has one on each.
        dtype: "float32", "bfloat16" or "float16".
        published: whether the folder is the store's, and so as published.
        knobs: the options that the audio depends on, as JSON can hold them.
        batch_size: segments that decode together, or "auto".
        deterministic: whether the kernels have to repeat themselves.
        cuda_graphs: whether decoding steps are replayed as CUDA graphs.
        cache: folder for grammars and voices.
    """

    folder: Path
    devices: tuple[str, ...]
    dtype: str
    published: bool
    knobs: dict[str, Any] = field(hash=False)
    batch_size: int | str = "auto"
    deterministic: bool = False
    cuda_graphs: bool = False
    cache: Path = field(default_factory=home)

    @staticmethod
    def of(options: Options, folder: Path, *, devices: tuple[str, ...], dtype: str) -> IndexTTS:
        """The engine as the options want it."""
        return IndexTTS(
            folder=folder,
            devices=devices,
            dtype=dtype,
            published=options.model_dir is None,
            knobs={
                "diffusion_steps": options.diffusion_steps or QUALITIES[options.quality],
                "cfg_rate": options.cfg_rate,
                "temperature": options.temperature,
                "top_k": options.top_k,
                "top_p": options.top_p,
                "repetition_penalty": options.repetition_penalty,
                "max_codes": options.max_codes,
                "segment_tokens": options.segment_tokens,
                "glossary": str(options.glossary) if options.glossary else None,
                "raw": options.raw,
                "normalize": not options.no_normalize,
            },
            batch_size=options.batch_size,
            deterministic=options.deterministic,
            cuda_graphs=options.cuda_graphs,
        )

    @staticmethod
    def from_json(text: str) -> IndexTTS:
        """From ``address``, in a child process."""
        given = json.loads(text)
        given |= {"folder": Path(given["folder"]), "cache": Path(given["cache"])}
        return IndexTTS(**given | {"devices": tuple(given["devices"])})

    def address(self, worker: int) -> str:
        """Where a child process finds it; each is on a device of its own, as far as they go."""
        given = {field.name: getattr(self, field.name) for field in fields(self)}
        device = self.devices[worker % len(self.devices)]
        given |= {"folder": str(self.folder), "cache": str(self.cache), "devices": [device]}
        return f"{__name__}:IndexTTS.from_json?{json.dumps(given)}"

    def workers(self, asked: int | str, utterances: int) -> int:
        """How many processes speak; for "auto" one a device, since a batch fills it."""
        if isinstance(asked, int):
            return asked
        return max(1, min(len(self.devices), utterances))

    @cached_property
    def info(self) -> EngineInfo:
        """What it is."""
        model = find_model(INDEXTTS)
        revision = model.files[0].revision if self.published else self._fingerprint()
        return EngineInfo(
            name=INDEXTTS,
            model=model.title,
            model_revision=revision,
            licence=model.licence,
            dtype=self.dtype,
            sampling_rate=22_050,
            languages=frozenset(LANGUAGES),
            default_voice=DEFAULT_VOICE,
            clones=True,
            emotes=True,
            slowest=0.25,
            fastest=4.0,
            knobs=json.dumps({**self.knobs, "glossary": self._glossary_sha256()}, sort_keys=True),
        )

    def refuse(self, utterance: Utterance) -> str:
        """Why a field of the utterance can't be honoured, or ""."""
        voice = utterance.voice
        if voice is not None and not looks_like_clip(voice) and voice != DEFAULT_VOICE:
            return f"IndexTTS has no voice {voice!r}: give a reference clip, such as me.wav"
        if utterance.lang not in {None, "auto", *LANGUAGES}:
            return f"IndexTTS-2.5 speaks {', '.join(LANGUAGES)}, not {utterance.lang!r}"
        if utterance.emotion and utterance.emotion.text:
            return self._no_emotion_text
        return ""

    @cached_property
    def _no_emotion_text(self) -> str:
        """Why an emotion in words can't be read, or ""."""
        try:
            require_model(EMOTION, None if self.published else self.folder)
        except ModelMissingError as error:
            return f"an emotion in words needs a model of its own: {error}"
        return ""

    def unspeakable(self, text: str) -> str:
        """Why the text can't be said, judged without the model, or ""."""
        return unspeakable(text, "auto", normalize=bool(self.knobs["normalize"]))

    def voice_sha256(self, voice: str) -> str:
        """The content of a reference clip; of the default voice, what it is made from.

        Raises:
            VoiceMissingError: if there is no such file.
        """
        if voice == DEFAULT_VOICE:
            return sha256(DEFAULT_VOICE.encode()).hexdigest()
        try:
            return sha256(Path(voice).read_bytes()).hexdigest()
        except OSError as error:
            raise VoiceMissingError(f"--voice {voice}: {error.strerror}") from error

    def load(self) -> Engine:
        """A session in this process."""
        from tts_toolkit.engines.indextts.load import load_session  # noqa: PLC0415 - torch

        return load_session(self)

    def _fingerprint(self) -> str:
        """Of a folder of the user's own: names and sizes, and the content of its config."""
        digest = sha256((self.folder / "config.yaml").read_bytes())
        for file in find_model(INDEXTTS).files:
            path = self.folder / file.path
            digest.update(f"{file.path}:{path.stat().st_size}\n".encode())
        return digest.hexdigest()[:40]

    def _glossary_sha256(self) -> str | None:
        path = self.knobs["glossary"]
        if path is None:
            return None
        try:
            return sha256(Path(path).read_bytes()).hexdigest()
        except OSError as error:
            raise OptionError(f"--glossary {path}: {error.strerror}") from error
