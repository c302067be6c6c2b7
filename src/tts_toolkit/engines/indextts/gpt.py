"""The GPT of IndexTTS-2.5 over rows of different lengths: prompts in, one position a step.

It walks through the blocks of ``indextts25``'s ``UnifiedVoice`` itself, since transformers'
``generate`` keeps one length for a batch and can't let a row in or out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional

from tts_toolkit.engines.indextts.kv_cache import CacheShape
from tts_toolkit.engines.indextts.projection import Projection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from tts_toolkit.engines.indextts.kv_cache import KVCache

# What stands before the text: the voice with its emotion, and two zeros that the model was
# trained with (IndexTTS-2's duration and speed tokens).
CONDITIONING_POSITIONS = 3


@dataclass(frozen=True, eq=False)
class Prompt:
    """What a segment's codes are made from.

    Attributes:
        tokens: of the text with its language prefix, without start and stop.
        lang_id: of the language.
        style: shape (1, 192), float32: the voice's global style.
        emotion: shape (1, model_dim), float32.
    """

    tokens: tuple[int, ...]
    lang_id: int
    style: Tensor
    emotion: Tensor


class GPT:
    """The model, for decoding.

    Args:
        model: ``indextts25.gpt.model_v2.UnifiedVoice``, in eval mode, on its device and dtype.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self._blocks = [_Block(block) for block in model.gpt.h]
        self._head = Projection.of_linear(model.mel_head)
        self.heads: int = model.heads
        self.head_dim: int = model.model_dim // model.heads
        self.vocabulary: int = model.number_mel_codes
        self.start_code: int = model.start_mel_token
        self.stop_code: int = model.stop_mel_token
        # Code k stands at position k, start at 0.
        self.most_codes: int = model.mel_pos_embedding.emb.num_embeddings - 1
        self.most_tokens: int = model.text_pos_embedding.emb.num_embeddings - 2

    @property
    def device(self) -> torch.device:
        """Where it runs."""
        device: torch.device = self._model.mel_head.weight.device
        return device

    @property
    def dtype(self) -> torch.dtype:
        """Of its weights and so of its keys and values."""
        dtype: torch.dtype = self._model.mel_head.weight.dtype
        return dtype

    def cache_shape(self, *, most_tokens: int, most_codes: int) -> CacheShape:
        """A slot for a text of so many tokens and so many codes."""
        prompt = CONDITIONING_POSITIONS + most_tokens + 3  # start and stop of the text, start code
        return CacheShape(len(self._blocks), self.heads, self.head_dim, prompt + most_codes)

    def embed(self, prompt: Prompt) -> Tensor:
        """A prompt's positions: conditioning, text, start code; shape (T, model_dim).

        As ``prepare_gpt_inputs`` and ``GPT2InferenceModel`` of the package make them for a row that
        is alone.
        """
        model, device, dtype = self._model, self.device, self.dtype
        voice = model.spk_emb_proj(prompt.style.to(device, dtype)) + prompt.emotion.to(
            device, dtype
        )
        conditioning = torch.cat([voice, voice.new_zeros(2, voice.shape[1])])
        text = [token for token in prompt.tokens if token != model.stop_text_token]
        tokens = torch.tensor([model.start_text_token, *text, model.stop_text_token], device=device)
        positions = torch.arange(len(tokens), device=device)
        words = model.text_embedding(tokens) + model.text_pos_embedding.emb(positions)
        words = words + model.lang_embedding(torch.tensor([prompt.lang_id], device=device))
        start = model.mel_embedding(torch.tensor([self.start_code], device=device))
        start = start + model.mel_pos_embedding.emb(torch.tensor([0], device=device))
        return torch.cat([conditioning, words, start])

    def prefill(self, prompts: Sequence[Tensor], slots: Sequence[int], cache: KVCache) -> Tensor:
        """Put prompts into slots of the cache, and say what comes first.

        Args:
            prompts: each (T, model_dim), as ``embed`` makes them.
            slots: of each.
            cache: its slots are filled from their beginning.

        Returns:
            Logits of the first code, shape (B, V), float32.
        """
        lens = [len(prompt) for prompt in prompts]
        # Padded behind its end: a position only looks back, so none sees the padding.
        x = torch.nn.utils.rnn.pad_sequence(list(prompts), batch_first=True)
        count, length, _ = x.shape
        for layer, block in enumerate(self._blocks):
            query, keys, values = self._split(block.project(x), count, length)
            for row, slot in enumerate(slots):
                end = lens[row]
                cache.write_prompt(layer, slot, keys[row, :, :end], values[row, :, :end])
            seen = functional.scaled_dot_product_attention(query, keys, values, is_causal=True)
            x = block.finish(x, seen.transpose(1, 2).reshape(count, length, -1))
        last = x[torch.arange(count, device=x.device), torch.tensor(lens, device=x.device) - 1]
        return self._logits(last)

    def step(
        self, codes: Tensor, said: Tensor, lens: Tensor, cache: KVCache, *, longest: int
    ) -> Tensor:
        """Take each row's last code in, and say what comes next.

        Args:
            codes: shape (B,), int64: of slots 0 to B - 1.
            said: shape (B,), int64: how many codes each row has, this one included.
            lens: shape (B,), int64: how many positions each slot has, before.
            cache: grows by one position a row.
            longest: the largest of ``lens``.

        Returns:
            Logits, shape (B, V), float32.
        """
        model = self._model
        x = model.mel_embedding(codes) + model.mel_pos_embedding.emb(said)
        x = x.unsqueeze(1)
        upto = longest + 1
        within = torch.arange(upto, device=x.device) <= lens.unsqueeze(1)
        mask = within[:, None, None, :]
        for layer, block in enumerate(self._blocks):
            query, keys, values = self._split(block.project(x), len(codes), 1)
            all_keys, all_values = cache.append(
                layer, lens, keys.squeeze(2), values.squeeze(2), upto=upto
            )
            seen = functional.scaled_dot_product_attention(
                query, all_keys, all_values, attn_mask=mask
            )
            x = block.finish(x, seen.transpose(1, 2).reshape(len(codes), 1, -1))
        return self._logits(x.squeeze(1))

    def _split(self, joined: Tensor, count: int, length: int) -> tuple[Tensor, Tensor, Tensor]:
        """Query, keys and values, each (B, heads, T, head_dim), of a projection to all three."""
        parts = joined.view(count, length, 3, self.heads, self.head_dim)
        query, keys, values = parts.permute(2, 0, 3, 1, 4)
        return query, keys, values

    def _logits(self, x: Tensor) -> Tensor:
        model = self._model
        return self._head(model.final_norm(model.gpt.ln_f(x))).float()


class _Block:
    """One of transformers' GPT-2 blocks: all of it but attention."""

    def __init__(self, block: Any) -> None:
        self._before_attention = block.ln_1
        self._to_attention = Projection.of_conv1d(block.attn.c_attn)
        self._from_attention = Projection.of_conv1d(block.attn.c_proj)
        self._before_mlp = block.ln_2
        self._into_mlp = Projection.of_conv1d(block.mlp.c_fc)
        self._act = block.mlp.act
        self._out_of_mlp = Projection.of_conv1d(block.mlp.c_proj)

    def project(self, x: Tensor) -> Tensor:
        """Queries, keys and values, joined: (B, T, 3 x model_dim)."""
        return self._to_attention(self._before_attention(x))

    def finish(self, x: Tensor, attended: Tensor) -> Tensor:
        """What follows the attention."""
        x = x + self._from_attention(attended)
        return x + self._out_of_mlp(self._act(self._into_mlp(self._before_mlp(x))))
