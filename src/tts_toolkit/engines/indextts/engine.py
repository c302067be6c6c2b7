"""The session: utterances in, events out, all stages on one checkpoint."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

import numpy as np
import torch

from tts_toolkit.audio.join import Joiner
from tts_toolkit.engines.base import Failed
from tts_toolkit.engines.builtin import DEFAULT_VOICE
from tts_toolkit.engines.indextts.acoustic import Acoustic, AcousticRow
from tts_toolkit.engines.indextts.decode import Decoder, DecodeRequest
from tts_toolkit.engines.indextts.flow import group_rows
from tts_toolkit.engines.indextts.gpt import Prompt
from tts_toolkit.engines.indextts.memory import (
    ROW_FRAMES,
    first_line,
    flow_bytes,
    gigabytes,
    out_of_memory,
    shortage,
)
from tts_toolkit.engines.indextts.saying import say
from tts_toolkit.engines.indextts.work import Piece, Work
from tts_toolkit.errors import EngineError, ModelMissingError, UtteranceError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tts_toolkit.engines.base import EngineInfo, Event
    from tts_toolkit.engines.indextts.checkpoint import Checkpoint
    from tts_toolkit.engines.indextts.decode import Decoded
    from tts_toolkit.engines.indextts.flow import FlowRow
    from tts_toolkit.engines.indextts.frontend import Frontend
    from tts_toolkit.engines.indextts.gpt import GPT
    from tts_toolkit.engines.indextts.settings import Settings
    from tts_toolkit.engines.indextts.voices import Voices
    from tts_toolkit.utterance import Utterance

# Below this the model's duration factor does not shorten speech any further (measured upstream).
_LEAST_DURATION = 0.78
# Padding that rows of a batch may cost each other, where the flow pads, as a share of its work.
_WASTE = 0.15
# A segment that ran into the cap is cut to half of its tokens, but not below a few words.
_LEAST_TOKENS = 12
# What helps where a segment is too much behind the decoder.
_LESS = "a smaller --segment-tokens, a smaller --batch-size"


class IndexTTSSession:
    """Many utterances through the model at once, each with the audio that it would get alone.

    Args:
        info: what the engine is.
        checkpoint: the modules.
        gpt: the checkpoint's, for decoding.
        frontend: reads texts.
        voices: conditions reference clips and emotions.
        settings: the knobs.
        slots: segments that decode together.
        most_tokens: text tokens of the longest segment.
        flow_rows: segments that go through the flow together.
        graphs: whether decoding steps are replayed as CUDA graphs, where there is CUDA.

    Raises:
        DeviceMissingError: if there is no memory for so many slots.
    """

    def __init__(
        self,
        info: EngineInfo,
        checkpoint: Checkpoint,
        gpt: GPT,
        frontend: Frontend,
        voices: Voices,
        settings: Settings,
        *,
        slots: int,
        most_tokens: int,
        flow_rows: int,
        graphs: bool = False,
    ) -> None:
        self._info = info
        self._device = checkpoint.device
        self._frontend = frontend
        self._voices = voices
        self._settings = settings
        self._acoustic = Acoustic(checkpoint)
        self._decoder = Decoder(
            gpt,
            slots=slots,
            most_tokens=most_tokens,
            most_codes=settings.sampling.max_codes,
            graphs=graphs,
        )
        # What decodes, what waits for the flow, and as much again that may wait behind it.
        self._most = 2 * slots
        self._flow_rows = flow_rows
        self._works: dict[str, Work] = {}
        self._ready: deque[tuple[Work, Piece, FlowRow]] = deque()
        self._failures: list[Event] = []

    @property
    def info(self) -> EngineInfo:
        """What it is."""
        return self._info

    def has_room(self) -> bool:
        """Whether a slot will be free for it soon, and not too much is under way."""
        return self._decoder.free > 0 and len(self._works) < self._most

    def submit(self, utterance: Utterance) -> None:
        """Take an utterance; what is wrong with it comes as an event."""
        try:
            work = self._begin(utterance)
        except UtteranceError as error:
            self._failures.append(Failed(utterance.id, error))
            return
        except (MemoryError, RuntimeError, ModelMissingError) as error:
            if not out_of_memory(error):
                raise
            doing = f"conditioning the voice {utterance.voice or DEFAULT_VOICE} or its emotion"
            advice = "a shorter clip, a smaller --batch-size"
            failed = shortage(first_line(error), doing, advice, self._device)
            self._failures.append(Failed(utterance.id, failed))
            return
        self._works[utterance.id] = work
        self._decode(work, work.pieces)

    def step(self) -> list[Event]:
        """One code for all that decode, or one batch through flow and vocoder."""
        events, self._failures = self._failures, []
        if not self._decoder.idle:
            events += self._advance()
        events += self._settle()
        # Alone there is nothing to wait for; otherwise a few go together.
        alone = len(self._works) == 1
        if self._ready and (alone or self._decoder.idle or len(self._ready) >= self._flow_rows):
            events += self._render()
        return events

    def cancel(self, utterance_id: str) -> None:
        """Forget an utterance, whatever stage it is in."""
        work = self._works.pop(utterance_id, None)
        if work is None:
            self._failures = [one for one in self._failures if one.id != utterance_id]
            return
        self._decoder.cancel(lambda request: request.key[0] is work)
        self._ready = deque(one for one in self._ready if one[0] is not work)

    def close(self) -> None:
        """Let go of everything."""
        self._works.clear()
        self._ready.clear()
        self._decoder.cancel(lambda _: True)

    def _begin(self, utterance: Utterance) -> Work:
        settings = self._settings
        segments = self._frontend.segments(
            utterance.text,
            utterance.lang or "auto",
            segment_tokens=settings.segment_tokens,
            raw=settings.raw,
            normalize=settings.normalize,
        )
        voice, emotion = self._voices.of(utterance)
        work = Work(
            utterance=utterance,
            voice=voice,
            emotion=emotion,
            pieces=[Piece(segment, number) for number, segment in enumerate(segments)],
            noise=torch.Generator().manual_seed(utterance.seed or 0),
            joiner=Joiner(self._info.sampling_rate, raw=settings.raw),
        )
        work.warnings += voice.warnings
        if 1 / (utterance.speed or 1.0) < _LEAST_DURATION:
            work.warnings.append(
                f"speed {utterance.speed:g}: IndexTTS-2.5 gets no faster than about 1.28"
            )
        return work

    def _decode(self, work: Work, pieces: Sequence[Piece]) -> None:
        seed = work.utterance.seed or 0
        self._decoder.add(
            DecodeRequest(
                key=(work, piece),
                prompt=Prompt(
                    piece.text.tokens, piece.text.lang_id, work.voice.style, work.emotion
                ),
                sampling=self._settings.sampling,
                seed=seed,
                segment=piece.number,
            )
            for piece in pieces
        )

    def _advance(self) -> list[Event]:
        """One decoding step; out of memory, fewer rows go on, and one that is alone fails."""
        rows = max(1, self._decoder.active)
        started = time.perf_counter()
        try:
            decoded = self._decoder.step()
        except (MemoryError, RuntimeError) as error:
            if not out_of_memory(error):
                raise
            said = first_line(error)
        else:
            share = (time.perf_counter() - started) / rows
            for work in self._works.values():
                work.seconds += share * sum(piece.codes is None for piece in work.pieces)
            for one in decoded:
                self._take(one)
            return []
        # Behind the handler: in it, the error keeps alive what the step had made, and the cache.
        if self._decoder.slots > 1:
            self._decoder.halve()
            return []
        (request,) = self._decoder.decoding
        doing = (
            f"decoding {len(request.prompt.tokens)} text tokens, whose keys and values need "
            f"{gigabytes(self._decoder.bytes_of(request))} beside the weights"
        )
        advice = "a smaller --segment-tokens, a smaller --max-codes, another --dtype"
        return [self._fail(request.key[0], shortage(said, doing, advice, self._device))]

    def _take(self, decoded: Decoded) -> None:
        work, piece = decoded.request.key
        tokens = len(piece.text.tokens)
        if decoded.capped and self._retries(piece):
            smaller = self._frontend.segments(
                piece.text.text,
                work.utterance.lang or "auto",
                segment_tokens=max(_LEAST_TOKENS, tokens // 2),
                normalize=False,
            )
            if len(smaller) > 1:
                # Numbers that no other piece has, whatever else is retried.
                first = 1000 * (piece.number + 1)
                pieces = [Piece(text, first + n, retried=True) for n, text in enumerate(smaller)]
                work.replace(piece, pieces)
                self._decode(work, pieces)
                return
        if decoded.capped:
            work.warnings.append(
                f"cut off after {len(decoded.codes)} codes ({len(decoded.codes) / 25:.0f} s): "
                f"{piece.text.text[:60]!r}; smaller segments (--segment-tokens) or another seed "
                "may say all of it"
            )
        piece.codes = decoded.codes

    def _retries(self, piece: Piece) -> bool:
        settings = self._settings
        return settings.retry_capped and not settings.raw and not piece.retried

    def _settle(self) -> list[Event]:
        """Give what is decoded to the flow."""
        events: list[Event] = []
        for work in list(self._works.values()):
            error = self._prepare(work)
            events += [self._fail(work, error)] if error else self._hand_out(work)
        return events

    def _prepare(self, work: Work) -> EngineError | None:
        """An utterance's rows for the flow, as far as they are decoded; why it fails, if so."""
        for piece in work.ready_for_flow():
            assert piece.codes is not None
            if not len(piece.codes):
                piece.wave = np.zeros(0, np.float32)  # it stopped at once: nothing to say
                continue
            duration = 1 / (work.utterance.speed or 1.0)
            row = AcousticRow(piece.codes, work.voice, duration, work.noise)
            try:
                prepared = self._acoustic.prepare(row)
            except (MemoryError, RuntimeError) as error:
                if not out_of_memory(error):
                    raise
                doing = f"making features of {len(piece.codes)} codes"
                return shortage(first_line(error), doing, _LESS, self._device)
            self._ready.append((work, piece, prepared))
        return None

    def _render(self) -> list[Event]:
        """One batch through flow and vocoder."""
        batch = self._batch()
        started = time.perf_counter()
        events = self._render_rows(batch)
        frames = sum(len(row.condition) for _, _, row in batch)
        seconds = time.perf_counter() - started
        for work, _, row in batch:
            work.seconds += seconds * len(row.condition) / frames
        for work in dict.fromkeys(work for work, _, _ in batch):
            if work.utterance.id in self._works:
                events += self._hand_out(work)
        return events

    def _batch(self) -> list[tuple[Work, Piece, FlowRow]]:
        """The oldest segment, and others of about its length."""
        lens = [len(row.condition) for _, _, row in self._ready]
        groups = group_rows(lens, max_waste=_WASTE, max_frames=self._flow_rows * ROW_FRAMES)
        oldest = sorted(next(group for group in groups if 0 in group))
        chosen = set(oldest[: self._flow_rows])
        batch = [self._ready[index] for index in sorted(chosen)]
        self._ready = deque(one for n, one in enumerate(self._ready) if n not in chosen)
        return batch

    def _render_rows(self, batch: list[tuple[Work, Piece, FlowRow]]) -> list[Event]:
        """Render rows; out of memory, half of them at a time, and one that fails alone fails."""
        settings = self._settings
        try:
            waves = self._acoustic.render(
                [row for _, _, row in batch],
                diffusion_steps=settings.diffusion_steps,
                cfg_rate=settings.cfg_rate,
            )
        except (MemoryError, RuntimeError) as error:
            if not out_of_memory(error):
                raise
            said = first_line(error)
        else:
            for (_, piece, _), wave in zip(batch, waves, strict=True):
                piece.wave = wave
            return []
        # Behind the handler, as in ``_advance``.
        if len(batch) > 1:
            half = len(batch) // 2
            return self._render_rows(batch[:half]) + self._render_rows(batch[half:])
        work, _, row = batch[0]
        if self._works.get(work.utterance.id) is not work:
            return []  # another of its segments has failed just now
        frames = len(row.condition)
        doing = (
            f"making sound of a segment of {frames} mel frames, which needs about "
            f"{gigabytes(flow_bytes(frames))} beside the weights"
        )
        return [self._fail(work, shortage(said, doing, _LESS, self._device))]

    def _fail(self, work: Work, error: EngineError) -> Event:
        """Give an utterance up."""
        self.cancel(work.utterance.id)
        return Failed(work.utterance.id, error)

    def _hand_out(self, work: Work) -> list[Event]:
        """The segments that can be heard now, and the clip if these were the last."""
        events = say(work, self._info.sampling_rate)
        if work.finished:
            del self._works[work.utterance.id]
        return events
