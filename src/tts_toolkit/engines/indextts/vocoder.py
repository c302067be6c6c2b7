"""BigVGAN, row by row: log-mels to waveforms, each exact up to its ends.

A row that is padded hears the padding at its end, so rows are vocoded alone: one fills a card.
The convolutions are PyTorch's. The anti-aliased activations between them, a third of the time on
a processor, are computed another way: see ``Activation``.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from torch.nn.functional import conv1d, pad

if TYPE_CHECKING:
    from collections.abc import Sequence

    from indextts25.s2mel.modules.bigvgan.alias_free_activation.torch.act import Activation1d
    from indextts25.s2mel.modules.bigvgan.bigvgan import AMPBlock1, BigVGAN
    from torch import Tensor

# Mel frames that are vocoded at once. 1024 frames are 12 s and take about 0.3 GB; what a piece
# hears of its neighbours (about 40 frames on each side) is computed twice, so 8 % more work.
_PIECE = 1024

# An anti-aliased activation has two filters of 12 taps at twice the rate, so it sees 5 samples to
# each side of one.
_TAPS = 12
_ACTIVATION_REACH = 5


class Vocoder:
    """Waveforms from log-mels.

    Args:
        bigvgan: in eval mode, float32, weight norm folded.
        piece: mel frames at once, at least 1; longer rows are vocoded in pieces that overlap by
            all that they hear of each other, so memory does not grow with a row.
    """

    def __init__(self, bigvgan: BigVGAN, *, piece: int = _PIECE) -> None:
        self._net = bigvgan
        self._piece = piece
        self._reach = reach(bigvgan)
        self._blocks = [_Block(block) for block in bigvgan.resblocks]
        self._last = Activation(bigvgan.activation_post)
        self._hop = 1
        for rate in bigvgan.h.upsample_rates:
            self._hop *= rate

    @torch.inference_mode()
    def __call__(self, mels: Sequence[Tensor]) -> list[Tensor]:
        """Vocode rows of any lengths, each as if alone.

        Args:
            mels: log-mels of shape (80, T), T at least 1.

        Returns:
            Waveforms of shape (256 T,), float32, in [-1, 1], on the vocoder's device.
        """
        weight = self._net.conv_pre.weight
        return [self._row(mel.to(weight.device, weight.dtype)) for mel in mels]

    def _row(self, mel: Tensor) -> Tensor:
        length = mel.shape[1]
        cuts = [*range(0, length, self._piece), length]
        pieces = []
        for start, end in pairwise(cuts):
            first, last = max(0, start - self._reach), min(length, end + self._reach)
            wave = self._vocode(mel[None, :, first:last])
            pieces.append(wave[(start - first) * self._hop : (end - first) * self._hop])
        return pieces[0] if len(pieces) == 1 else torch.cat(pieces)

    def _vocode(self, mel: Tensor) -> Tensor:
        net = self._net
        x = net.conv_pre(mel)
        for stage, ups in enumerate(net.ups):
            for up in ups:
                x = up(x)
            blocks = self._blocks[stage * net.num_kernels : (stage + 1) * net.num_kernels]
            total = blocks[0](x)
            for block in blocks[1:]:
                total += block(x)
            x = total.div_(net.num_kernels)
        wave: Tensor = net.conv_post(self._last(x))[0, 0]
        return wave.tanh_() if net.use_tanh_at_final else wave.clamp_(-1.0, 1.0)


class Activation:
    """BigVGAN's anti-aliased activation: to twice the rate, snake, and back.

    ``indextts25`` does it with a transposed convolution, then a convolution of stride 2. Here the
    two phases of the doubled signal are two signals of the plain rate: two depthwise convolutions
    of 6 taps make them and two bring them back, for which processors have fast kernels, and no
    tensor of the doubled rate is padded, cut or copied.

    Args:
        activation: with the ratio 2 and 12 taps that all of BigVGAN's have.
    """

    def __init__(self, activation: Activation1d) -> None:
        snake = activation.act
        up = activation.upsample.filter.detach()
        down = activation.downsample.lowpass.filter.detach()
        assert up.shape[-1] == down.shape[-1] == _TAPS
        alpha = snake.alpha.detach()
        beta = getattr(snake, "beta", snake.alpha).detach()
        if snake.alpha_logscale:
            alpha, beta = alpha.exp(), beta.exp()
        gain = alpha / (beta + snake.no_div_by_zero)
        self._gain = gain[:, None]
        # Between the filters the signal is scaled by alpha, which saves a pass over it. Where alpha
        # is 0 the sine is 0, and so is the gain: any scale will do.
        scale = torch.where(alpha == 0, 1.0, alpha)[:, None, None]
        # A transposed convolution runs its filter backwards; the doubled rate halves the level.
        self._up_even = scale * (2 * up[..., 1::2].flip(-1))
        self._up_odd = scale * (2 * up[..., 0::2].flip(-1))
        self._down_even = down[..., 1::2] / scale
        self._down_odd = down[..., 0::2] / scale

    def __call__(self, x: Tensor) -> Tensor:
        """The activation of x, shape (1, channels, T) both."""
        channels, length = x.shape[1:]
        x = pad(x, (5, 5), mode="replicate")
        # Sample 0 of the even phase is at 2 here, of the odd phase at 3.
        even = self._snake(conv1d(x, self._up_even, groups=channels))
        odd = self._snake(conv1d(x, self._up_odd, groups=channels))
        # Beyond its ends the doubled signal repeats its first (even) and last (odd) sample.
        first, last = even[..., 2:3], odd[..., length + 2 : length + 3]
        even[..., :2] = first
        odd[..., :3] = first
        even[..., length + 2 :] = last
        odd[..., length + 3 :] = last
        out = conv1d(even, self._down_even, groups=channels)
        return out.add_(conv1d(odd, self._down_odd, groups=channels))

    def _snake(self, x: Tensor) -> Tensor:
        """``alpha (y + sin(alpha y)^2 / beta)`` of ``x = alpha y``, in place."""
        return x.addcmul_(x.sin().square_(), self._gain)


class _Block:
    """A residual block: three times activation, dilated convolution, activation, convolution."""

    def __init__(self, block: AMPBlock1) -> None:
        activations = [Activation(activation) for activation in block.activations]
        self._steps = list(
            zip(activations[::2], block.convs1, activations[1::2], block.convs2, strict=True)
        )

    def __call__(self, x: Tensor) -> Tensor:
        for first, dilated, second, plain in self._steps:
            x = plain(second(dilated(first(x)))).add_(x)
        return x


def reach(bigvgan: BigVGAN) -> int:
    """Mel frames to each side that a mel frame's samples depend on, rounded up."""
    hp = bigvgan.h
    kernels = zip(hp.resblock_kernel_sizes, hp.resblock_dilation_sizes, strict=True)
    block = max(
        (kernel - 1) // 2 * (sum(dilations) + len(dilations))
        + 2 * len(dilations) * _ACTIVATION_REACH
        for kernel, dilations in kernels
    )
    seen: int = bigvgan.conv_post.kernel_size[0] // 2 + _ACTIVATION_REACH
    for rate, kernel in reversed(
        list(zip(hp.upsample_rates, hp.upsample_kernel_sizes, strict=True))
    ):
        seen = (seen + block + kernel) // rate + 1
    first: int = bigvgan.conv_pre.kernel_size[0] // 2
    return seen + first
