"""The processes of the acceptance run: each program, and those who judge what they said.

    python benchmarks/acceptance_sides.py ours|theirs|ears|judges TASK

The task is JSON; what is found is printed as JSON.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import acceptance_lines

from tts_toolkit.store.catalogue import INDEXTTS

if TYPE_CHECKING:
    from acceptance_lines import Line
    from faster_whisper import WhisperModel
    from torch import Tensor

PROGRAMS = {"ours": "tts-toolkit", "theirs": "indextts25"}
# Random weights never stop by themselves; 40 codes are 1.6 s.
_RANDOM_CODES = 40
_RANDOM_STEPS = 4
# What a program may raise over one line: torch, numpy and Python's own, memory included.
_FAILURES = (RuntimeError, ValueError, LookupError, AssertionError, MemoryError)
# Without it Whisper writes some Chinese in traditional characters.
_SIMPLIFIED = "以下是普通话的句子。"


@dataclass(frozen=True)
class Task:
    """What every process is told.

    Attributes:
        checkpoint: folder with the weights.
        random: whether they are random.
        voice: reference clip.
        out: folder for the clips.
        device: as torch takes it.
        dtype: ours; theirs is bfloat16 on a GPU if ours is, else float32.
        quality: ours; theirs is "fidelity".
        recogniser: faster-whisper's name of a model, or its folder.
        lines: how many.
        seed: of the first line; each has one more than the line before.
    """

    checkpoint: str
    random: bool
    voice: str
    out: str
    device: str
    dtype: str
    quality: str
    recogniser: str
    lines: int
    seed: int

    def to_json(self) -> str:
        """For a process's command line."""
        return json.dumps(asdict(self))

    def all_lines(self) -> list[Line]:
        """What is said."""
        return acceptance_lines.lines(self.lines)

    def first_lines(self) -> list[Line]:
        """The first line of each language, to be said once before time is taken."""
        return list({line.lang: line for line in reversed(self.all_lines())}.values())

    def clip(self, side: str, line: Line) -> Path:
        """Where a program's clip of a line goes."""
        return Path(self.out) / side / f"{line.name}.wav"


def ours(task: Task) -> dict[str, Any]:
    """This engine, all lines at once; what became of each line, by its name."""
    from tts_toolkit import load  # noqa: PLC0415 - the other sides need none of it

    limits = {"max_codes": _RANDOM_CODES, "diffusion_steps": _RANDOM_STEPS} if task.random else {}
    lines = task.all_lines()
    with load(
        model=INDEXTTS,
        model_dir=task.checkpoint,
        device=task.device,
        dtype=task.dtype,
        quality=task.quality,
        voice=task.voice,
        **limits,
    ) as synthesizer:
        first = [{"text": line.text, "lang": line.lang} for line in task.first_lines()]
        list(synthesizer.synthesize(first))
        started = time.perf_counter()
        outcomes = list(
            synthesizer.synthesize(
                {"text": line.text, "lang": line.lang, "seed": task.seed + number}
                for number, line in enumerate(lines)
            )
        )
        wall_s = time.perf_counter() - started
    computed = sum(outcome.seconds for outcome in outcomes)
    rows = {}
    for line, outcome in zip(lines, outcomes, strict=True):
        if outcome.ok:
            outcome.clip.save(task.clip("ours", line))
            seconds = wall_s * outcome.seconds / computed
            rows[line.name] = _row(outcome.clip.duration, seconds)
        else:
            rows[line.name] = _row(0.0, 0.0, error=str(outcome.error))
    return rows


