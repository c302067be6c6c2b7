"""IndexTTS-2.5 here against `indextts25`, which says one line at a time, on random weights.

Both say the same lines with the same voice, capped at the same number of codes, with the same steps
and guidance, greedy, without beams. The weights are random, so the codes never stop by themselves
and every line is as long as the cap; what is said is noise, and takes the time that speech takes.

Each program runs in a process of its own, in turn. Loading and the voice are not counted; the time
of each stage is, and the peak memory of the process.
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
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sentences
from measure import Bar, conclude, heading, machine, parser, program, settle, shown, spread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STAGES = ("decode", "flow", "vocoder", "total")
STEPS = {"fidelity": 25, "balanced": 15, "fast": 10}
CODES_A_SECOND = 25


def main() -> int:
    """Measure and print; 1 if a bar is missed."""
    arguments = parser(__doc__)
    arguments.add_argument("--shapes", choices=("full", "tiny"), default="full")
    arguments.add_argument("--lines", type=int, default=16)
    arguments.add_argument("--codes", type=int, default=100, help="of each line")
    arguments.add_argument("--device", default="cpu")
    arguments.add_argument("--dtype", default="float32", help="ours; theirs on a CPU is float32")
    arguments.add_argument("--quality", choices=tuple(STEPS), default="fidelity")
    arguments.add_argument("--rounds", type=int, default=1)
    arguments.add_argument("--bar", type=float, help="least ratio of the total")
    arguments.add_argument("--checkpoint", type=Path, help="instead of making one")
    arguments.add_argument("--side", choices=("ours", "theirs"), help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.side:
        print(json.dumps({"ours": ours, "theirs": theirs}[given.side](given)))
        return 0
    where = machine()
    with tempfile.TemporaryDirectory(dir=given.work) as scratch:
        if given.checkpoint is None:
            from tts_toolkit.testing import make_checkpoint  # noqa: PLC0415 - brings torch

            given.checkpoint = make_checkpoint(Path(scratch) / "model", shapes=given.shapes)
        seconds: dict[str, list[float]] = {}
        peaks: dict[str, list[float]] = {"ours": [], "theirs": []}
        yardsticks = []
        for number in range(given.rounds):
            for side in ("theirs", "ours") if number % 2 == 0 else ("ours", "theirs"):
                yardsticks.append(settle())
                made = run(given, side)
                peaks[side].append(made["peak_mb"])
                for stage in STAGES:
                    seconds.setdefault(f"{side} {stage}", []).append(made["seconds"][stage])
            print(f"round {number + 1}/{given.rounds}", file=sys.stderr)
    audio = given.lines * given.codes / CODES_A_SECOND
    print(heading(f"{given.lines} lines of {given.codes} codes, s"))
    for name, values in seconds.items():
        print(shown(name, values))
    ratios = {
        stage: spread(
            [
                t / o
                for t, o in zip(seconds[f"theirs {stage}"], seconds[f"ours {stage}"], strict=True)
            ]
        )
        for stage in STAGES
    }
    rates = {name: spread([audio / one for one in values]) for name, values in seconds.items()}
    figures = {
        "weights": "random",
        "settings": {name: str(value) for name, value in vars(given).items() if name != "work"},
        "ratio": ratios,
        "audio_s_a_s": rates,
        "seconds": {name: spread(values) for name, values in seconds.items()},
        "peak_mb": {name: spread(values) for name, values in peaks.items()},
        "yardstick_s": spread(yardsticks),
    }
    print(json.dumps({"ratio": ratios, "peak_mb": figures["peak_mb"]}, indent=1))
    bars = []
    if given.bar:
        total = ratios["total"]["median"]
        bars.append(Bar("total over indextts25", total, given.bar, at_least=True))
    return conclude("compare_upstream", figures, bars, where=where, save=given.save)


def run(given: argparse.Namespace, side: str) -> dict[str, Any]:
    """One program in a process of its own; what it measured."""
    names = ("lines", "codes", "device", "dtype", "quality", "checkpoint")
    options = [part for name in names for part in (f"--{name}", getattr(given, name))]
    command = program("compare_upstream.py", "--side", side, *options)
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
        quality=given.quality,
        batch_size=given.lines,
        model_dir=given.checkpoint,
    )
    spec = IndexTTS.of(options, given.checkpoint, devices=(given.device,), dtype=given.dtype)
    session = spec.load()
    lines = [
        Utterance(text, id=str(n), voice=str(voice()), lang="en", seed=n, speed=1.0)
        for n, text in enumerate(texts(given.lines))
    ]
    session.submit(lines[0])  # the voice
    session.cancel("0")
    clock = Clock()
    clock.wrap(session._decoder, "step", "decode")  # noqa: SLF001 - where a stage begins
    clock.wrap(session._acoustic, "prepare", "flow")  # noqa: SLF001
    clock.wrap(session._acoustic, "_flow", "flow")  # noqa: SLF001
    clock.wrap(session._acoustic, "_vocoder", "vocoder")  # noqa: SLF001
    finished = 0
    with clock.total():
        while finished < len(lines):
            while lines[finished:] and session.has_room() and not clock.all_in(len(lines)):
                session.submit(lines[clock.taken])
                clock.taken += 1
            finished += sum(isinstance(event, Finished) for event in session.step())
    return clock.measured()


def theirs(given: argparse.Namespace) -> dict[str, Any]:
    """`indextts25`, line by line."""
    warnings.simplefilter("ignore")
    import torch  # noqa: PLC0415 - the other side brings its own
    from indextts25.infer_v2_5 import IndexTTS2  # noqa: PLC0415

    folder = str(given.checkpoint)
    model = IndexTTS2(
        cfg_path=f"{folder}/config.yaml",
        model_dir=folder,
        device=given.device,
        use_bf16=given.dtype == "bfloat16" and given.device != "cpu",
    )
    options = {
        "do_sample": False,
        "num_beams": 1,
        "max_mel_tokens": given.codes,
        "text_normalization": False,
        "diffusion_steps": STEPS["fidelity"],
    }
    say = lambda text: model.infer(str(voice()), text, None, "en", **options)  # noqa: E731
    model.infer(str(voice()), "One.", None, "en", **options | {"max_mel_tokens": 2})  # the voice
    clock = Clock()
    clock.wrap(model.gpt, "inference_speech", "decode")
    clock.wrap(model.s2mel.models["cfm"], "inference", "flow")
    clock.wrap(model.s2mel.models["length_regulator"], "forward", "flow")
    clock.wrap(model.semantic_codec, "decode", "flow")
    clock.wrap(model.bigvgan, "forward", "vocoder")
    with clock.total():
        for number, text in enumerate(texts(given.lines)):
            torch.manual_seed(number)
            say(text)
    return clock.measured()


class Clock:
    """Seconds of each stage."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()
        self.taken = 0

    def all_in(self, count: int) -> bool:
        """Whether every line was submitted."""
        return self.taken == count

    def wrap(self, owner: Any, name: str, stage: str) -> None:
        """Count the time of a method for a stage."""
        inner: Callable[..., Any] = getattr(owner, name)

        def timed(*args: Any, **kwargs: Any) -> Any:
            started = time.perf_counter()
            try:
                return inner(*args, **kwargs)
            finally:
                _finish_device()
                self.seconds[stage] += time.perf_counter() - started

        object.__setattr__(owner, name, timed)

    @contextmanager
    def total(self) -> Iterator[None]:
        """Count all of it."""
        started = time.perf_counter()
        yield
        self.seconds["total"] += time.perf_counter() - started

    def measured(self) -> dict[str, Any]:
        """For the parent."""
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
        return {"seconds": dict(self.seconds), "peak_mb": peak}


def _finish_device() -> None:
    """Wait for a card, whose work goes on behind the call that asked for it."""
    import torch  # noqa: PLC0415 - loaded by then

    if torch.cuda.is_available():
        torch.cuda.synchronize()


def texts(count: int) -> list[str]:
    """Lines of one segment each."""
    return sentences.short(count)


def voice() -> Path:
    """A reference clip of the embedded voice."""
    from tts_toolkit.engines.indextts.default_voice import reference_clip  # noqa: PLC0415
    from tts_toolkit.store.paths import home  # noqa: PLC0415

    return reference_clip(Path(os.environ.get("COMPARE_CACHE", home() / "voices")))


if __name__ == "__main__":
    sys.exit(main())
