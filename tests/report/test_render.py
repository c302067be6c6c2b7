from __future__ import annotations

import base64
import hashlib
import tracemalloc
from urllib.parse import unquote, urljoin, urlsplit

import numpy as np
import pytest
import soundfile as sf
from hypothesis import given, settings
from hypothesis import strategies as st

from tts_toolkit.report import render as module
from tts_toolkit.report.render import write_report
from tts_toolkit.report.waveform import WAVEFORMS, Waveform, draw

DASH = "\N{EN DASH}"
NASTY = """<script>alert(1)</script> "double" 'single' </style> </p> & &lt; {{ 7 * 7 }} {% raw %}"""
TEXTS = [NASTY, "مرحبا بالعالم", "你好。世界", "日本語のテキスト", "\u202eback\u202c", "a\nb"]


def tone(path, seconds=0.5):
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = (0.4 * np.sin(np.arange(int(24000 * seconds)) / 20)).astype(np.float32)
    sf.write(path, samples, 24000, subtype="FLOAT")
    return samples


def keep_waveforms(folder, seconds_by_key):
    (folder / WAVEFORMS).parent.mkdir(exist_ok=True)
    lines = [Waveform("0123456789" * 8, s).to_line(key) for key, s in seconds_by_key.items()]
    (folder / WAVEFORMS).write_text("".join(lines))


@pytest.mark.parametrize("text", TEXTS)
def test_text_of_any_kind_stands_on_the_page_as_it_is(render, make_row, text, read):
    page = read(render([make_row(text=text, voice=text, id=text)], title=text))

    (row,) = page.rows
    assert row.one("p", "text").text == text
    assert row.one("b", "id").text == text
    assert row.one("audio").attributes["aria-label"] == text
    assert page.one("h1").text == page.one("head").one("title").text == text
    assert len(list(page.all("script"))) == len(list(page.all("style"))) == 1


@given(text=st.text(min_size=1), other=st.text(min_size=1))
@settings(max_examples=60, deadline=None)
def test_no_text_can_leave_its_element(tmp_path_factory, render_to, make_row, text, other, read):
    rows = [
        make_row(1, text=text, warnings=[other], voice=other),
        make_row(2, failed=True, text=other, error={"type": other, "message": text}),
    ]
    page = read(render_to(tmp_path_factory.getbasetemp() / "any-text", rows, title=other))

    bad, ok = page.rows
    assert ok.one("p", "text").text == text
    assert ok.one("p", "note").text == other
    assert ok.one("p", "meta").children[0].text == other
    assert bad.one("p", "error").one("b").text == other
    assert bad.one("p", "error").one("span").text == text
    assert page.one("h1").text == other


@pytest.mark.parametrize(
    "file",
    [
        "a b#1?x=100%.wav",
        "声/音 é.wav",
        "javascript:1.wav",
        "a\\b.wav",
        '".wav',
    ],
)
def test_address_of_a_file_leads_to_it_inside_the_folder(render, make_row, file, read):
    path = render([make_row(file=file)])

    src = read(path).one("audio").attributes["src"]
    address = urlsplit(urljoin("http://here/folder/report.html", src))
    assert (address.netloc, address.query, address.fragment) == ("here", "", "")
    assert unquote(address.path) == "/folder/" + file.lstrip("/")


def test_page_asks_for_nothing_but_its_clips(render, make_row, read):
    page = read(render([make_row()]))

    (policy,) = [m for m in page.all("meta") if "http-equiv" in m.attributes]
    digest = hashlib.sha256(page.one("script").text.encode()).digest()
    assert "default-src 'none'" in policy.attributes["content"]
    assert f"'sha256-{base64.b64encode(digest).decode()}'" in policy.attributes["content"]
    assert page.one("link").attributes["href"].startswith("data:image/svg+xml,")
    assert [a.attributes["src"] for a in page.all("audio")] == ["./audio/1.wav"]
    assert not list(page.all("img"))
    assert "url(" not in page.one("style").text


