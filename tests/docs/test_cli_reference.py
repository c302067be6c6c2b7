"""What the pages have from the code is what the code says now."""

import runpy
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
PAGES = runpy.run_path(str(DOCS / "make_cli.py"))["pages"]()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_page_is_current(path):
    assert path.read_text("utf-8") == PAGES[path], "run: python docs/make_cli.py"
