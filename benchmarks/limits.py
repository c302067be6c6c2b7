"""How far each stage of IndexTTS-2.5 is from what this machine can do, on random weights.

A decoding step has to read the weights once, so it is held against the speed of memory; and with
many rows, like flow and vocoder, against the fastest matrix product. Arithmetic is counted by
torch. Both limits are measured here: a sum over more memory than caches hold, and a product of
square matrices.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from measure import conclude, machine, parser
from torch.utils.flop_counter import FlopCounterMode

from tts_toolkit.engines.indextts.checkpoint import load_checkpoint
from tts_toolkit.engines.indextts.decode import Decoder, DecodeRequest
from tts_toolkit.engines.indextts.flow import Flow, FlowRow
from tts_toolkit.engines.indextts.gpt import GPT, Prompt
from tts_toolkit.engines.indextts.sampling import Sampling
from tts_toolkit.engines.indextts.vocoder import Vocoder
from tts_toolkit.testing import make_checkpoint

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from tts_toolkit.engines.indextts.checkpoint import Checkpoint

# A prompt of 3.5 seconds and 100 codes, in mel frames.
PROMPT_FRAMES, FRAMES = 301, 645
ROWS = (1, 4, 16, 32)
FLOW_ROWS = 4
TEXT_TOKENS = 20
WARM_UP, STEPS = 5, 20


def main() -> int:
    """Measure and print."""
    arguments = parser(__doc__)
    arguments.add_argument("--shapes", choices=("full", "tiny"), default="full")
    arguments.add_argument("--device", default="cpu")
    arguments.add_argument("--dtype", default="float32")
    arguments.add_argument("--checkpoint", type=Path, help="instead of making one")
    given = arguments.parse_args()
    where = machine() | {"torch": torch.__version__}
    with tempfile.TemporaryDirectory(dir=given.work) as scratch:
        folder = given.checkpoint or make_checkpoint(Path(scratch) / "model", shapes=given.shapes)
        figures = measured(given, folder)
    return conclude("limits", figures, [], where=where, save=given.save)


def measured(given: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """All stages, each with its share of the limit that binds it."""
    device, dtype = torch.device(given.device), getattr(torch, given.dtype)
    bandwidth, peak = memory_speed(device), product_speed(device, dtype)
    figures: dict[str, Any] = {
        "weights": "random",
        "shapes": given.shapes,
        "dtype": given.dtype,
        "memory_gb_s": bandwidth / 1e9,
        "product_gflop_s": peak / 1e9,
        "product_float32_gflop_s": product_speed(device, torch.float32) / 1e9,
    }
    print(f"memory {bandwidth / 1e9:.1f} GB/s, products {peak / 1e9:.0f} GFLOP/s ({given.dtype})")
    checkpoint = load_checkpoint(folder, device=device, dtype=dtype)
    gpt = GPT(checkpoint.gpt)
    size = weights_a_step(checkpoint)
    for rows in ROWS:
        seconds, flops = decoding(gpt, rows)
        figures[f"decode, {rows} rows"] = share = {
            "step_s": seconds,
            "of_memory_speed": size / bandwidth / seconds,
            "of_product_speed": flops / peak / seconds,
        }
        print(f"decode, {rows:>2} rows: {shown(share)}")
    in_float32 = figures["product_float32_gflop_s"] * 1e9  # as the vocoder always is
    stages = {
        "flow": (*flow(checkpoint, dtype), peak),
        "vocoder": (*vocoder(checkpoint), in_float32),
    }
    for stage, (seconds, flops, limit) in stages.items():
        figures[stage] = share = {"step_s": seconds, "of_product_speed": flops / limit / seconds}
        print(f"{stage}: {flops / 1e9:.0f} GFLOP, {shown(share)}")
    return figures


def shown(share: dict[str, float]) -> str:
    """A stage's figures, for people."""
    limits = {"of_memory_speed": "memory", "of_product_speed": "products"}
    parts = [f"{share[name]:.0%} of {what}" for name, what in limits.items() if name in share]
    return f"{share['step_s']:.3f} s, {', '.join(parts)}"


def memory_speed(device: torch.device) -> float:
    """Bytes a second that are read."""
    numbers = torch.ones(1 << 28, device=device)
    return numbers.nbytes / fastest(numbers.sum, device)


def product_speed(device: torch.device, dtype: torch.dtype) -> float:
    """Operations a second of a matrix product, a multiplication and an addition being two."""
    size = 2048 if device.type == "cpu" else 8192
    one = torch.randn(size, size, device=device, dtype=dtype)
    return 2 * size**3 / fastest(lambda: one @ one, device)


def weights_a_step(checkpoint: Checkpoint) -> int:
    """Bytes of the weights that a decoding step reads: the blocks and the head."""
    modules = (checkpoint.gpt.gpt.h, checkpoint.gpt.mel_head)
    return sum(weight.nbytes for module in modules for weight in module.parameters())


def decoding(gpt: GPT, rows: int) -> tuple[float, int]:
    """Seconds and operations of a step."""
    decoder = Decoder(gpt, slots=rows, most_tokens=TEXT_TOKENS, most_codes=200)
    style, emotion = torch.randn(1, 192), torch.randn(1, gpt.heads * gpt.head_dim)
    prompt = Prompt(tuple(range(100, 100 + TEXT_TOKENS)), 0, style, emotion)
    sampling = Sampling(temperature=0.0, max_codes=200)
    decoder.add(DecodeRequest(row, prompt, sampling, 0, 0) for row in range(rows))
    for _ in range(WARM_UP):
        decoder.step()
    with FlopCounterMode(display=False) as counter:
        decoder.step()
    return fastest(decoder.step, gpt.device, STEPS), counter.get_total_flops()


def flow(checkpoint: Checkpoint, dtype: torch.dtype) -> tuple[float, int]:
    """Seconds and operations of one Euler step of some rows."""
    stage = Flow(checkpoint.estimator, dtype=dtype)
    width = checkpoint.estimator.cond_projection.in_features
    rows = [
        FlowRow(
            torch.randn(FRAMES, width),
            torch.randn(80, PROMPT_FRAMES),
            torch.randn(192),
            torch.randn(80, FRAMES),
        )
        for _ in range(FLOW_ROWS)
    ]
    run = lambda: stage(rows, diffusion_steps=1)  # noqa: E731
    with FlopCounterMode(display=False) as counter:
        run()
    return fastest(run, checkpoint.device), counter.get_total_flops()


def vocoder(checkpoint: Checkpoint) -> tuple[float, int]:
    """Seconds and operations of a row."""
    stage = Vocoder(checkpoint.vocoder)
    mel = torch.randn(80, FRAMES - PROMPT_FRAMES)
    run = lambda: stage([mel])  # noqa: E731
    with FlopCounterMode(display=False) as counter:
        run()
    return fastest(run, checkpoint.device), counter.get_total_flops()


def fastest(work: Callable[[], Any], device: torch.device, times: int = 3) -> float:
    """Seconds of the fastest of some runs: others on the machine only ever slow it."""
    seconds = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - started)
    return min(seconds)


if __name__ == "__main__":
    with torch.inference_mode():
        sys.exit(main())
