"""Reports of more than one page, and how pages take the place of others."""

from __future__ import annotations

import pytest

from tts_toolkit.report import render as module

DASH = "\N{EN DASH}"


def test_long_run_is_split_with_the_failed_ones_on_the_first_page(
    render, make_row, tmp_path, monkeypatch, read
):
    monkeypatch.setattr(module, "PAGE_ROWS", 3)
    first = render([make_row(n, failed=n > 5) for n in range(1, 8)])

    pages = [read(tmp_path / name) for name in ("report.html", "report-2.html", "report-3.html")]
    assert first == tmp_path / "report.html"
    assert [page.ids for page in pages] == [["u6", "u7", "u1"], ["u2", "u3", "u4"], ["u5"]]
    assert [page.stats["ok"] for page in pages] == ["5", "5", "5"]
    assert pages[1].one("head").one("title").text == f"A run {DASH} page 2 of 3"
    links = [[a.attributes["href"] for a in next(page.all("nav")).all("a")] for page in pages]
    numbers = ["report.html", "report-2.html", "report-3.html"]
    assert links == [
        [*numbers, "report-2.html"],
        ["report.html", *numbers, "report-3.html"],
        ["report-2.html", *numbers],
    ]


def test_many_pages_are_offered_in_short(render, make_row, tmp_path, monkeypatch, read):
    monkeypatch.setattr(module, "PAGE_ROWS", 1)
    render([make_row(n) for n in range(1, 21)])

    numbers = next(read(tmp_path / "report-10.html").all("nav")).one("ol").text.split()
    assert numbers == ["1", "…", "8", "9", "10", "11", "12", "…", "20"]


def test_pages_of_a_longer_report_are_removed(render, make_row, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "PAGE_ROWS", 1)
    rows = [make_row(n) for n in range(1, 13)]
    render(rows)
    others = ["report-2024.html", "report-final.html", "report-03.html", "my-report-9.html"]
    for name in others:
        (tmp_path / name).write_text("the user's own")
    render(rows[:2])

    assert {p.name for p in tmp_path.glob("*.html")} == {"report.html", "report-2.html", *others}


def test_page_is_replaced_as_a_whole_or_not_at_all(render, make_row, tmp_path):
    before = render([make_row()]).read_bytes()
    (tmp_path / ".tts-toolkit/report.html.part").mkdir()
    with pytest.raises(IsADirectoryError):
        render([make_row(text="new")])

    assert (tmp_path / "report.html").read_bytes() == before
    assert [p.name for p in tmp_path.glob("report*")] == ["report.html"]
