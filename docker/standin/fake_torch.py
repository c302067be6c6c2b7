"""Stands in for torch in a stand-in base: it can be imported, and computes nothing.

transformers looks at many names of torch when it is imported, so every name is here: as a class,
which can be subclassed, called, and used as a decorator.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
from importlib.metadata import version
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


class _Names(type):
    """A class whose every attribute is another such class."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Names(name, (), {"__call__": _decorate, "__init__": _ignore})


def _decorate(_self: object, decorated: Any = None, *_args: Any, **_kwargs: Any) -> Any:
    return decorated


def _ignore(_self: object, *_args: Any, **_kwargs: Any) -> None:
    return None


class _Module(ModuleType):
    """A module that has every name."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(_Names("torch", (), {}), name)


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds ``torch.anything``."""

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if not fullname.startswith("torch."):
            return None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        return _Module(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing is left to do."""


sys.meta_path.append(_Finder())
sys.modules[__name__].__class__ = _Module
__version__ = version("torch")
