from __future__ import annotations

import logging
import pickle
import sys
from pathlib import Path

import pytest

from oracle_text import install_wetext
from tts_toolkit.engines.indextts import grammar, grammar_store
from tts_toolkit.engines.indextts.grammar import Grammars, nemo_file, warm
from tts_toolkit.errors import OptionError, StorageError

pytest.importorskip("nemo_text_processing")


class Echo:
    """A grammar that says which one it is."""

    def __init__(self, name):
        self.name = name

    def normalize(self, text, **_):
        return f"{self.name}: {text}"


class Trap:
    """What it does when it is unpickled must never be done."""

    def __reduce__(self):
        return (pytest.fail, ("unpickled",))


@pytest.fixture
def built(monkeypatch):
    """Compile nothing; keep the languages that would have been."""
    languages = []

    def build(lang):
        languages.append(lang)
        return Echo(f"built {len(languages)}")

    monkeypatch.setattr(grammar, "_build_nemo", build)
    return languages


def test_a_grammar_is_built_once_a_machine(built, tmp_path):
    assert Grammars(tmp_path).nemo("a", "en") == "built 1: a"
    again = Grammars(tmp_path)
    assert [again.nemo("b", "en"), again.nemo("c", "en")] == ["built 1: b", "built 1: c"]
    assert built == ["en"]


def test_two_folders_do_not_know_of_each_other(built, tmp_path):
    from indextts25.utils import nemo_tn

    before = nemo_tn._CACHE_DIR
    one, two = Grammars(tmp_path / "one"), Grammars(tmp_path / "two")
    assert [one.nemo("a", "es"), two.nemo("a", "es")] == ["built 1: a", "built 2: a"]
    assert one.nemo("b", "es") == "built 1: b"
    assert before == nemo_tn._CACHE_DIR
    assert nemo_file(tmp_path / "one", "es").exists()
    assert nemo_file(tmp_path / "two", "es").exists()


def test_warm_builds_ahead(built, tmp_path):
    path = warm("en", tmp_path)
    assert path == nemo_file(tmp_path, "en")
    assert path.is_relative_to(tmp_path / "grammars")
    assert warm("en", tmp_path) == path
    assert Grammars(tmp_path).nemo("a", "en") == "built 1: a"
    assert built == ["en"]


def test_warm_has_nothing_to_do_for_arabic(built, tmp_path):
    assert warm("ar", tmp_path) is None
    assert not built
    assert not list(tmp_path.iterdir())


def test_warm_knows_its_languages(tmp_path):
    with pytest.raises(OptionError, match="'fr': there are grammars for en, zh, ja, es, ar"):
        warm("fr", tmp_path)


def test_warm_takes_wetextprocessing_where_it_is(built, tmp_path, monkeypatch):
    made = []
    install_wetext(monkeypatch, made)
    monkeypatch.setattr(grammar, "version", lambda _: "1.2.0")
    assert warm("zh", tmp_path) == tmp_path / "grammars"
    assert len(made) == 2
    assert not built


def test_a_broken_wetextprocessing_leaves_it_to_nemo(built, tmp_path, monkeypatch, caplog):
    install_wetext(monkeypatch, [])
    monkeypatch.delattr(sys.modules["tn.english.normalizer"], "Normalizer")
    monkeypatch.setitem(sys.modules, "tn.chinese.normalizer", None)
    grammars = Grammars(tmp_path)
    assert grammars.wetext("zh") is None
    assert "NeMo reads the text" in caplog.text
    assert grammars.wetext("zh") is None


def test_only_this_user_can_write_where_grammars_are(built, tmp_path):
    path = warm("en", tmp_path)
    assert path.stat().st_mode & 0o077 == 0
    assert path.parent.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("mode", [0o770, 0o777, 0o1777])
def test_a_folder_that_others_can_write_to_is_not_read(built, tmp_path, mode, caplog):
    path = nemo_file(tmp_path, "en")
    grammar_store.save(path, Trap())
    path.parent.chmod(mode)
    assert Grammars(tmp_path).nemo("a", "en") == "built 1: a"
    assert "others can write here" in caplog.text
    with pytest.raises(StorageError, match=r"chmod go-w .*TTS_TOOLKIT_HOME"):
        warm("en", tmp_path)


def test_a_file_that_others_can_write_to_is_not_read(built, tmp_path):
    path = nemo_file(tmp_path, "en")
    grammar_store.save(path, Trap())
    path.chmod(0o666)
    assert Grammars(tmp_path).nemo("a", "en") == "built 1: a"


def test_a_file_of_another_user_is_not_read(built, tmp_path, monkeypatch):
    path = nemo_file(tmp_path, "en")
    grammar_store.save(path, Trap())
    owner = path.stat().st_uid
    monkeypatch.setattr(grammar_store.os, "geteuid", lambda: owner + 1)
    monkeypatch.setattr(grammar_store, "_ROOT", owner + 2)
    assert grammar_store.load(path) is None


@pytest.mark.parametrize("data", [b"", b"short", b"x" * 100, pickle.dumps(Trap())])
def test_a_damaged_file_is_made_again(built, tmp_path, data):
    path = warm("en", tmp_path)
    path.write_bytes(data)
    assert Grammars(tmp_path).nemo("a", "en") == "built 2: a"
    assert Grammars(tmp_path).nemo("a", "en") == "built 2: a"


def test_a_torn_file_is_made_again(built, tmp_path):
    path = warm("en", tmp_path)
    path.write_bytes(path.read_bytes()[:-3])
    assert warm("en", tmp_path) == path
    assert built == ["en", "en"]


def test_without_a_place_to_keep_it_a_grammar_still_works(built, tmp_path, caplog):
    (tmp_path / "file").write_text("")
    folder = tmp_path / "file" / "below"
    assert Grammars(folder).nemo("a", "en") == "built 1: a"
    assert "no place for grammars" in caplog.text
    with pytest.raises(StorageError, match="no place for grammars: Not a directory"):
        warm("en", folder)


def test_a_failed_write_leaves_nothing_behind(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(StorageError, match=r"grammar\.pkl: can't be written: No space left"):
        grammar_store.save(tmp_path / "cache" / "grammar.pkl", Echo("x"))
    assert not list((tmp_path / "cache").iterdir())


def test_nothing_is_printed(built, tmp_path, capfd):
    from nemo_text_processing.utils.logging import logger as nemo

    Grammars(tmp_path)
    nemo.setLevel(logging.INFO)
    nemo.info("chatter")
    nemo.warning("a warning")
    assert capfd.readouterr() == ("", "")


def test_warnings_of_nemo_reach_whoever_listens(built, tmp_path, caplog):
    from nemo_text_processing.utils.logging import logger as nemo

    Grammars(tmp_path)
    nemo.info("chatter")
    nemo.warning("a warning")
    assert caplog.messages == ["a warning"]


def test_a_handler_of_the_users_stays(built, tmp_path):
    heard = []
    handler = logging.Handler()
    handler.emit = heard.append
    logger = logging.getLogger("NeMo-text-processing")
    logger.addHandler(handler)
    try:
        Grammars(tmp_path)
        logger.warning("a warning")
    finally:
        logger.removeHandler(handler)
    assert [record.getMessage() for record in heard] == ["a warning"]