def theirs(task: Task) -> dict[str, Any]:
    """`indextts25`, line by line; what became of each line, by its name."""
    import soundfile  # noqa: PLC0415 - the other sides need none of these
    import torch  # noqa: PLC0415
    from indextts25.infer_v2_5 import IndexTTS2  # noqa: PLC0415

    warnings.simplefilter("ignore")
    model = IndexTTS2(
        cfg_path=f"{task.checkpoint}/config.yaml",
        model_dir=task.checkpoint,
        device=task.device,
        use_bf16=task.dtype == "bfloat16",  # which it does not do on a CPU
    )
    limits = {}
    if task.random:
        limits = {"max_mel_tokens": _RANDOM_CODES, "diffusion_steps": _RANDOM_STEPS}

    def say(line: Line, seed: int) -> dict[str, Any]:
        torch.manual_seed(seed)
        started = time.perf_counter()
        try:
            rate, pcm = model.infer(task.voice, line.text, None, line.lang, num_beams=1, **limits)
        except _FAILURES as error:
            seconds = time.perf_counter() - started
            return _row(0.0, seconds, error=f"{type(error).__name__}: {error}")
        seconds = time.perf_counter() - started
        if not len(pcm):
            return _row(0.0, seconds, error="it stopped before it said anything")
        soundfile.write(task.clip("theirs", line), pcm, rate)
        return _row(len(pcm) / rate, seconds)

    for line in task.first_lines():
        say(line, task.seed)
    return {
        line.name: say(line, task.seed + number) for number, line in enumerate(task.all_lines())
    }


def ears(task: Task) -> dict[str, Any]:
    """Whether the recogniser is here and works, what it hears, and where it runs."""
    model = _recogniser(task)
    return {"multilingual": model.model.is_multilingual, "device": model.model.device}


def judges(task: Task) -> dict[str, Any]:
    """Of each program's clips, by their lines' names: what is heard, and whom it sounds like."""
    import torch  # noqa: PLC0415 - the other sides need none of these

    from tts_toolkit.engines.indextts.checkpoint import load_checkpoint  # noqa: PLC0415
    from tts_toolkit.engines.indextts.voice import condition  # noqa: PLC0415
    from tts_toolkit.errors import EngineError  # noqa: PLC0415

    # In the smallest dtype: what listens is float32 in any case.
    checkpoint = load_checkpoint(
        Path(task.checkpoint), device=torch.device(task.device), dtype=torch.bfloat16
    )
    recogniser = _recogniser(task)

    def style(path: Path) -> Tensor | None:
        try:
            return condition(checkpoint, path).style
        except EngineError:  # less than a second, or silence
            return None

    reference = style(Path(task.voice))

    def similarity(path: Path) -> float | None:
        own = style(path)
        if own is None or reference is None:
            return None
        return float(torch.cosine_similarity(own, reference))

    return {
        side: {
            line.name: {"heard": _hear(recogniser, path, line.lang), "similarity": similarity(path)}
            for line in task.all_lines()
            if (path := task.clip(side, line)).is_file()
        }
        for side in PROGRAMS
    }


def _row(audio_s: float, seconds: float, *, error: str = "") -> dict[str, Any]:
    """What became of a line: the clip's length, its part of the time, and why there is no clip."""
    return {"audio_s": audio_s, "seconds": seconds, "error": error}


def _recogniser(task: Task) -> WhisperModel:
    """On the card, if there is one and the libraries that it needs; else on the processor."""
    import ctranslate2  # noqa: PLC0415 - the other sides need none of these
    from faster_whisper import WhisperModel  # noqa: PLC0415

    kind, _, number = task.device.partition(":")
    if kind == "cuda" and ctranslate2.get_cuda_device_count():
        model = WhisperModel(
            task.recogniser, "cuda", device_index=int(number or 0), compute_type="float16"
        )
        try:
            _hear(model, Path(task.voice), "en")  # libraries are looked for at the first use
        except RuntimeError as error:
            print(f"the recogniser runs on the CPU: {error}", file=sys.stderr)
        else:
            return model
    return WhisperModel(task.recogniser, "cpu", compute_type="int8")


def _hear(recogniser: WhisperModel, path: Path, lang: str) -> str:
    chinese = lang == "zh" and recogniser.model.is_multilingual
    segments, _ = recogniser.transcribe(
        str(path),
        language=lang,
        temperature=0.0,  # no dice: the same clip is heard the same
        condition_on_previous_text=False,
        initial_prompt=_SIMPLIFIED if chinese else None,
    )
    return "".join(segment.text for segment in segments).strip()


SIDES = {"ours": ours, "theirs": theirs, "ears": ears, "judges": judges}


if __name__ == "__main__":
    print(json.dumps(SIDES[sys.argv[1]](Task(**json.loads(sys.argv[2])))))
