# ruff: noqa: RUF001 - texts in five languages
from __future__ import annotations

import re
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oracle_text import (
    Oracle,
    SpellingGrammar,
    install_fugashi,
    install_wetext,
    tokenizer_in,
    use_nemo,
)
from tts_toolkit.engines.indextts import grammar, grammar_store
from tts_toolkit.engines.indextts.frontend import Frontend, default_segment_tokens
from tts_toolkit.engines.indextts.glossary import Glossary
from tts_toolkit.errors import UnspeakableError

TEXTS = {
    "en": [
        "Hello there. It's 14:30; I paid $3.50 (really)!",
        "See https://example.com/a?b=1&c=2, or mail me@example.com…",
        "I was <going|G OW1 . IH0 NG> home, <read|R EH1 D> it.",
        "A line\nand another — with “quotes”, ~5 km... and a tab\there.",
        "Mixed: 你好 and مرحبا and ¿qué? 😀 ok",
        "  leading and trailing  ",
        "one word after another " * 60,
        "Sentence number one. And two! Or three? " * 20,
        "unbroken" * 120,
        "a <|SPECIAL_TOKEN_3|> b <|laughter|> c",
    ],
    "zh": [
        "你好，世界。现在是14:30，价格是$3.50！",
        "他在银<行|XING2>工作；“真的”吗？（是的）",
        "GPT-5-nano和iPhone 15，克里斯托弗·诺兰。",
        "没有标点的一段话" * 60,
        "第一句。第二句，还有第三句！" * 20,
        "看 https://example.com 😀",
    ],
    "ja": [
        "こんにちは、世界。14:30に3,500円です！",
        "<東京|トウキョウ>と<行|XING2>の話「ほんとう」？",
        "すもももももももものうち" * 30,
        "東京 タワー  高い",
    ],
    "es": [
        "¿Qué hora es? Son las 14:30; cuesta 3,50 €.",
        "¡Hola, señor! «Vale» — dijo: “sí”.",
        "palabra tras palabra " * 60,
        "<Juan|H W A1 N> vino",
    ],
    "ar": [
        "مرحبا بالعالم، كيف حالك؟ الساعة 14:30.",
        "كلمة بعد كلمة " * 60,
        "مرحبا hello ٣٫٥",
    ],
}
CASES = [(lang, text) for lang, texts in TEXTS.items() for text in texts]
SIGNS = "aBé ñ¿ 09 .,:;!?-—~\n\t'\"()[]<>|·…你好行。，かカーم؟😀\u0301\u200d"
MARKS = ["<a|B1>", "<行|XING2>", "<|SPECIAL_TOKEN_1|>"]
ALPHABET = st.sampled_from([*SIGNS, " word", " the", "14:30", *MARKS])


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    return tokenizer_in(tmp_path_factory.mktemp("tokenizer"))


@pytest.fixture(scope="module")
def grammar_folder(tmp_path_factory):
    """A cache with a quick stand-in for each of NeMo's grammars."""
    folder = tmp_path_factory.mktemp("quick")
    for lang in ("en", "es", "zh"):
        grammar_store.save(grammar.nemo_file(folder, lang), SpellingGrammar())
    return folder


@pytest.fixture
def pair(tokenizer, grammar_folder, monkeypatch):
    """Ours and the oracle's, with the same normalisers."""
    install_fugashi(monkeypatch)
    use_nemo(monkeypatch, {lang: SpellingGrammar() for lang in ("en", "es", "zh")})
    return Frontend(tokenizer, grammar_folder), Oracle(tokenizer)


@pytest.fixture(scope="session")
def english_folder(tmp_path_factory):
    """NeMo's English grammar, compiled once: half a minute."""
    pytest.importorskip("nemo_text_processing")
    folder = tmp_path_factory.mktemp("grammars")
    grammar.warm("en", folder)
    return folder


@pytest.fixture
def frontend(tokenizer, grammar_folder, monkeypatch):
    install_fugashi(monkeypatch)
    return Frontend(tokenizer, grammar_folder)


def raw(frontend, text, lang, **options):
    segments = frontend.segments(text, lang, raw=True, **options)
    return [(segment.text, segment.tokens) for segment in segments]


