"""The flow's estimator over rows that lie end to end, without padding.

All but attention and the WaveNet head's convolutions works frame by frame, so rows of any lengths
are one matrix. Attention takes the rows of one length together, or on CUDA, where many small
calls cost more than padding, all rows padded under a mask of their keys.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from indextts25.s2mel.modules.gpt_fast.model import precompute_freqs_cis
from torch.nn.functional import layer_norm, linear, rms_norm

from tts_toolkit.engines.indextts.block import Block, plus_product
from tts_toolkit.engines.indextts.wavenet import Margins, WaveNet
from tts_toolkit.errors import ModelMissingError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from indextts25.s2mel.modules.diffusion_transformer import DiT
    from torch import Tensor

    from tts_toolkit.engines.indextts.packing import Packing


class Modulation(NamedTuple):
    """What depends on the timestep only, for all steps; float32 but for the gates.

    Attributes:
        norms: for each adaptive norm in order, scale and shift of shape (steps, 512).
        gates: of each WaveNet layer, shape (steps, 1024).
        final: scale and shift of the last norm, shape (steps, 512).
    """

    norms: list[tuple[Tensor, Tensor]]
    gates: list[Tensor]
    final: tuple[Tensor, Tensor]


class Embedded(NamedTuple):
    """What depends on the rows only.

    Attributes:
        frames: shape (branches, frames, 512), float32: prompt, condition and style, merged.
        rotation: shape (branches x frames, 1, head dimension / 2), complex64: of each position.
        margins: of the WaveNet head's rows.
    """

    frames: Tensor
    rotation: Tensor
    margins: Margins


class Dit:
    """The estimator's arithmetic.

    Args:
        estimator: in eval mode, float32, weight norm folded.
        dtype: of the matrix products.

    Attributes:
        reach: frames that the WaveNet head sees to each side.
        device: the estimator's.

    Raises:
        ModelMissingError: if it is not built as IndexTTS-2.5's is.
    """

    def __init__(self, estimator: DiT, *, dtype: torch.dtype) -> None:
        _check(estimator)
        self._dtype = dtype
        self._net = estimator
        self.device: torch.device = estimator.conv1.weight.device
        self._wavenet = WaveNet(estimator.wavenet, dtype=dtype)
        self.reach = self._wavenet.reach
        transformer = estimator.transformer
        self._width: int = transformer.config.dim
        self._layers = [Block(layer, dtype) for layer in transformer.layers]
        self._norms = [
            norm for layer in transformer.layers for norm in (layer.attention_norm, layer.ffn_norm)
        ] + [transformer.norm]
        # Layer i of the first half hands its output to layer (last - i).
        half = len(self._layers) // 2 if transformer.config.uvit_skip_connection else 0
        self._emits = range(half)
        self._receives = range(len(self._layers) // 2 + 1, len(self._layers)) if half else range(0)
        # Linear maps in a row are one linear map: skip_linear before conv1 and res_projection,
        # and the final linear before conv2. Multiplied in float64, so that nothing is lost.
        skip = estimator.skip_linear
        self._enter = _composed(estimator.conv1, skip, dtype)
        self._bypass = _composed(estimator.res_projection, skip, dtype)
        self._leave = _composed(estimator.conv2, estimator.final_layer.linear, dtype)

    @torch.inference_mode()
    def embed(
        self,
        packing: Packing,
        conditions: Sequence[Tensor],
        prompt_mels: Sequence[Tensor],
        styles: Sequence[Tensor],
    ) -> Embedded:
        """The rows' share of the estimator's input, which no step changes.

        Args:
            packing: of the rows.
            conditions: shape (T, 512) each.
            prompt_mels: shape (80, Tp) each.
            styles: shape (192,) each.
        """
        net = self._net
        mels = net.in_channels
        _, prompt_weight, condition_weight, style_weight = net.cond_x_merge_linear.weight.split(
            [mels, mels, self._width, len(styles[0])], dim=1
        )
        rows = []
        for condition, prompt_mel, style in zip(conditions, prompt_mels, styles, strict=True):
            merged = linear(
                net.cond_projection(condition.to(self.device, torch.float32)), condition_weight
            )
            merged += linear(
                style.to(self.device, torch.float32), style_weight, net.cond_x_merge_linear.bias
            )
            merged[: prompt_mel.shape[1]] += linear(
                prompt_mel.to(self.device, torch.float32).T, prompt_weight
            )
            rows.append(merged)
        frames = torch.cat(rows)[None]
        if packing.branches > 1:
            # The unconditional branch sees zeros for all three.
            empty = linear(net.cond_projection.bias, condition_weight, net.cond_x_merge_linear.bias)
            frames = torch.cat([frames, empty.expand_as(frames)])
        config = net.transformer.config
        table = precompute_freqs_cis(
            max(packing.lens), config.head_dim, config.rope_base, torch.float32
        )
        rotation = torch.view_as_complex(table).to(self.device)
        rotation = rotation.index_select(0, packing.positions)[:, None]
        margins = Margins(packing.tail_lens * packing.branches, self._wavenet.pads, self.device)
        return Embedded(frames, rotation, margins)

    @torch.inference_mode()
    def modulate(self, times: Tensor) -> Modulation:
        """The timesteps' share.

        Args:
            times: shape (steps,), float32, in [0, 1], on the device.
        """
        net = self._net
        timestep = net.t_embedder(times)
        norms = []
        for norm in self._norms:
            scale, shift = norm.project_layer(timestep).split(self._width, dim=-1)
            norms.append((scale * norm.norm.weight, shift))
        shift, scale = net.final_layer.adaLN_modulation(timestep).chunk(2, dim=1)
        gates = self._wavenet.gates(net.t_embedder2(times))
        return Modulation(norms, gates, (1 + scale, shift))

    @torch.inference_mode()
    def __call__(
        self, packing: Packing, rows: Embedded, modulation: Modulation, step: int, x: Tensor
    ) -> Tensor:
        """The velocity at ``x``.

        Args:
            packing: of the rows.
            rows: what ``embed`` gave.
            modulation: what ``modulate`` gave.
            step: which of its timesteps.
            x: shape (target frames, 80), float32; a prompt's frames are zero and not in it.

        Returns:
            Shape (branches x target frames, 80), float32.
        """
        net = self._net
        norms = [(scale[step], shift[step]) for scale, shift in modulation.norms]
        frames = x.new_zeros(rows.frames.shape[1], x.shape[1])
        frames.index_copy_(0, packing.target, x)
        noisy = linear(frames, net.cond_x_merge_linear.weight[:, : x.shape[1]])
        hidden = self._transform(packing, rows, norms, (rows.frames + noisy).flatten(0, 1))
        # What follows works on the tails, and from the WaveNet on on the targets.
        state = frames.index_select(0, packing.tail).repeat(packing.branches, 1)
        hidden = torch.cat([self._norm(hidden, norms[-1]), state], dim=1)
        gates = [gate[step] for gate in modulation.gates]
        out = self._wavenet(self._map(hidden, self._enter), rows.margins, gates)
        out = out.index_select(0, packing.targets_in_tails)
        out += self._map(hidden.index_select(0, packing.targets_in_tails), self._bypass)
        out = layer_norm(out, out.shape[1:], eps=net.final_layer.norm_final.eps)
        scale, shift = modulation.final
        return self._map(torch.addcmul(shift[step], out, scale[step]), self._leave)

    def _transform(
        self,
        packing: Packing,
        rows: Embedded,
        norms: Sequence[tuple[Tensor, Tensor]],
        hidden: Tensor,
    ) -> Tensor:
        """The transformer without its last norm: of all frames in, of the tails out."""
        skips: list[Tensor] = []
        last = len(self._layers) - 1
        for index, layer in enumerate(self._layers):
            if index in self._receives:
                hidden = layer.merge(hidden, skips.pop())
            mixed = self._norm(hidden, norms[2 * index]).to(self._dtype)
            if index < last:
                q, k, v = layer.project(mixed, rows.rotation)
                attended = packing.attention(q, k, v)
            else:
                k, v = layer.project_keys(mixed, rows.rotation)
                tails = packing.tails
                q = layer.project_queries(
                    mixed.index_select(0, tails), rows.rotation.index_select(0, tails)
                )
                attended = packing.tail_attention(q, k, v)
                hidden = hidden.index_select(0, tails)
            hidden = plus_product(hidden, attended, layer.out)
            mixed = self._norm(hidden, norms[2 * index + 1]).to(self._dtype)
            hidden = plus_product(hidden, layer.gated(mixed), layer.down)
            if index in self._emits:
                skips.append(hidden)
        return hidden

    def _norm(self, x: Tensor, modulation: tuple[Tensor, Tensor]) -> Tensor:
        scale, shift = modulation
        eps = self._net.transformer.config.norm_eps
        return rms_norm(x, x.shape[1:], scale, eps).add_(shift)

    def _map(self, x: Tensor, weights: tuple[Tensor, Tensor]) -> Tensor:
        weight, bias = weights
        return linear(x.to(self._dtype), weight, bias).float()


def _composed(outer: Any, inner: Any, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Weight and bias of ``outer(inner(x))``, both linear (or convolutions of one frame)."""
    matrix = outer.weight.detach().flatten(1).double()
    weight = matrix @ inner.weight.detach().double()
    bias = matrix @ inner.bias.detach().double() + outer.bias.detach().double()
    return weight.to(dtype), bias.to(dtype)


def _check(estimator: DiT) -> None:
    """Refuse what is not built as IndexTTS-2.5's estimator is."""
    wrong = [
        what
        for what, is_so in (
            ("time_as_token", estimator.time_as_token),
            ("style_as_token", estimator.style_as_token),
            ("style_condition: false", not estimator.transformer_style_condition),
            ("long_skip_connection: false", not estimator.long_skip_connection),
            (
                f"final_layer_type: {estimator.final_layer_type}",
                estimator.final_layer_type != "wavenet",
            ),
            ("weights that are not float32", estimator.conv1.weight.dtype != torch.float32),
        )
        if is_so
    ]
    if wrong:
        raise ModelMissingError(
            f"the flow of this model has {', '.join(wrong)}, which IndexTTS-2.5's has not; "
            "check s2mel.DiT in its config.yaml against the published one"
        )
