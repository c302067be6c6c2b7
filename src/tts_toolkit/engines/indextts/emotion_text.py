"""A mood in words into the eight weights, by the Qwen model that IndexTTS was trained with.

``indextts25`` has no code for it. The prompt, the Chinese names and what is done about low spirits
are those of ``QwenEmotion`` in upstream's ``indextts/infer_v2.py``; written anew over transformers.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import torch

from tts_toolkit.emotion import EMOTIONS, MOST_TOGETHER
from tts_toolkit.errors import EngineError, ModelMissingError
from tts_toolkit.store.catalogue import EMOTION

if TYPE_CHECKING:
    from pathlib import Path

# Where the part lies in the model's folder.
FOLDER = "qwen0.6bemo4-merge"
# "Sorting texts by emotion": the system prompt of its training.
_PROMPT = "文本情感分类"
# What it calls the eight, in IndexTTS's order.
_NAMES = ("高兴", "愤怒", "悲伤", "恐惧", "反感", "低落", "惊讶", "自然")
_SAD, _MELANCHOLIC = _NAMES[EMOTIONS.index("sad")], _NAMES[EMOTIONS.index("melancholic")]
# It calls low spirits sad; in these words they are meant (upstream's list).
_LOW_SPIRITS = ("低落", "melancholy", "melancholic", "depression", "depressed", "gloomy")
# An answer is eight names with a number each, about 70 tokens.
_MOST_TOKENS = 256
# What is not quite JSON still has pairs.
_PAIR = re.compile(r"([^\s\":.,{}]+)\"?\s*:\s*(\d+(?:\.\d+)?)")


class EmotionReader:
    """The model, loaded.

    Args:
        folder: of IndexTTS's weights, with the part in it.
        device: where to run.

    Raises:
        ModelMissingError: if the part can't be read.
    """

    def __init__(self, folder: Path, device: torch.device) -> None:
        # Only a mood in words pays for them.
        from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: PLC0415

        where = folder / FOLDER
        # Half precision as upstream has it, where the hardware is made for it.
        dtype = torch.float32 if device.type == "cpu" else torch.float16
        try:
            self._tokenizer: Any = AutoTokenizer.from_pretrained(where, local_files_only=True)
            model: Any = AutoModelForCausalLM.from_pretrained(
                where, local_files_only=True, dtype=dtype, use_safetensors=True
            )
        except (OSError, ValueError, RuntimeError) as error:
            first = str(error).strip().partition("\n")[0]
            raise ModelMissingError(
                f"{where} can't be read: {first}; look with `tts-toolkit models verify {EMOTION}`"
            ) from error
        self._model = model.to(device).eval()

    @torch.inference_mode()
    def __call__(self, text: str) -> tuple[float, ...]:
        """The weights of a mood; the same words always give the same ones.

        Args:
            text: the mood in words ("trembling with fear"), or any text that has one.

        Returns:
            A weight for each of ``EMOTIONS``, in [0, 1], at most 0.8 together.

        Raises:
            EngineError: if the model's answer has no weights in it.
        """
        turns = [{"role": "system", "content": _PROMPT}, {"role": "user", "content": text}]
        prompt = self._tokenizer.apply_chat_template(
            turns, tokenize=False, add_generation_prompt=True, enable_thinking=False
        )
        inputs = self._tokenizer([prompt], return_tensors="pt").to(self._model.device)
        # Greedy: a row of a manifest has to say the same each time.
        made = self._model.generate(
            **inputs,
            max_new_tokens=_MOST_TOKENS,
            do_sample=False,
            temperature=None,
            top_p=None,
            top_k=None,
            pad_token_id=self._tokenizer.eos_token_id,
        )
        answer = self._tokenizer.decode(
            made[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True
        )
        return weights_of(answer.rpartition("</think>")[2], text)


def weights_of(answer: str, text: str) -> tuple[float, ...]:
    """The weights in an answer, such as ``{"高兴": 0.9, "自然": 0.1}``.

    Args:
        answer: of the model.
        text: that it was asked about.

    Raises:
        EngineError: if there are none in it.
    """
    try:
        found = json.loads(answer)
    except json.JSONDecodeError:
        found = dict(_PAIR.findall(answer))
    named = found if isinstance(found, dict) else {}
    scores = {name: _score(named[name]) for name in _NAMES if name in named}
    if not scores:
        raise EngineError(
            f"the emotion {text!r} can't be told: the model answered {answer.strip()[:80]!r}; "
            "say it in other words, or give weights (--emotion-vector happy=0.4)"
        )
    if any(word in text.lower() for word in _LOW_SPIRITS):
        sad, low = scores.get(_SAD, 0.0), scores.get(_MELANCHOLIC, 0.0)
        scores |= {_SAD: low, _MELANCHOLIC: sad}
    if not any(scores.values()):
        scores = {_NAMES[EMOTIONS.index("calm")]: 1.0}
    weights = [scores.get(name, 0.0) for name in _NAMES]
    # More than that drowns the voice; upstream's page scales it down likewise.
    scale = min(1.0, MOST_TOGETHER / sum(weights))
    return tuple(weight * scale for weight in weights)


def _score(raw: object) -> float:
    """A weight in [0, 1]; 0 for what is no number."""
    if not isinstance(raw, str | int | float):
        return 0.0
    try:
        return max(0.0, min(1.0, float(raw)))
    except ValueError:
        return 0.0
