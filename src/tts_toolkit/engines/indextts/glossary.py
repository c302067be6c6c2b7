"""A user's own readings of terms, put in place before a text is normalised.

IndexTTS has a glossary too, of the same form, but only its WeTextProcessing path looks at it, and
it replaces inside words ("ai" in "said") and in what it has replaced before. So this one is ours.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

import yaml

from tts_toolkit.engines.indextts.speakable import ANNOTATION, LANGUAGES
from tts_toolkit.errors import OptionError
from tts_toolkit.rule import hint

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_NULL = "tag:yaml.org,2002:null"
# Han and kana are written without spaces: a term of them is found anywhere.
_SPACELESS = r"\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_SHAPE = (
    "expected a reading, as in `NVMe: N V M E`, or one a language, as in `M.2: {en: M dot two}`"
)


class Glossary:
    """Terms and how to read them.

    A term in lower case is found in any case; one with a capital only as it is written, so that
    "US" leaves "us" alone. A term is never found inside a longer word, nor inside a pronunciation
    mark, and of two at one place the longer one wins.

    Args:
        readings: by term, then by language code; "" as code is the reading for all other languages.
    """

    def __init__(self, readings: Mapping[str, Mapping[str, str]]) -> None:
        self._readings = {term: dict(by_language) for term, by_language in readings.items()}
        self._patterns: dict[str, re.Pattern[str]] = {}

    @property
    def sha256(self) -> str:
        """Of all terms and readings, as a hex digest: what is made with them depends on it."""
        text = json.dumps(self._readings, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def apply(self, text: str, lang: str) -> str:
        """``text`` with each term that has a reading in ``lang`` replaced by it."""
        pattern = self._pattern(lang)

        def read(match: re.Match[str]) -> str:
            if match.lastgroup == "kept":
                return match[0]
            term = match[0] if match[0] in self._readings else match[0].lower()
            return self._reading(term, lang) or match[0]

        return pattern.sub(read, text)

    def _reading(self, term: str, lang: str) -> str:
        by_language = self._readings[term]
        return by_language.get(lang) or by_language.get("", "")

    def _pattern(self, lang: str) -> re.Pattern[str]:
        if lang not in self._patterns:
            terms = sorted(
                (term for term in self._readings if self._reading(term, lang)),
                key=len,
                reverse=True,
            )
            self._patterns[lang] = re.compile(
                "|".join([f"(?P<kept>{_groupless(ANNOTATION)})", *map(_finder, terms)])
            )
        return self._patterns[lang]


def read_glossary(path: Path) -> Glossary:
    """The glossary in a YAML or JSON file.

    Raises:
        OptionError: naming file, line and term, if it can't be read or is not a glossary.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        # JSON is YAML, but for tabs as indentation, which mean nothing there.
        source = re.sub(r"(?m)^\t+", "", text) if path.suffix.lower() == ".json" else text
        root = yaml.compose(source, Loader=yaml.SafeLoader)
    except OSError as error:
        raise OptionError(f"glossary {path}: can't be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise OptionError(f"glossary {path}: is not UTF-8 text") from error
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise OptionError(f"glossary {path}{line}: is not YAML or JSON: {error.problem}") from error
    except yaml.YAMLError as error:
        raise OptionError(f"glossary {path}: is not YAML or JSON: {error}") from error
    if root is None:
        return Glossary({})
    if not isinstance(root, yaml.MappingNode):
        raise OptionError(f"glossary {path}:{root.start_mark.line + 1}: {_SHAPE}")
    readings: dict[str, dict[str, str]] = {}
    for key, value in root.value:
        where = f"glossary {path}:{key.start_mark.line + 1}"
        if not isinstance(key, yaml.ScalarNode) or not key.value.strip():
            raise OptionError(f"{where}: {_SHAPE}")
        # As written, whatever YAML would make of it: 911, 1.0 and NO are terms.
        term = key.value.strip()
        if term in readings:
            raise OptionError(f"{where}: {term!r} is there twice")
        readings[term] = _readings(value, f"{where}: {term!r}")
    return Glossary(readings)


def _readings(node: Any, where: str) -> dict[str, str]:
    if not isinstance(node, yaml.MappingNode):
        return {"": _scalar(node, where)}
    found: dict[str, str] = {}
    for key, value in node.value:
        code = key.value.lower() if isinstance(key, yaml.ScalarNode) else ""
        if code not in LANGUAGES:
            near = hint(code, LANGUAGES)
            raise OptionError(
                f"{where}: {code or 'this'!r} is not a language{near}; "
                f"use one of {', '.join(LANGUAGES)}"
            )
        found[code] = _scalar(value, f"{where} in {code}")
    if not found:
        raise OptionError(f"{where} has no reading; {_SHAPE}")
    return found


def _scalar(node: Any, where: str) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise OptionError(f"{where}: {_SHAPE}")
    reading = node.value.strip()
    if not reading or node.tag == _NULL:
        raise OptionError(f"{where} has no reading; {_SHAPE}")
    return str(reading)


def _finder(term: str) -> str:
    """A pattern for the term where it is no part of a longer word."""
    letter = rf"(?:(?![{_SPACELESS}])\w)"
    case = f"(?i:{re.escape(term)})" if term == term.lower() else re.escape(term)
    before = f"(?<!{_word_class()})" if re.match(letter, term) else ""
    after = f"(?!{letter})" if re.search(f"{letter}$", term) else ""
    return f"{before}{case}{after}"


def _word_class() -> str:
    # A letter or digit of a script with spaces, as one class: a lookbehind has a fixed width.
    return rf"[^\W{_SPACELESS}]"


def _groupless(pattern: re.Pattern[str]) -> str:
    return pattern.pattern.replace("(", "(?:")