@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize(("lang", "text"), CASES)
def test_raw_tokens_are_the_oracles(pair, lang, text, normalize):
    ours, oracle = pair
    for budget in (9, 40, 120, 10_000):
        expected = oracle.segments(text, lang, max_tokens=budget, normalize=normalize)
        assert raw(ours, text, lang, segment_tokens=budget, normalize=normalize) == expected


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    pieces=st.lists(ALPHABET, max_size=60),
    lang=st.sampled_from(list(TEXTS)),
    budget=st.integers(1, 70),
    normalize=st.booleans(),
)
def test_raw_tokens_are_the_oracles_for_any_text(pair, pieces, lang, budget, normalize):
    ours, oracle = pair
    text = "".join(pieces)
    try:
        found = raw(ours, text, lang, segment_tokens=budget, normalize=normalize)
    except UnspeakableError:
        prepared = oracle.tts._prepare_text(text, lang, normalize)
        assert not any(map(str.isalnum, re.sub(r"<\|[^|\s]+\|>", "", prepared)))
        return
    assert found == oracle.segments(text, lang, max_tokens=budget, normalize=normalize)


@pytest.mark.parametrize("lang", list(TEXTS))
def test_a_text_that_fits_has_the_oracles_tokens_without_raw_too(pair, lang):
    ours, oracle = pair
    for text in TEXTS[lang]:
        if "<" in text or text != text.strip():
            continue  # marks are kept on purpose, and space at the ends is dropped
        expected = oracle.segments(text, lang, max_tokens=10_000)
        found = ours.segments(text, lang, segment_tokens=10_000)
        if len(expected) == 1 and len(text.split()) < 100:
            assert [(segment.text, segment.tokens) for segment in found] == expected


def test_chinese_and_english_go_through_wetextprocessing_where_it_is(
    tokenizer, tmp_path, monkeypatch
):
    made = []
    install_wetext(monkeypatch, made)
    monkeypatch.setattr(grammar, "version", lambda _: "1.2.0")
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "theirs"))
    ours, oracle = Frontend(tokenizer, tmp_path / "ours"), Oracle(tokenizer)
    for lang, text in CASES:
        if lang in {"en", "zh"}:
            assert raw(ours, text, lang) == oracle.segments(text, lang)
    assert [options.get("cache_dir") for options in made] == [
        str(tmp_path / "ours" / "grammars" / "wetext-1.2.0"),
        None,
        str(tmp_path / "theirs" / "indextts25" / "wetext_tagger"),
        None,
    ]
    assert made[0].items() - made[2].items() == {("cache_dir", made[0]["cache_dir"])}


def test_english_numbers_are_read_out(tokenizer, english_folder, monkeypatch):
    ours, oracle = Frontend(tokenizer, english_folder), Oracle(tokenizer)
    grammars = grammar_store.load(grammar.nemo_file(english_folder, "en"))
    use_nemo(monkeypatch, {"en": grammars})
    assert [segment.text for segment in ours.segments("It is 14:30.", "en")] == [
        "it is fourteen thirty."
    ]
    (cost,) = ours.segments("It cost $3.50, or 25%.", "en")
    assert cost.text == "it cost three dollars fifty cents, or twenty five percent."
    (marked,) = ours.segments("At 5, <going|G OW1 . IH0 NG> home.", "en", segment_tokens=600)
    token = "<|SPECIAL_TOKEN_1|>"
    assert marked.text == f"at five, {token}G OW1 . IH0 NG{token} home."
    for text in TEXTS["en"]:
        assert raw(ours, text, "en") == oracle.segments(text, "en")


def test_a_long_text_is_normalised_in_parts_and_loses_nothing(frontend):
    text = "Dr. Smith has 3 cats and one dog at home. " * 40
    spoken = " ".join(segment.text for segment in frontend.segments(text, "en"))
    assert spoken == " ".join(["dr. smith has d3 cats and one dog at home."] * 40)


@pytest.mark.parametrize("lang", list(TEXTS))
def test_default_budgets_hold_and_count_the_prefix(frontend, tokenizer, lang):
    limit = 60 if lang == "en" else 120
    assert default_segment_tokens(lang) == limit
    assert default_segment_tokens(lang, raw=True) == 120
    for text in TEXTS[lang]:
        for segment in frontend.segments(text, lang, normalize=False):
            assert len(segment.tokens) <= limit
            expected = tokenizer.encode(f"<|{lang}|> {segment.text}", allowed_special="all")
            assert list(segment.tokens) == expected
            assert segment.text == segment.text.strip()


