"""Every fenced example of README.md and docs/*.md runs, in the order of its page.

What a fence is, is said by its language:

- ``python`` is executed, one namespace a page; a block captioned "Output" behind it is what it
  prints.
- ``console`` is a session: each ``$ command`` runs as a process; what follows is what it prints
  (nothing: not compared). A command has to succeed, unless ``$ echo $?`` behind it says otherwise.
- ``sh`` is commands alone, for a reader to paste.
- a block with a file's name as its caption is that file; one below ``examples/`` is there already,
  and has to be equal.
- ``text`` without a caption is a picture, such as a tree of folders.

In an output ``…`` stands for anything. Each page has a folder of its own, with ``examples/`` in it.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]

# What a page's examples need.
MARKS = {"datasets": pytest.mark.ffmpeg}

UV = "python -m pip install -q uv"
INSTALLS = "installs packages, from the network"
# Commands that no test runs, and why.
NOT_RUN = {
    f"{UV} && python -m uv run --no-dev tts-toolkit synth examples/script.txt -o out/": INSTALLS,
    f"{UV} && python -m uv run pytest": f"{INSTALLS}, and runs this test",
    "python -m uv run nox -s lint types layers tests docs": "runs this test",
    UV: INSTALLS,
    "python -m uv venv": "is of use only with the next",
    "python -m uv pip install --python .venv --torch-backend cpu .": INSTALLS,
    "python -m uv sync --no-dev --extra server": INSTALLS,
    "python -m uv pip install --python .venv --torch-backend cpu '.[server]'": INSTALLS,
    ".venv/bin/tts-toolkit synth examples/script.txt -o out/": "is in what the last one installs",
    'tts-toolkit say "Hello there." -o - | aplay': "needs a loudspeaker",
    "tts-toolkit voices download emma": "needs the network",
    "tts-toolkit synth examples/script.txt -o out/ --voice me.wav": "needs the model's weights",
    'tts-toolkit say "Good evening." --voice emma -o evening.wav': "needs that voice",
    "tts-toolkit models download indextts-2.5": "needs the network, and downloads 7 GB",
    "tts-toolkit models verify indextts-2.5": "needs what the last one downloads",
    "tts-toolkit models download indextts-2.5 --dir indextts-2.5 --accept-license": (
        "needs the network, and downloads 7 GB"
    ),
    "tts-toolkit models verify indextts-2.5 --dir indextts-2.5": "needs what that downloads",
    "tts-toolkit models download indextts-2.5-emotion": "needs the network, and downloads 1.2 GB",
    'tts-toolkit say "They are coming." -o coming.wav --emotion-text "trembling with fear"': (
        "needs what that downloads"
    ),
    "python benchmarks/accept_real_weights.py -o acceptance/": "needs the model's weights",
    "docker build -t tts-toolkit .": "needs Docker",
    'docker run --rm --user "$(id -u):$(id -g)" -v "$PWD:/data" tts-toolkit   '
    "synth examples/script.txt -o out/ --model builtin": "needs Docker",
}

_FENCE = re.compile(r"(?P<ticks>`{3,})(?P<info>.*)")
_CODE_BLOCK = re.compile(r"\{code-block\} *(\w+)")
_CAPTION = re.compile(r":caption: *(.+)")
# Without a terminal a run that takes long says so now and then.
_PROGRESS = re.compile(r"^\d+/\d+ done, .*\n", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """One fenced block.

    Attributes:
        line: of its first line of text, from 1.
        language: as in the fence.
        caption: "" if it has none.
        text: with a line end at its end.
    """

    line: int
    language: str
    caption: str
    text: str


def blocks_of(page: str) -> list[Block]:
    blocks = []
    lines = page.split("\n")
    at = 0
    while at < len(lines):
        opening = _FENCE.fullmatch(lines[at])
        at += 1
        if not opening:
            continue
        end = lines.index(opening["ticks"], at)
        directive = _CODE_BLOCK.fullmatch(opening["info"])
        language = directive[1] if directive else opening["info"]
        caption = _CAPTION.fullmatch(lines[at]) if directive else None
        start = at + bool(caption)
        text = "\n".join([*lines[start:end], ""])
        if not language.startswith("{"):  # another directive is no example
            blocks.append(Block(start + 1, language, caption[1] if caption else "", text))
        at = end + 1
    return blocks


def commands_of(block: Block) -> list[tuple[str, str]]:
    """(command, what it prints) for each command of a console or sh block."""
    text = block.text.replace("\\\n", "")
    if block.language == "sh":
        return [(line, "") for line in text.splitlines() if line]
    assert text.startswith("$ "), f"line {block.line}: a console block starts with a command"
    return [
        (command, output)
        for command, _, output in (
            part.partition("\n") for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]
        )
    ]


class Page:
    """A page that is being run in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.names = {"__name__": "__main__"}
        self.printed = ""
        self.status = 0

    def try_out(self, block: Block, where: str) -> None:
        try:
            self.run(block)
        except Exception as error:
            raise AssertionError(f"the example at {where}: {error}") from error

    def run(self, block: Block) -> None:
        if block.caption == "Output":
            self.compare(block.text, self.printed)
        elif block.caption:
            self.write(block)
        elif block.language == "python":
            self.execute(block)
        elif block.language in {"console", "sh"}:
            self.session(block)
        else:
            assert block.language == "text", f"what is a block in {block.language!r}?"

    def write(self, block: Block) -> None:
        path = self.folder / block.caption
        if block.caption.startswith("examples/"):
            assert path.read_text("utf-8") == block.text
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text, "utf-8")

    def execute(self, block: Block) -> None:
        stdout = io.StringIO()
        with contextlib.redirect_stdout(stdout):
            exec(compile("\n" * (block.line - 1) + block.text, "page", "exec"), self.names)
        self.printed = stdout.getvalue()

    def session(self, block: Block) -> None:
        commands = commands_of(block)
        for (command, output), (following, _) in zip(
            commands, [*commands[1:], ("", "")], strict=True
        ):
            if command in NOT_RUN:
                continue
            if command == "echo $?":
                self.compare(output, f"{self.status}\n")
                continue
            printed = self.process(command)
            assert following == "echo $?" or self.status == 0, printed
            if output:
                self.compare(output, printed)

    def process(self, command: str) -> str:
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=self.folder,
            env=os.environ
            | {"COLUMNS": "80", "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=120,
            check=False,
        )
        self.status = done.returncode
        return _PROGRESS.sub("", done.stdout)

    @staticmethod
    def compare(wanted: str, printed: str) -> None:
        pattern = ".*".join(map(re.escape, wanted.split("…")))
        if not re.fullmatch(pattern, printed, flags=re.DOTALL):
            assert printed == wanted


@pytest.fixture
def page(tmp_path, monkeypatch):
    made = shutil.ignore_patterns("out", "*.wav")  # by somebody who ran the notebook in place
    shutil.copytree(ROOT / "examples", tmp_path / "examples", ignore=made)
    monkeypatch.chdir(tmp_path)
    # What datasets prepares belongs to this test, not to the user's cache.
    if "datasets" in sys.modules:
        monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    return Page(tmp_path)


@pytest.mark.parametrize(
    "path",
    [pytest.param(path, id=path.stem, marks=MARKS.get(path.stem, ())) for path in PAGES],
)
def test_examples_run(page, path):
    for block in blocks_of(path.read_text("utf-8")):
        page.try_out(block, f"{path.relative_to(ROOT)}:{block.line}")


def test_each_command_that_is_not_run_is_on_a_page():
    blocks = [block for path in PAGES for block in blocks_of(path.read_text("utf-8"))]
    on_pages = {
        command
        for block in blocks
        if block.language in {"console", "sh"}
        for command, _ in commands_of(block)
    }
    assert NOT_RUN.keys() <= on_pages