def test_summary_is_of_the_whole_run(render, make_row, tmp_path, read):
    keep_waveforms(tmp_path, {"key-1": 0.5, "key-2": 0.0, "key-3": 2.0})
    rows = [make_row(n, duration_s=1200.4 * n) for n in (1, 2, 3)] + [make_row(4, failed=True)]
    page = read(render(rows))

    assert page.stats == {
        "ok": "3",
        "failed": "1",
        "of audio": "2:00:02",
        "x realtime per worker": f"{1200.4 * 4 / 2.5:.1f}",
    }
    assert page.one("p", "made").text == "an-engine a/model 1.2.3"
    assert "AI-generated speech" in page.one("header").text
    assert page.one("desc").text.startswith("3 clips, from 1200.4 to 3601.2 seconds")


@pytest.mark.parametrize(
    "durations", [[0.0], [3.0] * 5, [0.1, 0.2, 0.3], [0.5, 9000.0], [n / 7 for n in range(500)]]
)
def test_every_clip_is_in_one_bar_of_the_chart(render, make_row, durations, read):
    page = read(render([make_row(n, duration_s=s) for n, s in enumerate(durations, 1)]))

    chart = page.one("figure")
    labels = [bar.one("title").text.split(": ") for bar in chart.all("rect")]
    assert sum(int(count.split()[0]) for _, count in labels) == len(durations)
    low, high = labels[0][0], labels[-1][0]
    assert float(low.split(DASH)[0]) <= min(durations)
    assert float(high.split(DASH)[1].split()[0]) >= max(durations)
    assert all(0 <= float(bar.attributes["x"]) < 400 for bar in chart.all("rect"))


def test_failed_rows_come_first_with_their_error(render, make_row, read):
    page = read(render([make_row(1), make_row(2, failed=True), make_row(3)]))

    assert page.ids == ["u2", "u1", "u3"]
    assert page.rows[0].one("p", "error").text == "EngineError no sound came"
    assert not list(page.rows[0].all("audio"))
    assert [row.classes for row in page.rows] == [["bad"], [], []]


def test_row_says_what_is_known_of_it(render, make_row, tmp_path, read):
    keep_waveforms(tmp_path, {"key-1": 0.5, "key-2": 0.0})
    warnings = ["clipped: the peak was 1.07", "too short"]
    page = read(render([make_row(1, duration_s=3.456, warnings=warnings), make_row(2, index=None)]))

    first, second = page.rows
    assert [span.text for span in first.one("p", "meta").all("span")] == [
        "alba",
        "3.46 s",
        "6.9 x realtime",
    ]
    assert [note.text for note in first.all("p", "note")] == warnings
    assert first.one("div", "where").one("span").text == "script.txt:1"
    assert first.one("audio").attributes["preload"] == "none"
    assert "controls" in first.one("audio").attributes
    assert "no longer" not in first.text
    assert second.one("em").text == "no longer in the script"
    assert f"{DASH} x realtime" in second.one("p", "meta").text


def test_waveform_has_a_stroke_for_each_digit(render, make_row, tmp_path, read):
    keep_waveforms(tmp_path, {"key-1": 0.5})
    path = read(render([make_row()])).rows[0].one("path").attributes["d"]

    assert path.startswith("M.5 18v2m1-3v4m1-6v8")
    assert path.count("v") == 80


def test_waveform_that_was_not_kept_is_taken_from_the_audio(render, make_row, tmp_path, read):
    samples = tone(tmp_path / "audio/1.wav")
    (tmp_path / "audio/2.wav").write_bytes(b"not audio")
    rows = read(render([make_row(1), make_row(2), make_row(3)])).rows

    assert rows[0].one("path").attributes["d"] == module._path(draw(samples).bars)
    assert [len(list(row.all("path"))) for row in rows] == [1, 0, 0]
    assert [len(list(row.all("audio"))) for row in rows] == [1, 1, 1]


def test_same_manifest_gives_the_same_bytes(render, make_row):
    rows = [make_row(1), make_row(2, failed=True)]
    assert render(rows).read_bytes() == render(rows).read_bytes()


def test_folder_without_a_manifest_has_an_empty_page(tmp_path, read):
    page = read(write_report(tmp_path, title="Nothing\udcff"))

    assert page.rows == []
    assert page.one("h1").text == "Nothing?"
    assert page.one("p", "empty").text == "No utterances yet."
    assert not list(page.all("figure"))


def test_rows_are_not_held_in_memory(render, make_row, tmp_path):
    rows = [make_row(n, text="x" * 50_000) for n in range(400)]  # 20 MB
    render(rows)
    tracemalloc.start()
    write_report(tmp_path, title="A run")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 6e6
