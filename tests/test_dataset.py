"""The output folder is a Hugging Face dataset as it is."""

import pytest

LINES = """\
{"text": "Hello there.", "id": "a"}
{"text": "你好", "id": "b"}
{"text": "Bye.", "id": "sub/c"}
"""


@pytest.mark.ffmpeg
# The decoder looks for each FFmpeg in turn, and the datasets library leaves its own files open.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")
def test_datasets_loads_a_folder(cli, script, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    assert cli("synth", script(LINES, "s.jsonl"), "-o", "out").returncode == 1
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    loaded = datasets.load_dataset(
        "audiofolder", data_dir=str(tmp_path / "out"), split="train", cache_dir=str(tmp_path / "c")
    )
    assert loaded["id"][:] == ["a", "sub/c"]
    assert loaded["text"][:] == ["Hello there.", "Bye."]
    audio = loaded[0]["audio"]
    assert audio["sampling_rate"] == 24_000
    assert len(audio["array"]) / 24_000 == pytest.approx(loaded[0]["duration_s"], abs=1e-3)


def test_the_metadata_names_every_clip_and_no_other_file(cli, script, tmp_path):
    import json

    assert cli("synth", script(LINES, "s.jsonl"), "-o", "out").returncode == 1
    lines = (tmp_path / "out/metadata.jsonl").read_text().splitlines()
    named = [json.loads(line)["file_name"] for line in lines]
    assert sorted(named) == sorted(
        path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.wav")
    )
