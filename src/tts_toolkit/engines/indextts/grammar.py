"""Text normalisers and their grammars: built once a machine, kept in a folder of ours.

``indextts25`` keeps NeMo's grammars in the user's cache folder (``nemo_tn._CACHE_DIR``, a module
constant) and unpickles what it finds there; WeTextProcessing's it keeps beside them. Instead of
pointing that constant elsewhere, which every other user of the package in the process would feel,
grammars are built and kept here and handed to the package's own classes. So two frontends with two
folders don't know of each other, and ``indextts25`` used beside us stays as it is.
"""

from __future__ import annotations

import logging
import platform
import sys
import tempfile
from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from tts_toolkit.engines.indextts import grammar_store
from tts_toolkit.engines.indextts.speakable import LANGUAGES, normaliser
from tts_toolkit.errors import OptionError, StorageError

if TYPE_CHECKING:
    from pathlib import Path

_LOG = logging.getLogger(__name__)


class Grammars:
    """The normalisers of one process, each loaded when a text first needs it.

    NeMo's and WeTextProcessing's parsers keep state while they work: use from one thread at a time.

    Args:
        cache_folder: where compiled grammars are kept, in a folder ``grammars`` of its own. If it
            can't be used safely, grammars are compiled for this process alone, with a warning.
    """

    def __init__(self, cache_folder: Path) -> None:
        from indextts25.utils import front, nemo_tn  # noqa: PLC0415 - `warm --help` does without

        self._folder = cache_folder / "grammars"
        self._nemo = nemo_tn.TextNormalizer()
        self._wetext = front.TextNormalizer(enable_glossary=True)
        self._no_wetext = False
        # Both packages print through handlers of their own; a library leaves that to its user.
        for name in ("indextts25", "NeMo-text-processing"):
            _quiet(name)

    @property
    def cleaner(self) -> Any:
        """indextts25's ``front.TextNormalizer``: its table of characters and their pattern."""
        return self._wetext

    def wetext(self, lang: str) -> Any:
        """The same with WeTextProcessing's grammars in it, or None if ``lang`` goes by NeMo."""
        if self._no_wetext or normaliser(lang) != "wetext":
            return None
        if self._wetext.zh_normalizer is None:
            try:
                self._load_wetext()
            except (ImportError, OSError) as error:
                _LOG.warning("WeTextProcessing can't be loaded (%s): NeMo reads the text", error)
                self._no_wetext = True
                return None
        return self._wetext

    def nemo(self, text: str, lang: str) -> str:
        """``text`` normalised by NeMo, as ``indextts25.utils.nemo_tn`` has it done.

        Args:
            text: any; one that NeMo fails on comes back as it was, which is logged.
            lang: "en", "es" or "zh".
        """
        grammars = self._nemo._cache  # noqa: SLF001 - where it looks before it would build its own
        if lang not in grammars:
            grammars[lang] = self._load_nemo(lang)
        return str(self._nemo.normalize(text, lang))

    def _load_nemo(self, lang: str) -> Any:
        path = nemo_file(self._folder.parent, lang)
        grammar = grammar_store.load(path)
        if grammar is None:
            grammar = _build_nemo(lang)
            try:
                grammar_store.save(path, grammar)
            except StorageError as error:
                _LOG.warning("%s", error)
        return grammar

    def _load_wetext(self) -> None:
        if platform.system() != "Linux":
            self._wetext.load()  # wetext brings its grammars compiled and keeps nothing
            return
        chinese_module = import_module("tn.chinese.normalizer")
        english_module = import_module("tn.english.normalizer")
        for name in ("wetext", "wetext-zh_normalizer", "wetext-en_normalizer"):
            _quiet(name)
        with tempfile.TemporaryDirectory() as scratch:
            try:
                usable = grammar_store.private(self._folder)
            except StorageError as error:
                _LOG.warning("%s", error)
                usable = False
            # As indextts25 builds them: fillers and erhua are spoken. English comes compiled.
            chinese = chinese_module.Normalizer(
                cache_dir=str(self._folder / f"wetext-{version('WeTextProcessing')}")
                if usable
                else scratch,
                remove_interjections=False,
                remove_erhua=False,
                overwrite_cache=False,
            )
        self._wetext.en_normalizer = english_module.Normalizer(overwrite_cache=False)
        self._wetext.zh_normalizer = chinese


def nemo_file(cache_folder: Path, lang: str) -> Path:
    """Where NeMo's grammar of ``lang`` is kept; named for all that its pickle depends on."""
    made_by = f"nemo{version('nemo_text_processing')}-pynini{version('pynini')}"
    made_for = f"{sys.implementation.cache_tag}-{platform.machine()}"
    return cache_folder / "grammars" / f"{lang}-cased-{made_by}-{made_for}.pkl"


def warm(lang: str, cache_folder: Path) -> Path | None:
    """Compile what texts in ``lang`` need, so that no run has to (English 25 s, Spanish 70 s).

    Args:
        lang: a language's code.
        cache_folder: as for ``Grammars``.

    Returns:
        The file, or None if nothing has to be compiled for the language on this machine.

    Raises:
        OptionError: if the engine does not speak the language.
        StorageError: naming the path, if the grammar can't be kept.
    """
    if lang not in LANGUAGES:
        raise OptionError(f"lang {lang!r}: there are grammars for {', '.join(LANGUAGES)}")
    kind = normaliser(lang)
    if kind == "wetext" and Grammars(cache_folder).wetext(lang) is not None:
        return cache_folder / "grammars"
    if kind != "nemo":
        return None
    path = nemo_file(cache_folder, lang)
    if grammar_store.load(path) is None:
        _quiet("NeMo-text-processing")
        grammar_store.save(path, _build_nemo(lang))
    return path


def _build_nemo(lang: str) -> Any:
    # By its name, since it is not there on every platform.
    module = import_module("nemo_text_processing.text_normalization.normalize")
    _quiet("NeMo-text-processing")  # again: importing it adds its handler
    # "cased" as in nemo_tn; its pickle is exactly the object in memory, NeMo's own cache is not.
    return module.Normalizer(input_case="cased", lang=lang)


def _quiet(name: str) -> None:
    """Leave a package's warnings to whoever configured logging, and its chatter to nobody."""
    logger = logging.getLogger(name)
    for handler in list(logger.handlers):
        if type(handler) is logging.StreamHandler:  # the package's own, to stderr
            logger.removeHandler(handler)
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
    # A filter, since NeMo sets its logger's level anew with every text.
    if _warns not in logger.filters:
        logger.addFilter(_warns)


def _warns(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING
