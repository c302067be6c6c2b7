from __future__ import annotations

import inspect
import re

import pytest

from tts_toolkit import errors
from tts_toolkit.cli.errors import exit_code_of
from tts_toolkit.errors import Problem, ScriptError, TTSToolkitError
from tts_toolkit.utterance import Source

CLASSES = {
    name: member
    for name, member in vars(errors).items()
    if inspect.isclass(member) and issubclass(member, Exception)
}
EXIT_CODES = {
    "UsageError": 2,
    "OptionError": 2,
    "ScriptError": 2,
    "OutputMismatchError": 2,
    "OutputInUseError": 2,
    "MissingError": 3,
    "ModelMissingError": 3,
    "VoiceMissingError": 3,
    "DeviceMissingError": 3,
    "StorageError": 4,
    "DownloadError": 4,
    "UtteranceError": 1,
    "UnspeakableError": 1,
    "EngineError": 1,
}


def drawn():
    """(class, its parent) for each line of the tree in the module's docstring."""
    above = ["TTSToolkitError"]
    for line in errors.__doc__.split("\n"):
        found = re.match(r"    ([│ ]*)[├└]── (\w+)", line)
        if found:
            depth = len(found[1]) // 4 + 1
            above[depth:] = [found[2]]
            yield found[2], above[depth - 1]


def test_the_tree_in_the_docstring_is_the_tree():
    real = {name: member.__bases__[0].__name__ for name, member in CLASSES.items()}
    assert real.pop("TTSToolkitError") == "Exception"
    assert dict(drawn()) == real


def test_every_error_has_an_exit_code():
    made = {
        name: kind([]) if kind is ScriptError else kind("why")
        for name, kind in CLASSES.items()
        if kind is not TTSToolkitError
    }
    assert {name: exit_code_of(error) for name, error in made.items()} == EXIT_CODES


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (Problem(Source("a.txt", 3), "intro", "is bad"), "a.txt:3 intro is bad"),
        (Problem(Source("a.txt", 3), "", "is bad"), "a.txt:3 is bad"),
        (Problem(None, "", "a.txt: is bad"), "a.txt: is bad"),
    ],
)
def test_a_problem_reads_as_file_line_id_reason(problem, text):
    assert str(problem) == text


def test_a_script_error_has_every_problem_on_a_line_of_its_own():
    problems = [Problem(Source("a.txt", line), "", "is bad") for line in (1, 2)]
    error = ScriptError(problems)
    assert error.problems == tuple(problems)
    assert str(error) == "a.txt:1 is bad\na.txt:2 is bad"
