import os
import shutil

import pytest
import torch

from tts_toolkit.engines.indextts.checkpoint import load_checkpoint
from tts_toolkit.errors import ModelMissingError

CPU = torch.device("cpu")


@pytest.fixture
def copy(tiny, tmp_path):
    """A folder of links to the checkpoint, so that one file can be another."""
    shutil.copytree(tiny, tmp_path / "model", copy_function=os.link)
    return tmp_path / "model"


def changed(path, change):
    """Write a torch file anew, with ``change`` made to its content."""
    content = torch.load(path, weights_only=True)
    change(content)
    path.unlink()
    torch.save(content, path)


def test_every_weight_is_the_oracles(checkpoint, oracle):
    flow = oracle.s2mel.models
    for mine, theirs in (
        (checkpoint.gpt, oracle.gpt),
        (checkpoint.estimator, flow["cfm"].estimator),
        (checkpoint.length_regulator, flow["length_regulator"]),
        (checkpoint.codec, oracle.semantic_codec),
        (checkpoint.vocoder, oracle.bigvgan),
        (checkpoint.semantic_model, oracle.semantic_model),
        (checkpoint.style_encoder, oracle.campplus_model),
    ):
        expected = theirs.state_dict()
        for name, value in mine.state_dict().items():
            assert torch.equal(value, expected[name]), name
            assert value.dtype == expected[name].dtype, name
        assert not mine.training
        assert not any(parameter.requires_grad for parameter in mine.parameters())
    assert torch.equal(checkpoint.semantic_mean, oracle.semantic_mean)
    assert torch.equal(checkpoint.semantic_std, oracle.semantic_std)
    for mine, theirs in (
        (checkpoint.emotion_matrices, oracle.emo_matrix),
        (checkpoint.speaker_matrices, oracle.spk_matrix),
    ):
        assert all(torch.equal(one, other) for one, other in zip(mine, theirs, strict=True))
    assert checkpoint.tokenizer.encode("Hello") == oracle.tokenizer.encode("Hello")
    mine, theirs = checkpoint.estimator.transformer, flow["cfm"].estimator.transformer
    assert torch.equal(mine.freqs_cis, theirs.freqs_cis)


def test_only_the_gpt_is_in_half_precision(checkpoint_bfloat16):
    loaded = checkpoint_bfloat16
    assert {parameter.dtype for parameter in loaded.gpt.parameters()} == {torch.bfloat16}
    assert loaded.estimator.transformer.freqs_cis.dtype == torch.float32
    assert loaded.estimator.t_embedder.freqs.dtype == torch.float32
    for module in (
        loaded.estimator,
        loaded.length_regulator,
        loaded.codec,
        loaded.vocoder,
        loaded.semantic_model,
        loaded.style_encoder,
    ):
        assert {parameter.dtype for parameter in module.parameters()} == {torch.float32}


def test_what_is_not_used_is_not_loaded(checkpoint):
    names = [*checkpoint.gpt.state_dict(), *checkpoint.codec.state_dict()]
    assert not [name for name in names if name.startswith(("text_head", "down"))]
    assert len(checkpoint.semantic_model.encoder.layers) == 17


def test_loading_leaves_the_process_its_random_numbers(tiny):
    torch.manual_seed(5)
    before = torch.get_rng_state()
    load_checkpoint(tiny, device=CPU, dtype=torch.float32)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_missing_key_is_named(copy):
    changed(copy / "gpt.pth", lambda content: content["model"].pop("mel_head.bias"))
    with pytest.raises(ModelMissingError, match=r"gpt\.pth: mel_head\.bias .*\(8194,\).* missing"):
        load_checkpoint(copy, device=CPU, dtype=torch.float32)


def test_a_wrong_shape_is_named_with_both_shapes(copy):
    def shrink(content):
        content["net"]["cfm"]["estimator.conv1.weight"] = torch.zeros(3, 5)

    changed(copy / "s2mel.pth", shrink)
    expected = r"s2mel\.pth: estimator\.conv1\.weight .*\(3, 5\).*\(64, 64\)"
    with pytest.raises(ModelMissingError, match=expected):
        load_checkpoint(copy, device=CPU, dtype=torch.float32)


def test_a_key_of_another_model_is_named(copy):
    path = copy / "hf_cache" / "campplus_cn_common.bin"
    changed(path, lambda content: content.update(strange=torch.zeros(1)))
    with pytest.raises(ModelMissingError, match=r"campplus_cn_common\.bin: strange is not"):
        load_checkpoint(copy, device=CPU, dtype=torch.float32)


@pytest.mark.parametrize(
    "name",
    [
        "config.yaml",
        "gpt.pth",
        "s2mel.pth",
        "codec.pth",
        "feat1.pt",
        "wav2vec2bert_stats.pt",
        "hf_cache/campplus_cn_common.bin",
        "hf_cache/w2v-bert-2.0/model.safetensors",
        "hf_cache/bigvgan/bigvgan_generator.pt",
    ],
)
def test_a_damaged_file_is_named(copy, name):
    (copy / name).unlink()
    (copy / name).write_bytes(b"\x00[not what it was: {")
    with pytest.raises(ModelMissingError, match=name.rpartition("/")[2]):
        load_checkpoint(copy, device=CPU, dtype=torch.float32)


def test_a_missing_file_is_named_with_the_command(copy):
    (copy / "codec.pth").unlink()
    with pytest.raises(ModelMissingError, match=r"(?s)codec\.pth.*tts-toolkit models download"):
        load_checkpoint(copy, device=CPU, dtype=torch.float32)
