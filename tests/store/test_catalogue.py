from __future__ import annotations

import json
import re

import pytest

from tts_toolkit.config import DTYPES, MODELS
from tts_toolkit.errors import OptionError
from tts_toolkit.store.catalogue import catalogue, find_model, read_catalogue

GOOD = {"name": "a/b.bin", "path": "a/b.bin", "size": 1, "sha256": "0" * 64}


def with_file(**changes):
    repository = {"hub": "o/r", "revision": "1", "modelscope": "o/r", "files": [GOOD | changes]}
    model = {
        "title": "T",
        "folder": "t",
        "licence": "L",
        "licence_url": "https://example.org",
        "terms": [],
        "memory": {},
        "repositories": [repository],
    }
    return json.dumps({"t": model})


def test_every_file_is_pinned_and_stays_in_the_folder():
    for model in catalogue().values():
        assert model.files
        for file in model.files:
            assert re.fullmatch(r"[0-9a-f]{40}", file.revision)
            assert re.fullmatch(r"[0-9a-f]{64}", file.sha256)
            assert file.size > 0
        paths = [file.path for file in model.files]
        assert len(set(paths)) == len(paths)


def test_indextts_has_the_layout_that_its_package_reads():
    model = find_model("indextts-2.5")
    paths = {file.path for file in model.files}
    assert {
        "config.yaml",
        "gpt.pth",
        "s2mel.pth",
        "codec.pth",
        "wav2vec2bert_stats.pt",
        "multilingual_zh_ja_yue_char_del.tiktoken",
        "hf_cache/w2v-bert-2.0/model.safetensors",
        "hf_cache/campplus_cn_common.bin",
        "hf_cache/bigvgan/bigvgan_generator.pt",
    } <= paths
    assert model.size == 7_082_497_624
    assert model.name in MODELS
    assert set(model.memory) == set(DTYPES) - {"auto"}


def test_the_emotion_model_is_an_item_of_its_own_in_the_same_folder():
    model, emotion = find_model("indextts-2.5"), find_model("indextts-2.5-emotion")
    assert emotion.folder == model.folder
    assert emotion.size == 1_208_014_946
    assert not {file.path for file in model.files} & {file.path for file in emotion.files}


@pytest.mark.parametrize(
    "name", ["../evil", "a/../../evil", "/etc/passwd", "", "a\\..\\b", "C:/evil", ".."]
)
@pytest.mark.parametrize("field", ["name", "path"])
def test_a_name_that_leaves_the_folder_is_refused(name, field):
    with pytest.raises(ValueError, match="does not stay inside the model's folder"):
        read_catalogue(with_file(**{field: name}))


@pytest.mark.parametrize("changes", [{"sha256": ""}, {"sha256": "abc"}, {"size": -1}])
def test_nothing_is_fetched_without_size_and_hash(changes):
    with pytest.raises(ValueError, match="without its size and sha256"):
        read_catalogue(with_file(**changes))


def test_an_unknown_model_is_refused_with_the_nearest():
    with pytest.raises(OptionError, match=r"'indextts2\.5'\. Did you mean \"indextts-2\.5\"\?"):
        find_model("indextts2.5")
