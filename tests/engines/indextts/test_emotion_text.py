"""A mood in words, by a small Qwen that was taught three answers."""

from __future__ import annotations

import json
import re

import pytest
import torch

from tts_toolkit.config import Options
from tts_toolkit.emotion import EMOTIONS
from tts_toolkit.engines.indextts import emotion_text
from tts_toolkit.engines.indextts.emotion_text import FOLDER, EmotionReader, weights_of
from tts_toolkit.engines.indextts.spec import IndexTTS
from tts_toolkit.engines.indextts.voices import Voices
from tts_toolkit.errors import EngineError, ModelMissingError
from tts_toolkit.store.catalogue import EMOTION, find_model
from tts_toolkit.utterance import Emotion, Utterance

ANSWERS = {
    "full of joy": '{"高兴": 0.6, "自然": 0.1}',
    "trembling": '{"恐惧": 0.9, "惊讶": 0.3}',
    "who knows": "I can't say.",
}
# As Qwen's own: turns between marks, and an empty thought where none is wanted.
TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n"
    "{% if enable_thinking is defined and not enable_thinking %}<think>\n\n</think>\n\n{% endif %}"
    "{% endif %}"
)


def named(**weights):
    return pytest.approx([weights.get(name, 0.0) for name in EMOTIONS])


@pytest.fixture(scope="module")
def taught(tmp_path_factory):
    """A folder of weights whose part has learnt ``ANSWERS``."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    bytewise = Tokenizer(models.BPE(vocab={c: n for n, c in enumerate(alphabet)}, merges=[]))
    bytewise.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bytewise.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bytewise,
        eos_token="<|im_end|>",
        pad_token="<|im_end|>",
        additional_special_tokens=["<|im_start|>"],
        chat_template=TEMPLATE,
    )
    torch.manual_seed(0)
    config = Qwen3Config(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=16,
        eos_token_id=tokenizer.eos_token_id,
    )
    model = Qwen3ForCausalLM(config)
    texts = [
        tokenizer.apply_chat_template(
            [
                {"role": "system", "content": "文本情感分类"},
                {"role": "user", "content": asked},
            ],
            tokenize=False,
            add_generation_prompt=True,
            enable_thinking=False,
        )
        + answer
        + "<|im_end|>"
        for asked, answer in ANSWERS.items()
    ]
    batch = tokenizer(texts, return_tensors="pt", padding=True, padding_side="right")
    labels = batch["input_ids"].masked_fill(batch["attention_mask"] == 0, -100)
    optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(400):
        loss = model(**batch, labels=labels).loss
        loss.backward()
        optimiser.step()
        optimiser.zero_grad()
        if loss < 0.02:
            break
    folder = tmp_path_factory.mktemp("weights")
    model.save_pretrained(folder / FOLDER)
    tokenizer.save_pretrained(folder / FOLDER)
    return folder


@pytest.fixture(scope="module")
def reader(taught):
    return EmotionReader(taught, torch.device("cpu"))


def test_words_become_weights_and_too_much_is_scaled_down(reader):
    assert reader("full of joy") == named(happy=0.6, calm=0.1)
    # 0.9 and 0.3 are more than 0.8 together.
    assert reader("trembling") == named(afraid=0.6, surprised=0.2)
    assert reader("trembling") == reader("trembling")


def test_an_answer_without_weights_fails_the_line_with_what_was_answered(reader):
    with pytest.raises(EngineError, match=r"emotion 'who knows' can't be told: .*I can't say"):
        reader("who knows")


def test_a_part_that_can_t_be_read_names_the_command(tmp_path):
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "config.json").write_text("{")
    with pytest.raises(ModelMissingError, match=f"tts-toolkit models verify {EMOTION}"):
        EmotionReader(tmp_path, torch.device("cpu"))


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ('{"高兴": 0.5}', {"happy": 0.5}),
        ('{"高兴": 0.5, "unknown": 1}', {"happy": 0.5}),
        ("{高兴: 0.2, 悲伤: 0.4", {"happy": 0.2, "sad": 0.4}),
        ('"愤怒": 0.3', {"angry": 0.3}),
        ('{"高兴": 7}', {"happy": 0.8}),
        ('{"高兴": -1, "自然": 0}', {"calm": 0.8}),
        ('{"高兴": null, "反感": 0.2}', {"disgusted": 0.2}),
    ],
)
def test_an_answer_is_read_with_what_is_wrong_with_it(answer, expected):
    assert weights_of(answer, "some words") == named(**expected)


@pytest.mark.parametrize("answer", ["", "[]", "0.5", '{"mood": 1}', "{}"])
def test_an_answer_that_has_none_is_an_error(answer):
    with pytest.raises(EngineError, match="--emotion-vector"):
        weights_of(answer, "some words")


def test_low_spirits_are_not_sadness():
    """It calls them sad, so upstream swaps the two where the words mean the other."""
    assert weights_of('{"悲伤": 0.5}', "Gloomy and grey") == named(melancholic=0.5)
    assert weights_of('{"悲伤": 0.5}', "in tears") == named(sad=0.5)


def test_words_move_the_voice_as_their_weights_do_and_are_read_once(
    checkpoint, taught, voices, tmp_path, monkeypatch
):
    from dataclasses import replace

    made = []
    real = emotion_text.EmotionReader.__call__
    monkeypatch.setattr(
        emotion_text.EmotionReader, "__call__", lambda *a: made.append(a) or real(*a)
    )
    known = Voices(replace(checkpoint, folder=taught), "1", tmp_path)

    def vector(**emotion):
        line = Utterance("Hi.", voice=str(voices["low"]), emotion=Emotion(**emotion))
        return known.of(line)[1]

    plain = vector(vector=(0.0,) * 8)
    words = vector(text="full of joy", weight=1.0)
    assert torch.equal(words, vector(vector=tuple(weights_of(ANSWERS["full of joy"], ""))))
    assert not torch.allclose(words, plain, atol=1e-3)
    assert torch.equal(vector(text="full of joy", weight=0.0), plain)
    assert len(made) == 1


def test_without_the_part_it_is_refused_with_the_command_that_brings_it(tiny):
    spec = IndexTTS.of(Options(model_dir=tiny), tiny, devices=("cpu",), dtype="float32")
    reason = spec.refuse(Utterance("Hi.", emotion=Emotion(text="calm")))
    command = re.escape(f"tts-toolkit models download {EMOTION} --dir {tiny}")
    assert re.search(f"an emotion in words needs a model of its own: .*{command}", reason)


def test_with_the_part_it_is_not_refused(tiny, tmp_path):
    both = tmp_path / "both"
    both.mkdir()
    for file in tiny.iterdir():
        (both / file.name).symlink_to(file)
    for file in find_model(EMOTION).files:
        path = both / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({}))
    spec = IndexTTS.of(Options(model_dir=both), both, devices=("cpu",), dtype="float32")
    assert not spec.refuse(Utterance("Hi.", emotion=Emotion(text="calm")))
