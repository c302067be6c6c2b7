"""Where the numbers of a text are, in digits or in words, so that no cut goes through one."""

# ruff: noqa: RUF001 - punctuation of all five languages, each mark as it is written

from __future__ import annotations

import re

_ENGLISH = (
    "zero|oh|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|"
    "fifteen|sixteen|seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|"
    "ninety|hundred|thousand|million|billion|trillion|first|second|third|fourth|fifth|sixth|"
    "seventh|eighth|ninth|tenth|eleventh|twelfth|thirteenth|fourteenth|fifteenth|sixteenth|"
    "seventeenth|eighteenth|nineteenth|twentieth|thirtieth|fortieth|fiftieth|sixtieth|"
    "seventieth|eightieth|ninetieth|hundredth|thousandth"
)
_SPANISH = (
    "cero|un|uno|una|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|once|doce|trece|catorce|"
    "quince|dieciséis|diecisiete|dieciocho|diecinueve|veinte|veinti(?:ún|uno|una|dós|dos|trés|"
    "tres|cuatro|cinco|séis|seis|siete|ocho|nueve)|treinta|cuarenta|cincuenta|sesenta|setenta|"
    "ochenta|noventa|cien|ciento|(?:dos|tres|cuatro|seis|ocho)cient[oa]s|quinient[oa]s|"
    "setecient[oa]s|novecient[oa]s|mil|millón|millones"
)
# What joins two words of one number: "three point five", "forty and two", "treinta y uno".
_JOINS = "point|and|y|punto|coma"
_WORD = rf"\b(?:{_ENGLISH}|{_SPANISH})\b"

NUMBER = re.compile(
    # Digits with spaces between, as the Japanese word splitter leaves them: 2 0 2 4.
    r"(?<!\d)\d(?: \d(?!\d))+"
    # 1,234.5, 14:30, 2024-05-01, 555-0123, and with that splitter's spaces 3 . 5.
    r"|\d+(?:(?:[.,:/'’٫٬-]| [.,] )\d+)*"
    r"|[零〇一二三四五六七八九十百千万亿億兩两点點]{2,}"
    rf"|{_WORD}(?:[ -](?:(?:{_JOINS})[ -])?{_WORD})+",
    re.IGNORECASE,
)