def test_languages_have_the_models_numbers(frontend):
    from indextts25.utils.tokenizer import LANGUAGE_DICT

    for lang, texts in TEXTS.items():
        (first, *_) = frontend.segments(texts[0], lang)
        assert first.lang_id == LANGUAGE_DICT[lang]
        assert frontend.segments(texts[0], "auto")[0].lang_id == (
            LANGUAGE_DICT["en"] if lang == "es" else first.lang_id
        )


def test_a_segment_never_outgrows_the_models_positions(tokenizer, grammar_folder):
    small = Frontend(tokenizer, grammar_folder, max_text_tokens=30)
    found = small.segments("word and word " * 20, "en", segment_tokens=500, normalize=False)
    assert len(found) > 1
    assert max(len(segment.tokens) for segment in found) <= 30
    for raw_cut in (True, False):
        with pytest.raises(UnspeakableError, match="pronunciation mark has"):
            small.segments(f"<a|{'B' * 60}>", "en", normalize=False, raw=raw_cut)


@pytest.mark.parametrize("mark", ["<行|XING2>", "<going|G OW1 . IH0 NG>"])
@pytest.mark.parametrize("lang", list(TEXTS))
def test_marks_survive_normalising_and_cutting(frontend, lang, mark):
    word = {"zh": "字", "ja": "かな", "ar": "كلمة "}.get(lang, "word ")
    text = f"{word * 9}{mark}{word * 9}"
    number = 2 if "行" in mark else 1
    token = f"<|SPECIAL_TOKEN_{number}|>"
    spoken = f"{token}{mark[1:-1].split('|')[1]}{token}"
    for budget in (3, 20, 40, 80):
        found = frontend.segments(text, lang, segment_tokens=budget)
        assert sum(spoken in segment.text for segment in found) == 1


@pytest.mark.parametrize(
    "text",
    ["!", "…", "", "  \n ", "😀😀", "— — —", "“”", "?!?", "<a|.>", "~", "'"],
)
@pytest.mark.parametrize("raw_cut", [True, False])
def test_nothing_to_say_is_an_error_of_the_line(frontend, text, raw_cut):
    for lang in ("en", "zh", "ja", "es", "ar", "auto"):
        with pytest.raises(UnspeakableError, match="nothing to pronounce"):
            frontend.segments(text, lang, raw=raw_cut)


def test_what_a_normaliser_leaves_nothing_of_is_an_error(tokenizer, tmp_path):
    class Silent:
        def normalize(self, _, **__):
            return " . "

    frontend = Frontend(tokenizer, tmp_path)
    frontend._reader._grammars._nemo._cache["en"] = Silent()
    with pytest.raises(UnspeakableError, match="nothing to pronounce in 'Hello'"):
        frontend.segments("Hello", "en")
    assert frontend.segments("Hello", "en", normalize=False)[0].text == "hello"


def test_an_unknown_language_is_an_error_of_the_line(frontend):
    with pytest.raises(UnspeakableError, match="does not speak 'fr'"):
        frontend.segments("Bonjour", "fr")


def test_japanese_without_a_word_splitter(tokenizer, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "fugashi", None)
    monkeypatch.setitem(sys.modules, "MeCab", None)
    frontend = Frontend(tokenizer, tmp_path)
    with pytest.raises(UnspeakableError, match=r"pip install 'tts-toolkit\[ja\]'"):
        frontend.segments("こんにちは", "ja")
    assert frontend.segments("こんにちは。", "ja", normalize=False)[0].text == "こんにちは."


def test_a_word_splitter_without_its_dictionary(tokenizer, tmp_path, monkeypatch):
    install_fugashi(monkeypatch)

    def broken():
        raise RuntimeError("Failed initializing MeCab\nmore lines")

    monkeypatch.setattr(sys.modules["fugashi"], "Tagger", broken)
    with pytest.raises(UnspeakableError, match=r"Failed initializing MeCab\).*\[ja\]"):
        Frontend(tokenizer, tmp_path).segments("こんにちは", "ja")


def test_a_glossary_comes_before_everything(tokenizer, grammar_folder):
    glossary = Glossary({"M.2": {"en": "M dot 2"}, "TTS": {"": "<TTS|T IY1>"}})
    frontend = Frontend(tokenizer, grammar_folder, glossary=glossary)
    (segment,) = frontend.segments("An M.2 disk.", "en")
    assert segment.text == "an m dot d2 disk."
    (marked,) = frontend.segments("TTS.", "en")
    assert marked.text == "<|SPECIAL_TOKEN_1|>T IY1<|SPECIAL_TOKEN_1|>."
