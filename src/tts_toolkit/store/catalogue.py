"""The models that can be installed: which files, from where, and how each must look.

The data is ``catalogue.json`` beside this file: repositories at a pinned revision, and the size
and sha256 of each file as published there.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from tts_toolkit.errors import OptionError
from tts_toolkit.rule import hint

if TYPE_CHECKING:
    from collections.abc import Mapping

# The model that the engine of this name speaks with.
INDEXTTS = "indextts-2.5"
# Its part that reads an emotion from words.
EMOTION = "indextts-2.5-emotion"


@dataclass(frozen=True)
class PublishedFile:
    """A file as it was published.

    Attributes:
        path: where it belongs in the model's folder, with "/" between its parts.
        repository: on the hub, ``owner/name``.
        revision: commit of the repository.
        name: in the repository.
        size: in bytes.
        sha256: of its content, 64 hex digits.
        modelscope: the repository that has it on ModelScope.
    """

    path: str
    repository: str
    revision: str
    name: str
    size: int
    sha256: str
    modelscope: str

    def __post_init__(self) -> None:
        for name in (self.path, self.name):
            parts = PurePosixPath(name).parts
            if not parts or parts[0] == "/" or ".." in parts or "\\" in name or ":" in name:
                raise ValueError(f"{name!r} does not stay inside the model's folder")
        if len(self.sha256) != 64 or self.size < 0:  # noqa: PLR2004 - as sha256 is written
            raise ValueError(f"{self.path}: nothing is fetched without its size and sha256")


@dataclass(frozen=True)
class Model:
    """A model, or an optional part of one.

    Attributes:
        name: as in ``tts-toolkit models download NAME``.
        title: for people.
        folder: name of its folder in the store; a part shares that of its model.
        licence: its name.
        licence_url: where it can be read.
        terms: the licence in short, a sentence each.
        memory: dtype → bytes that it needs free on a device. An estimate: the weights as they
            are held, and room to work in.
        files: all of them.
    """

    name: str
    title: str
    folder: str
    licence: str
    licence_url: str
    terms: tuple[str, ...]
    memory: Mapping[str, int]
    files: tuple[PublishedFile, ...]

    @property
    def size(self) -> int:
        """Of all files, in bytes."""
        return sum(file.size for file in self.files)

    @property
    def notice(self) -> str:
        """The licence in short, for whoever is to accept it."""
        terms = "\n".join(f"  - {term}" for term in self.terms)
        return f"{self.title} is under the {self.licence}. In short:\n{terms}\n{self.licence_url}"


@cache
def catalogue() -> Mapping[str, Model]:
    """Every model by its name."""
    return read_catalogue(files(__package__).joinpath("catalogue.json").read_text("utf-8"))


def read_catalogue(text: str) -> Mapping[str, Model]:
    """Models from JSON.

    Raises:
        ValueError: for a file that would leave the model's folder, or has no size or sha256.
    """
    return {name: _model(name, entry) for name, entry in json.loads(text).items()}


def find_model(name: str) -> Model:
    """The model called ``name``.

    Raises:
        OptionError: for an unknown one, with the nearest.
    """
    known = catalogue()
    if name not in known:
        raise OptionError(
            f"no model is called {name!r}{hint(name, known)} (there are {', '.join(known)})"
        )
    return known[name]


def _model(name: str, entry: Mapping[str, Any]) -> Model:
    return Model(
        name=name,
        title=entry["title"],
        folder=entry["folder"],
        licence=entry["licence"],
        licence_url=entry["licence_url"],
        terms=tuple(entry["terms"]),
        memory=entry["memory"],
        files=tuple(
            PublishedFile(
                path=file["path"],
                repository=repository["hub"],
                revision=repository["revision"],
                name=file["name"],
                size=file["size"],
                sha256=file["sha256"],
                modelscope=repository["modelscope"],
            )
            for repository in entry["repositories"]
            for file in repository["files"]
        ),
    )
