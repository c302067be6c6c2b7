"""indextts25's own way from text to tokens, without its model; and doubles of what it calls."""

from __future__ import annotations

import re
import sys
import warnings
from importlib.machinery import ModuleSpec
from types import ModuleType, SimpleNamespace

from tts_toolkit.testing.tokenizer import write_tokenizer


def tokenizer_in(folder):
    from indextts25.utils.tokenizer import get_encoding

    write_tokenizer(folder)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # it leaves the file open
        return get_encoding("multilingual_zh_ja_yue_char_del", model_dir=str(folder))


class Oracle:
    """The lines of ``IndexTTS2.infer_generator`` that make tokens, over its own methods."""

    def __init__(self, tokenizer, max_text_tokens=600):
        from indextts25.infer_v2_5 import IndexTTS2
        from indextts25.utils.front import TextNormalizer

        self.tts = tts = IndexTTS2.__new__(IndexTTS2)
        tts.tokenizer = tokenizer
        tts.text_process = TextNormalizer(enable_glossary=True)
        tts._ja_text_process = None
        positions = SimpleNamespace(num_embeddings=max_text_tokens + 2)
        tts.gpt = SimpleNamespace(text_pos_embedding=SimpleNamespace(emb=positions))

    def segments(self, text, lang, *, max_tokens=120, normalize=True):
        prepared = self.tts._prepare_text(text, lang, normalize)
        prefix = f"<|{lang.lower()}|> "
        pieces = self.tts.split_text_by_tokens(prepared, max_tokens, prefix)
        encode = self.tts.tokenizer.encode
        return [(piece, tuple(encode(prefix + piece, allowed_special="all"))) for piece in pieces]


class SpellingGrammar:
    """In NeMo's place: digits become words, and a time needs its colon, as with the real one."""

    def normalize(self, text, **_):
        text = re.sub(r"(\d+):(\d+)", r"\1 o'clock \2", text.strip())
        return re.sub(r"\d", lambda digit: f" D{digit[0]} ", text).replace("  ", " ").strip()


def use_nemo(monkeypatch, grammars):
    """Give these grammars, by language, to the process-wide normaliser of indextts25."""
    from indextts25.utils import nemo_tn

    normalizer = nemo_tn.TextNormalizer()
    normalizer._cache.update(grammars)
    monkeypatch.setattr(nemo_tn, "_DEFAULT_NORMALIZER", normalizer)


def install_fugashi(monkeypatch):
    """A word splitter where the extra is not installed: runs of one kind of character."""

    class Tagger:
        def __call__(self, text):
            for word in re.findall(r"[ぁ-ゖ]+|[ァ-ヺー]+|[一-鿿]+|\w|[^\w\s]+", text):
                yield SimpleNamespace(surface=word, feature=SimpleNamespace(kana=word))

    _install(monkeypatch, "fugashi", Tagger=Tagger)


def install_wetext(monkeypatch, made):
    """WeTextProcessing where the extra is not installed; ``made`` gets how it was constructed."""

    class Normalizer:
        def __init__(self, **options):
            made.append(options)

        def normalize(self, text):
            return re.sub(r"\d", lambda digit: "零一二三四五六七八九"[int(digit[0])], text)

    for name in ("tn", "tn.chinese", "tn.english"):
        _install(monkeypatch, name, __path__=[])
    for name in ("tn.chinese.normalizer", "tn.english.normalizer"):
        _install(monkeypatch, name, Normalizer=Normalizer)


def _install(monkeypatch, name, **attributes):
    module = ModuleType(name)
    module.__spec__ = ModuleSpec(name, None)
    vars(module).update(attributes)
    monkeypatch.setitem(sys.modules, name, module)
