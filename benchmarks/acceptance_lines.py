"""What the acceptance run has said, in English and Chinese, and how what was heard is counted.

There are no numbers, no names and no words that sound like others: a recogniser may write them
otherwise than they stand here, which is no error of who said them.
"""

# ruff: noqa: RUF001 - Chinese punctuation

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_ENGLISH = (
    "Please close the window before you leave the room.",
    "The train to the coast was late again this morning.",
    "My brother is learning to play the piano.",
    "Have you seen the keys that were on the kitchen table?",
    "It rained all night, and the river is still rising.",
    "The museum opens in the morning and closes at sunset.",
    "She thanked the driver and walked slowly up the hill.",
    "We could hear the children laughing in the garden.",
    "Bring a warm coat, because the evenings are cold in the mountains.",
    "What a beautiful picture of the old bridge!",
    "The doctor told him to rest and to drink plenty of water.",
    "Nobody knew who had left the letter under the door.",
    "Fresh bread and strong coffee are all I want for breakfast.",
    "If the weather is good, we will go sailing after lunch.",
    "The library has a quiet corner where students like to read.",
    "He forgot his umbrella and came home completely wet.",
    "Can you help me carry this heavy box into the house?",
    "The farmer sells apples, cheese and honey at the market.",
    "Our teacher explained the problem again with great patience.",
    "After the concert they talked about music until midnight.",
)
_CHINESE = (
    "今天的天气很好，我们去公园散步吧。",
    "请你把窗户关上，外面的风太大了。",
    "我每天早上都喝一杯热咖啡。",
    "图书馆里很安静，大家都在看书。",
    "这家饭店的鱼非常好吃。",
    "昨天晚上下了一场大雨。",
    "请问去火车站应该怎么走？",
    "妈妈在厨房里准备晚饭。",
    "周末我想跟朋友一起去爬山。",
    "这本书讲的是一个古老的故事。",
    "医生让爸爸多休息，多喝水。",
    "孩子们在院子里唱歌跳舞。",
    "如果明天下雨，比赛就会推迟。",
    "老师耐心回答了学生的问题。",
    "春天到了，路边的花都开了。",
    "我的手机没有电了，可以借用你的吗？",
    "市场上的水果又新鲜又便宜。",
    "这座桥连接了城市的南边和北边。",
    "音乐会结束以后，大家慢慢离开了。",
    "不要着急，我们还有很多时间。",
)
MOST = len(_ENGLISH) + len(_CHINESE)


@dataclass(frozen=True)
class Line:
    """A line to say.

    Attributes:
        name: of its files, such as "01-en".
        lang: "en" or "zh".
        text: of it.
    """

    name: str
    lang: str
    text: str


def lines(count: int) -> list[Line]:
    """So many lines, English before Chinese, as many of the one as of the other."""
    chinese = count // 2
    return _numbered("en", _ENGLISH[: count - chinese]) + _numbered("zh", _CHINESE[:chinese])


def units(text: str, lang: str) -> list[str]:
    """What errors are counted in: words in small letters, or Chinese characters."""
    plain = unicodedata.normalize("NFKC", text).lower()
    if lang == "zh":
        return [character for character in plain if character.isalnum()]
    return re.findall(r"[a-z0-9]+(?:'[a-z]+)*", plain.replace("’", "'"))


def misheard(said: Sequence[str], heard: Sequence[str]) -> int:
    """Substitutions, deletions and insertions (Levenshtein's distance), or all if there are more.

    A recogniser that can't make anything of a clip may repeat a word a hundred times. Then the
    line is wholly wrong, and should not outweigh the other lines.
    """
    row = list(range(len(heard) + 1))
    for i, unit in enumerate(said, start=1):
        above, row[0] = row[0], i
        for j, other in enumerate(heard, start=1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (unit != other))
    return min(row[-1], len(said))


def _numbered(lang: str, texts: Sequence[str]) -> list[Line]:
    return [Line(f"{number:02}-{lang}", lang, text) for number, text in enumerate(texts, start=1)]
