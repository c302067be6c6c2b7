"""The pages leave nothing out: every public name, field and exit code stands on its page."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

import tts_toolkit
from tts_toolkit.audio.formats import SUFFIXES
from tts_toolkit.cli import cli
from tts_toolkit.cli.errors import exit_code_of
from tts_toolkit.config import RULES
from tts_toolkit.scripts.fields import FIELDS
from tts_toolkit.store.catalogue import catalogue

DOCS = Path(__file__).parents[2] / "docs"


def page(name):
    return (DOCS / name).read_text("utf-8")


def first_cells(text):
    """What stands in backquotes in the first column of the page's tables."""
    return re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE)


def test_library_has_each_public_name_once():
    directive = r"^\.\. (?:auto(?:function|class|exception):: tts_toolkit\.|py:data:: )(\w+)$"
    described = re.findall(directive, page("library.md"), re.MULTILINE)
    assert sorted(described) == sorted(tts_toolkit.__all__)


def test_scripts_has_each_field_once():
    assert sorted(first_cells(page("scripts.md"))) == sorted(FIELDS)


def test_output_has_each_field_of_a_row_once_and_each_format():
    row = ["schema", *(field.name for field in fields(tts_toolkit.ManifestRow))]
    formats = [suffix[1:] for suffix in SUFFIXES]
    assert first_cells(page("output.md")) == [*formats, *row]


def test_configuration_has_each_option_once():
    options = [name for name in first_cells(page("configuration.md")) if name in RULES]
    assert options == list(RULES)


def options_of(command):
    """The long names of the options of a command and of those below it."""
    for child in getattr(command, "commands", {}).values():
        yield from options_of(child)
    for param in command.params:
        yield from (name for name in param.opts if name.startswith("--"))


def test_configuration_has_each_option_that_the_command_line_has_alone():
    alone = set(options_of(cli)) - {f"--{name.replace('_', '-')}" for name in RULES}
    text = page("configuration.md")
    assert sorted(name for name in alone - {"--version"} if f"`{name}`" not in text) == []


def test_models_has_each_file_with_its_size_and_hash():
    text = page("models.md")
    for model in catalogue().values():
        for file in model.files:
            assert f"`{file.path}`" in text
            assert f"`{file.sha256}`" in text


@pytest.mark.parametrize(
    "error",
    [
        tts_toolkit.UsageError(),
        tts_toolkit.MissingError(),
        tts_toolkit.StorageError(),
        tts_toolkit.DownloadError(),
        tts_toolkit.UtteranceError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_exit_codes_are_those_of_the_command_line(error):
    code = exit_code_of(error)
    assert f"\n| {code} |" in page("errors.md")
    assert re.search(rf"{type(error).__name__} +{code} ", page("library.md"))
