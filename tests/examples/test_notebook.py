"""The example notebook runs from top to bottom, and is kept without outputs."""

import shutil
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from tts_toolkit import read_rows

EXAMPLES = Path(__file__).parents[2] / "examples"
NOTEBOOK = "quickstart.ipynb"


def test_notebook_is_kept_without_outputs():
    notebook = nbformat.read(EXAMPLES / NOTEBOOK, as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert cells
    assert not any(cell.outputs or cell.execution_count for cell in cells)


def test_notebook_runs(tmp_path, monkeypatch):
    made = shutil.ignore_patterns("out", "*.wav")  # by somebody who ran it in place
    folder = shutil.copytree(EXAMPLES, tmp_path / "examples", ignore=made)
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    notebook = nbformat.read(folder / NOTEBOOK, as_version=4)

    NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    ).execute()

    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    players = [html for html in map(html_of, outputs) if "<audio controls" in html]
    assert len(players) == 1
    assert "data:audio/wav;base64,UklGR" in players[0]  # "RIFF"
    assert (folder / "hello.wav").stat().st_size > 1000
    rows = list(read_rows(folder / "out"))
    lines = (folder / "script.txt").read_text("utf-8").splitlines()
    assert [row.text for row in rows] == lines
    assert all((folder / "out" / row.file).stat().st_size > 1000 for row in rows)


def html_of(output):
    return output.get("data", {}).get("text/html", "")
