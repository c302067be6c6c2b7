"""IndexTTS-2.5 here against `indextts25`, which says one line at a time, on random weights.

Both say the same lines with the same voice, capped at the same number of codes, with the same
guidance, greedy, without beams. The weights are random, so the codes never stop by themselves and
every line is as long as the cap; what is said is noise, and takes the time that speech takes.

Each program runs in a process of its own, in turn, theirs with the 25 steps of the flow that it
has by default, ours once for each `--dtype` and `--quality`. Loading and the voice are not counted
in the total.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from contextlib import contextmanager
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sentences
from measure import Bar, conclude, heading, machine, parser, program, settle, shown, spread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STAGES = ("decode", "flow", "vocoder", "total")
STEPS = {"fidelity": 25, "balanced": 15, "fast": 10}
CODES_A_SECOND = 25
# The length of the reference clip: that of the figures which others publish.
VOICE_S = 3.5
# What is promised of many lines on a CPU: dtype, quality, stage, how many times theirs.
BARS = (
    ("bfloat16", "fidelity", "total", 1.8),
    ("bfloat16", "fidelity", "decode", 8.0),
    ("bfloat16", "balanced", "total", 2.5),
    ("float32", "fidelity", "total", 1.15),
)
MEMORY_BAR = 1.3


def main() -> int:
    """Measure and print; 1 if a bar is missed."""
    arguments = parser(__doc__)
    arguments.add_argument("--shapes", choices=("full", "tiny"), default="full")
    arguments.add_argument("--lines", type=int, default=16)
    arguments.add_argument("--codes", type=int, default=100, help="of each line")
    arguments.add_argument("--device", default="cpu")
    arguments.add_argument(
        "--dtype", nargs="+", default=["float32"], help="ours; theirs on a CPU is float32"
    )
    arguments.add_argument("--quality", nargs="+", choices=tuple(STEPS), default=["fidelity"])
    arguments.add_argument("--rounds", type=int, default=1)
    arguments.add_argument("--bars", action="store_true", help="hold the result against the bars")
    arguments.add_argument("--checkpoint", type=Path, help="instead of making one")
    arguments.add_argument("--voice", type=Path, help=argparse.SUPPRESS)
    arguments.add_argument("--side", choices=("ours", "theirs"), help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.side:
        print(json.dumps({"ours": ours, "theirs": theirs}[given.side](given)))
        return 0
    where = machine() | {name: version(name) for name in ("torch", "indextts25-inference")}
    with tempfile.TemporaryDirectory(dir=given.work) as scratch:
        given.voice = voice(Path(scratch))
        if given.checkpoint is None:
            from tts_toolkit.testing import make_checkpoint  # noqa: PLC0415 - brings torch

            given.checkpoint = make_checkpoint(Path(scratch) / "model", shapes=given.shapes)
        measured, yardsticks = rounds(given)
    where["device"] = measured["theirs"][0]["device"]
    return report(given, measured, yardsticks, where)


def rounds(given: argparse.Namespace) -> tuple[dict[str, list[dict[str, Any]]], list[float]]:
    """Every program in turn, each round in the other order; what each measured."""
    sides = [
        "theirs",
        *(f"{dtype} {quality}" for dtype in given.dtype for quality in given.quality),
    ]
    measured: dict[str, list[dict[str, Any]]] = {side: [] for side in sides}
    yardsticks = []
    for number in range(given.rounds):
        for side in sides if number % 2 == 0 else reversed(sides):
            yardsticks.append(settle())
            measured[side].append(run(given, side))
            print(f"round {number + 1}: {side} {measured[side][-1]}", file=sys.stderr, flush=True)
    return measured, yardsticks


def report(
    given: argparse.Namespace,
    measured: dict[str, list[dict[str, Any]]],
    yardsticks: list[float],
    where: dict[str, Any],
) -> int:
    """Print the ratios; 1 if a bar is missed."""
    audio = given.lines * given.codes / CODES_A_SECOND
    figures: dict[str, Any] = {
        "weights": "random",
        "shapes": given.shapes,
        "lines": given.lines,
        "codes": given.codes,
        "voice_s": VOICE_S,
        "rounds": given.rounds,
        "yardstick_s": spread(yardsticks),
    }
    print(heading(f"{given.lines} lines of {given.codes} codes"))
    for side, runs in measured.items():
        figures[side] = {
            "seconds": {s: spread([one["seconds"][s] for one in runs]) for s in STAGES},
            "audio_s_a_s": {s: spread([audio / one["seconds"][s] for one in runs]) for s in STAGES},
        } | {
            name: spread([one[name] for one in runs])
            for name in ("load_s", "load_peak_mb", "peak_mb")
        }
        for stage in STAGES:
            print(shown(f"{side}: {stage}, s", [one["seconds"][stage] for one in runs]))
    for side, runs in measured.items():
        if side == "theirs":
            continue
        pairs = list(zip(measured["theirs"], runs, strict=True))
        ratios = {
            stage: spread([t["seconds"][stage] / o["seconds"][stage] for t, o in pairs])
            for stage in STAGES
        }
        memory = spread([o["peak_mb"] / t["peak_mb"] for t, o in pairs])
        figures[side] |= {"ratio": ratios, "memory_ratio": memory}
        middles = ", ".join(f"{stage} {ratios[stage]['median']:.2f}" for stage in STAGES)
        print(f"{side}: {middles} times theirs; memory {memory['median']:.2f}")
    bars = bars_of(given, figures) if given.bars else []
    return conclude("compare_upstream", figures, bars, where=where, save=given.save)


def bars_of(given: argparse.Namespace, figures: dict[str, Any]) -> list[Bar]:
    """What is promised of what was measured."""
    if given.lines == 1:
        ratio = figures["float32 fidelity"]["ratio"]["total"]["median"]
        return [Bar("a single line, float32: total", ratio, 1.0, at_least=True)]
    bars = [
        Bar(
            f"{dtype} {quality}: {stage}",
            figures[f"{dtype} {quality}"]["ratio"][stage]["median"],
            limit,
            at_least=True,
        )
        for dtype, quality, stage, limit in BARS
        if f"{dtype} {quality}" in figures
    ]
    worst = max(
        figures[f"{dtype} {quality}"]["memory_ratio"]["median"]
        for dtype in given.dtype
        for quality in given.quality
    )
    return [*bars, Bar("peak memory", worst, MEMORY_BAR)]


def run(given: argparse.Namespace, side: str) -> dict[str, Any]:
    """One program in a process of its own; what it measured."""
    names = ("lines", "codes", "device", "checkpoint", "voice")
    options = [part for name in names for part in (f"--{name}", getattr(given, name))]
    if side == "theirs":
        options += ["--side", "theirs", "--dtype", given.dtype[0]]
    else:
        dtype, quality = side.split()
        options += ["--side", "ours", "--dtype", dtype, "--quality", quality]
    command = program("compare_upstream.py", *options)
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    measured: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return measured


def ours(given: argparse.Namespace) -> dict[str, Any]:
    """This engine, all lines at once."""
    from tts_toolkit.config import Options  # noqa: PLC0415 - the other side needs none of it
    from tts_toolkit.engines.base import Finished  # noqa: PLC0415
    from tts_toolkit.engines.indextts.spec import IndexTTS  # noqa: PLC0415
    from tts_toolkit.utterance import Utterance  # noqa: PLC0415

    options = Options(
        temperature=0.0,
        max_codes=given.codes,
        raw=True,
        no_normalize=True,
        quality=given.quality[0],
        batch_size=given.lines,
        model_dir=given.checkpoint,
    )
    spec = IndexTTS.of(options, given.checkpoint, devices=(given.device,), dtype=given.dtype[0])
    # No voice from an earlier run: its conditioning is a part of the peak memory.
    cache = given.voice.parent / f"cache-{os.getpid()}"
    clock = Clock()
    with clock.loading():
        session = replace(spec, cache=cache).load()
    lines = [
        Utterance(text, id=str(n), voice=str(given.voice), lang="en", seed=n, speed=1.0)
        for n, text in enumerate(texts(given.lines))
    ]
    session.submit(lines[0])  # the voice
    session.cancel("0")
    clock.wrap(session._decoder, "step", "decode")  # noqa: SLF001 - where a stage begins
    clock.wrap(session._acoustic, "prepare", "flow")  # noqa: SLF001
    clock.wrap(session._acoustic, "_flow", "flow")  # noqa: SLF001
    clock.wrap(session._acoustic, "_vocoder", "vocoder")  # noqa: SLF001
    waiting = iter(lines)
    finished = submitted = 0
    with clock.total():
        while finished < len(lines):
            while submitted < len(lines) and session.has_room():
                session.submit(next(waiting))
                submitted += 1
            finished += sum(isinstance(event, Finished) for event in session.step())
    return clock.measured()


def theirs(given: argparse.Namespace) -> dict[str, Any]:
    """`indextts25`, line by line."""
    warnings.simplefilter("ignore")
    folder = str(given.checkpoint)
    clock = Clock()
    with clock.loading():
        import torch  # noqa: PLC0415 - importing is a part of it, as it is of ours
        from indextts25.infer_v2_5 import IndexTTS2  # noqa: PLC0415

        model = IndexTTS2(
            cfg_path=f"{folder}/config.yaml",
            model_dir=folder,
            device=given.device,
            use_bf16=given.dtype[0] == "bfloat16" and given.device != "cpu",
        )
    options = {
        "do_sample": False,
        "num_beams": 1,
        "max_mel_tokens": given.codes,
        "text_normalization": False,
        "diffusion_steps": STEPS["fidelity"],
    }
    reference = str(given.voice)
    model.infer(reference, "One.", None, "en", **options | {"max_mel_tokens": 2})  # the voice
    clock.wrap(model.gpt, "inference_speech", "decode")
    clock.wrap(model.s2mel.models["cfm"], "inference", "flow")
    clock.wrap(model.s2mel.models["length_regulator"], "forward", "flow")
    clock.wrap(model.semantic_codec, "decode", "flow")
    clock.wrap(model.bigvgan, "forward", "vocoder")
    with clock.total():
        for number, text in enumerate(texts(given.lines)):
            torch.manual_seed(number)
            model.infer(reference, text, None, "en", **options)
    return clock.measured()


class Clock:
    """Seconds of each stage, and memory."""

    def __init__(self) -> None:
        self._seconds: Counter[str] = Counter()
        self._load_s = 0.0
        self._load_peak_mb = 0.0

    def wrap(self, owner: Any, name: str, stage: str) -> None:
        """Count the time of a method for a stage."""
        inner: Callable[..., Any] = getattr(owner, name)

        def timed(*args: Any, **kwargs: Any) -> Any:
            started = time.perf_counter()
            try:
                return inner(*args, **kwargs)
            finally:
                _finish_device()
                self._seconds[stage] += time.perf_counter() - started

        object.__setattr__(owner, name, timed)

    @contextmanager
    def loading(self) -> Iterator[None]:
        """Time the loading."""
        started = time.perf_counter()
        yield
        _finish_device()
        self._load_s = time.perf_counter() - started
        self._load_peak_mb = _peak_mb()

    @contextmanager
    def total(self) -> Iterator[None]:
        """Time all that is said."""
        started = time.perf_counter()
        yield
        self._seconds["total"] += time.perf_counter() - started

    def measured(self) -> dict[str, Any]:
        """For the parent."""
        return {
            "seconds": dict(self._seconds),
            "load_s": self._load_s,
            "load_peak_mb": self._load_peak_mb,
            "peak_mb": _peak_mb(),
            "device": _device(),
        }


def _finish_device() -> None:
    """Wait for a card, whose work goes on behind the call that asked for it."""
    import torch  # noqa: PLC0415 - loaded by then

    if torch.cuda.is_available():
        torch.cuda.synchronize()


def _peak_mb() -> float:
    """Of a card, if there is one, what torch took of it; else of the process, mapped files too."""
    import torch  # noqa: PLC0415

    if torch.cuda.is_available():
        return torch.cuda.max_memory_reserved() / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def _device() -> str:
    import torch  # noqa: PLC0415

    return torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"


def texts(count: int) -> list[str]:
    """Lines of one segment each."""
    return sentences.short(count)


def voice(folder: Path) -> Path:
    """The beginning of a clip of the embedded voice."""
    import soundfile  # noqa: PLC0415 - only the parent makes it

    from tts_toolkit.engines.indextts.default_voice import reference_clip  # noqa: PLC0415

    samples, rate = soundfile.read(reference_clip(folder))
    path = folder / "voice.wav"
    soundfile.write(path, samples[: int(VOICE_S * rate)], rate)
    return path


if __name__ == "__main__":
    sys.exit(main())
