"""Random checkpoints in the layout in which IndexTTS-2.5 is published.

What they say is noise, and that is enough to tell whether two programs do the same. It has to be
noise that depends on everything: with the usual initialisation another text, voice or code hardly
moves the waveform, and a wrong program passes. So the weights below are scaled until it does.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Literal

import torch
from omegaconf import OmegaConf
from safetensors.torch import save_file
from torch import Tensor

from tts_toolkit.testing.shapes import EXTRACTOR, FULL, TINY, Shapes
from tts_toolkit.testing.tokenizer import write_tokenizer

if TYPE_CHECKING:
    from pathlib import Path

State = dict[str, Tensor]

# Which weights are scaled, by a regular expression on their names, and by how much. Found by
# trying: with these a change of text, voice, emotion, seed or one code moves the waveform of the
# tiny shapes by more than 0.05 of its peak, and nothing overflows in the full ones.
_GPT_SCALES = (
    (r"spk_emb_proj\.weight", 2.0),
    (r"mel_head\.weight", 4.0),
)
_FLOW_SCALES = (
    (r"cond_x_merge_linear\.weight", 6.0),
    (r"cond_projection\.weight", 18.0),
    (r"transformer\.layers\..*(wqkv|wo|w1|w2|w3)\.weight", 1.5),
    (r"(conv1|conv2|res_projection|skip_linear|final_layer\.linear)\.weight", 2.0),
    (r"wavenet\.(cond_layer|in_layers)\..*\.weight", 2.0),
    (r"wavenet\.res_skip_layers\..*\.weight", 3.0),
)
_STYLE_SCALES = ((r"xvector\.dense\.linear\.weight", 120.0),)
_REGULATOR_SCALES = ((r"content_in_proj\.weight", 6.0),)
_VOCODER_SCALES = ((r"conv_pre\.weight|ups\..*\.weight", 1.7), (r"conv_post\.weight", 0.2))
# Added to the stop code's logit, so that rows end between their first codes and the cap.
_STOP_BIAS = 5.0
# Published checkpoints have weight norm (a direction and a length) on these.
_FLOW_NORMED = r".*wavenet\..*conv\.conv\.weight|.*(x_embedder|final_layer\.linear)\.weight"
_VOCODER_NORMED = r"(conv_pre|conv_post|ups\..*|resblocks\..*convs.*)\.weight"
_CODEC_NORMED = r".*out_project\.weight"
# Frames of noise over which w2v-bert's features are normalised; 50 a second.
_STATISTICS_FRAMES = 200


def make_checkpoint(
    folder: Path,
    *,
    seed: int = 0,
    ends_early: bool = False,
    shapes: Literal["tiny", "full"] = "tiny",
) -> Path:
    """Write a random checkpoint that ``indextts25`` and this package load like the real one.

    Args:
        folder: where it is written; made if it is not there.
        seed: of its weights.
        ends_early: whether the GPT emits its stop code after a while. Otherwise it never does,
            and the number of codes has to be capped.
        shapes: "tiny" takes seconds to make and about 200 MB on the disk; "full" has the sizes of
            IndexTTS-2.5 and takes a minute or more and 6.2 GB.

    Returns:
        ``folder``.

    Raises:
        OSError: if it can't be written.
    """
    sizes = FULL if shapes == "full" else TINY
    for part in ("w2v-bert-2.0", "bigvgan"):
        (folder / "hf_cache" / part).mkdir(parents=True, exist_ok=True)
    OmegaConf.save(OmegaConf.create(sizes.config), folder / "config.yaml")
    for name in ("LICENSE", "README.md"):
        (folder / name).write_text("Random weights, for tests. No licence is needed.\n")
    write_tokenizer(folder)
    # Modules draw their weights from the process's generator, which is left as it was.
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        _write_gpt(folder, sizes, ends_early=ends_early)
        _write_flow(folder, sizes)
        _write_codec(folder, sizes)
        _write_semantic(folder, sizes)
        _write_style(folder)
        _write_vocoder(folder, sizes)
    return folder


def _write_gpt(folder: Path, sizes: Shapes, *, ends_early: bool) -> None:
    from indextts25.gpt.model_v2 import UnifiedVoice  # noqa: PLC0415 - brings transformers

    config = sizes.config["gpt"]
    gpt = UnifiedVoice(**config)
    width = config["model_dim"]
    for block in gpt.gpt.h:
        for matrix in (block.attn.c_attn, block.attn.c_proj, block.mlp.c_fc, block.mlp.c_proj):
            # GPT-2 starts all at 0.02; here a layer's output is as large as its input. The
            # weights are laid out as (in, out).
            matrix.weight.normal_(0.0, matrix.weight.shape[0] ** -0.5)
        # Queries and keys: without this every position looks at all others alike, and one word
        # more or less is lost in the mean.
        block.attn.c_attn.weight[:, : 2 * width] *= 2.0
    for table in (gpt.text_embedding, gpt.mel_embedding, gpt.lang_embedding):
        table.weight.normal_()
    for positions in (gpt.text_pos_embedding, gpt.mel_pos_embedding):
        positions.emb.weight.normal_()
    if ends_early:
        gpt.mel_head.bias[config["stop_mel_token"]] += _STOP_BIAS
    state = _scaled(gpt.state_dict(), _GPT_SCALES)
    # Of training: whoever loads it wastes memory.
    state["text_head.weight"] = torch.zeros(config["number_text_tokens"] + 1, width)
    state["text_head.bias"] = torch.zeros(config["number_text_tokens"] + 1)
    torch.save({"model": state}, folder / "gpt.pth")
    rows = sum(sizes.config["emo_num"])
    torch.save(
        torch.randn(rows, sizes.config["s2mel"]["style_encoder"]["dim"]), folder / "feat1.pt"
    )
    torch.save(torch.randn(rows, width), folder / "feat2.pt")


def _write_flow(folder: Path, sizes: Shapes) -> None:
    from indextts25.s2mel.modules.commons import MyModel  # noqa: PLC0415 - brings librosa

    models = MyModel(OmegaConf.create(sizes.config["s2mel"])).models
    flow = _scaled(models["cfm"].state_dict(), _FLOW_SCALES)
    # What the transformer made, against the noise that skips it.
    flow["estimator.skip_linear.weight"][:, : sizes.config["s2mel"]["DiT"]["hidden_dim"]] *= 2.0
    regulator = _scaled(models["length_regulator"].state_dict(), _REGULATOR_SCALES)
    net = {"cfm": _with_weight_norm(flow, _FLOW_NORMED), "length_regulator": regulator}
    torch.save({"net": net}, folder / "s2mel.pth")


def _write_codec(folder: Path, sizes: Shapes) -> None:
    from indextts25.codec.models import EnhancedCodec  # noqa: PLC0415 - only where it is made

    state = dict(EnhancedCodec(**sizes.config["semantic_codec"]).state_dict())
    # Of the half that encodes, which nobody needs.
    state["down.weight"] = torch.zeros(8, 8, 3)
    model = _with_weight_norm(state, _CODEC_NORMED)
    torch.save({"model": model}, folder / "codec.pth")


def _write_semantic(folder: Path, sizes: Shapes) -> None:
    from transformers import Wav2Vec2BertConfig, Wav2Vec2BertModel  # noqa: PLC0415 - slow to import

    where = folder / "hf_cache" / "w2v-bert-2.0"
    model = Wav2Vec2BertModel(Wav2Vec2BertConfig(**sizes.semantic))
    model.train(mode=False)
    noise = torch.randn(1, _STATISTICS_FRAMES, sizes.semantic["feature_projection_input_dim"])
    features = model(noise, output_hidden_states=True).hidden_states[17][0]
    torch.save({"mean": features.mean(0), "var": features.var(0)}, folder / "wav2vec2bert_stats.pt")
    state = {name: value.contiguous() for name, value in model.state_dict().items()}
    if sizes.compact:
        state = {
            name: value.to(torch.float8_e4m3fn) if value.dim() > 1 else value
            for name, value in state.items()
        }
    save_file(state, where / "model.safetensors", metadata={"format": "pt"})
    (where / "config.json").write_text(json.dumps(sizes.semantic, indent=1))
    (where / "preprocessor_config.json").write_text(json.dumps(EXTRACTOR, indent=1))


def _write_style(folder: Path) -> None:
    from indextts25.s2mel.modules.campplus.DTDNN import CAMPPlus  # noqa: PLC0415 - as above

    model = CAMPPlus(feat_dim=80, embedding_size=192)
    state = _scaled(model.state_dict(), _STYLE_SCALES)
    torch.save(state, folder / "hf_cache" / "campplus_cn_common.bin")


def _write_vocoder(folder: Path, sizes: Shapes) -> None:
    from indextts25.s2mel.modules.bigvgan.bigvgan import BigVGAN  # noqa: PLC0415 - as above
    from indextts25.s2mel.modules.bigvgan.env import AttrDict  # noqa: PLC0415

    where = folder / "hf_cache" / "bigvgan"
    (where / "config.json").write_text(json.dumps(sizes.vocoder, indent=1))
    state = _scaled(BigVGAN(AttrDict(sizes.vocoder)).state_dict(), _VOCODER_SCALES)
    generator = _with_weight_norm(state, _VOCODER_NORMED)
    torch.save({"generator": generator}, where / "bigvgan_generator.pt")


def _scaled(state: State, scales: tuple[tuple[str, float], ...]) -> State:
    """The weights, those that a pattern is found in multiplied."""
    state = dict(state)
    for pattern, factor in scales:
        names = [name for name in state if re.search(pattern, name)]
        assert names, f"no weight is called {pattern}"
        for name in names:
            state[name] = state[name] * factor
    return state


def _with_weight_norm(state: State, pattern: str) -> State:
    """Split weights whose name matches into ``weight_g`` (lengths) and ``weight_v`` (directions).

    The directions are left twice too long, so that who takes them for the weights is found out.
    """
    split: State = {}
    for name, value in state.items():
        if re.fullmatch(pattern, name):
            split[f"{name}_g"] = torch.norm_except_dim(value, 2, 0)
            split[f"{name}_v"] = value * 2.0
        else:
            split[name] = value
    return split
