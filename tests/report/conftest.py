"""Rows and pages for the tests of the listening page."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

import pytest

from tts_toolkit.manifest import MANIFEST, ManifestRow, write_rows
from tts_toolkit.report.render import write_report

FIELDS = {
    "status": "ok",
    "text_spoken": "",
    "voice": "alba",
    "voice_sha256": "0" * 64,
    "lang": "en",
    "duration_s": 2.0,
    "sampling_rate": 24000,
    "seed": 0,
    "speed": 1.0,
    "engine": "an-engine",
    "model": "a/model",
    "model_revision": "1.2.3",
    "segments": [],
    "peak": 0.5,
}
FAILED = {
    "status": "failed",
    "file": None,
    "duration_s": 0.0,
    "error": {"type": "EngineError", "message": "no sound came"},
}


@dataclass
class Element:
    tag: str
    attributes: dict[str, str | None]
    children: list[Element | str] = field(default_factory=list)

    def all(self, tag, name=""):
        """The elements below with this tag, and with this class if one is given."""
        for child in self.children:
            if isinstance(child, Element):
                if child.tag == tag and (not name or name in child.classes):
                    yield child
                yield from child.all(tag, name)

    def one(self, tag, name=""):
        (element,) = self.all(tag, name)
        return element

    @property
    def classes(self):
        return (self.attributes.get("class") or "").split()

    @property
    def text(self):
        return "".join(c if isinstance(c, str) else c.text for c in self.children)

    @property
    def rows(self):
        return [c for c in self.one("ol", "clips").children if isinstance(c, Element)]

    @property
    def stats(self):
        return {d.one("dt").text: d.one("dd").text for d in self.one("dl").all("div")}

    @property
    def ids(self):
        return [row.one("b", "id").text for row in self.rows]


class Reader(HTMLParser):
    """A tree of the page; it fails where elements are not nested."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open = [Element("", {})]

    def handle_starttag(self, tag, attrs):
        element = Element(tag, dict(attrs))
        self.open[-1].children.append(element)
        if tag not in {"meta", "link", "input"}:
            self.open.append(element)

    def handle_startendtag(self, tag, attrs):
        self.open[-1].children.append(Element(tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop().tag == tag

    def handle_data(self, data):
        self.open[-1].children.append(data)


@pytest.fixture(scope="session")
def make_row():
    """A row by its number; what a test is about is given by name."""

    def make(number=1, *, failed=False, **changes):
        own = {
            "id": f"u{number}",
            "index": number,
            "source": {"file": "script.txt", "line": number},
            "text": f"Sentence {number}.",
            "file": f"audio/{number}.wav",
            "key": f"key-{number}",
        }
        return ManifestRow(**{**FIELDS, **own, **(FAILED if failed else {}), **changes})

    return make


@pytest.fixture(scope="session")
def render_to():
    """Write a folder's manifest and its page."""

    def render(folder, rows, title="A run"):
        folder.mkdir(exist_ok=True)
        write_rows(folder / MANIFEST, rows)
        return write_report(folder, title=title)

    return render


@pytest.fixture
def render(render_to, tmp_path):
    """The same for the test's own folder."""
    return lambda rows, **options: render_to(tmp_path, rows, **options)


@pytest.fixture(scope="session")
def read():
    """A page as a tree."""

    def read_(path):
        reader = Reader()
        reader.feed(path.read_bytes().decode())
        reader.close()
        (root,) = reader.open
        return root

    return read_
