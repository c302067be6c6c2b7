"""From a folder in IndexTTS-2.5's layout to modules on a device.

Modules are built without memory (on torch's ``meta`` device) and get the tensors of the mapped
files themselves. So nothing is initialised only to be overwritten, on a CPU most weights are the
file's own pages, shared between processes, and the process's random numbers stay as they were.
"""

from __future__ import annotations

import inspect
import pickle
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from indextts25.codec.models import EnhancedCodec
from indextts25.gpt.model_v2 import UnifiedVoice
from indextts25.s2mel.modules.bigvgan.bigvgan import BigVGAN, load_hparams_from_json
from indextts25.s2mel.modules.campplus.DTDNN import CAMPPlus
from indextts25.s2mel.modules.commons import MyModel
from indextts25.utils.checkpoint import fold_weight_norm
from indextts25.utils.tokenizer import get_encoding
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from transformers import SeamlessM4TFeatureExtractor, Wav2Vec2BertConfig, Wav2Vec2BertModel
from yaml import YAMLError

from tts_toolkit.errors import ModelMissingError
from tts_toolkit.store.catalogue import INDEXTTS
from tts_toolkit.store.models import require_model

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from indextts25.s2mel.modules.diffusion_transformer import DiT
    from indextts25.s2mel.modules.length_regulator import InterpolateRegulator

VOCABULARY = "multilingual_zh_ja_yue_char_del"
# The hidden state of w2v-bert that IndexTTS reads; layers behind it are neither built nor read.
SEMANTIC_LAYERS = 17
# Frames for which the DiT's rotary table is made; `indextts25` asks for as many.
_FLOW_FRAMES = 8192
# How torch and safetensors say that a file is not what they can read.
_UNREADABLE = (RuntimeError, pickle.UnpicklingError, EOFError, ValueError, OSError, SafetensorError)


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """All that is loaded of a model. Its modules are in evaluation and take no gradients.

    Attributes:
        folder: where it came from.
        device: where its tensors are.
        dtype: of the parameters of ``gpt``, and of the flow's matrix products, which ``Flow``
            casts for itself. All else is float32.
        config: OmegaConf of ``config.yaml``.
        gpt: ``post_init_gpt2_config`` is not called, so it has no ``inference_model``.
        estimator: the DiT of the flow, with its rotary table made (in float32).
        length_regulator: from semantic features to the flow's condition.
        codec: from codes to semantic features.
        vocoder: BigVGAN, its weight norm folded.
        semantic_model: w2v-bert with its first 17 layers.
        semantic_mean: shape (1024,), of its features.
        semantic_std: shape (1024,), the same.
        feature_extractor: from 16 kHz samples to what ``semantic_model`` takes.
        style_encoder: CAMPPlus.
        tokenizer: tiktoken's ``Encoding``.
        emotion_matrices: one for each of the eight emotions, shape (n, model_dim): directions.
        speaker_matrices: as many, shape (n, 192): the style of who spoke each of them.
    """

    folder: Path
    device: torch.device
    dtype: torch.dtype
    config: Any
    gpt: UnifiedVoice
    estimator: DiT
    length_regulator: InterpolateRegulator
    codec: EnhancedCodec
    vocoder: BigVGAN
    semantic_model: Wav2Vec2BertModel
    semantic_mean: Tensor
    semantic_std: Tensor
    feature_extractor: SeamlessM4TFeatureExtractor
    style_encoder: CAMPPlus
    tokenizer: Any
    emotion_matrices: tuple[Tensor, ...]
    speaker_matrices: tuple[Tensor, ...]


def load_checkpoint(folder: Path, *, device: torch.device, dtype: torch.dtype) -> Checkpoint:
    """Load a model from a folder that has all of it; nothing is downloaded.

    Args:
        folder: in the layout that ``tts-toolkit models download`` leaves.
        device: where to.
        dtype: as in ``Checkpoint``.

    Raises:
        ModelMissingError: if a file is missing or can't be read, or does not have what
            ``config.yaml`` says: then with the file, the key, and both shapes.
    """
    require_model(INDEXTTS, folder)
    config = _config(folder / "config.yaml")
    hub = folder / "hf_cache"
    with torch.no_grad():
        gpt = _gpt(folder / config.gpt_checkpoint, config, device, dtype)
        flow = _flow(folder / config.s2mel_checkpoint, config, device)
        statistics = _read(folder / config.w2v_stat)
        mean, variance = (
            _entry(statistics, name, folder / config.w2v_stat) for name in _STATISTICS
        )
        return Checkpoint(
            folder=folder,
            device=device,
            dtype=dtype,
            config=config,
            gpt=gpt,
            estimator=flow["cfm"].estimator,
            length_regulator=flow["length_regulator"],
            codec=_codec(folder / "codec.pth", config, device),
            vocoder=_vocoder(hub / "bigvgan", device),
            semantic_model=_semantic_model(hub / "w2v-bert-2.0", device),
            semantic_mean=mean.to(device),
            semantic_std=torch.sqrt(variance).to(device),
            feature_extractor=SeamlessM4TFeatureExtractor.from_pretrained(
                hub / "w2v-bert-2.0", local_files_only=True
            ),
            style_encoder=_style_encoder(hub / "campplus_cn_common.bin", device),
            tokenizer=_tokenizer(folder),
            emotion_matrices=_matrices(folder / config.emo_matrix, config, device),
            speaker_matrices=_matrices(folder / config.spk_matrix, config, device),
        )


_STATISTICS = ("mean", "var")


def _config(path: Path) -> Any:
    try:
        config = OmegaConf.load(path)
    except (OmegaConfBaseException, YAMLError, OSError) as error:
        raise _damaged(path, str(error)) from error
    wanted = ("gpt", "s2mel", "semantic_codec", "gpt_checkpoint", "s2mel_checkpoint", "emo_num")
    missing = [
        name for name in (*wanted, "w2v_stat", "emo_matrix", "spk_matrix") if name not in config
    ]
    if missing:
        raise _damaged(path, f"it does not say {', '.join(missing)}")
    return config


def _gpt(path: Path, config: Any, device: torch.device, dtype: torch.dtype) -> UnifiedVoice:
    gpt = _built(lambda: UnifiedVoice(**config.gpt))
    # On a CPU in float32 the matrices are laid out anew (see projection.py), and a mapped file
    # would stay in memory beside them.
    content = _read(path, mmap=device.type != "cpu" or dtype != torch.float32)
    # Training's text_head, 300 MB of it, stays in the file.
    _fill(gpt, content.get("model", content), path, device, strict=False)
    return _cast(gpt, dtype)


def _flow(path: Path, config: Any, device: torch.device) -> Any:
    models = _built(lambda: MyModel(config.s2mel)).models
    net = _entry(_read(path, mmap=True), "net", path)
    for name, module in models.items():
        _fill(module, fold_weight_norm(_entry(net, name, path), device), path, device)
    estimator = models["cfm"].estimator
    # The table takes the parameters' dtype, and angles need more than bfloat16 has.
    estimator.setup_caches(max_batch_size=1, max_seq_length=_FLOW_FRAMES)
    return models


def _codec(path: Path, config: Any, device: torch.device) -> EnhancedCodec:
    codec = _built(lambda: EnhancedCodec(**config.semantic_codec))
    # Only the half that decodes is wanted; the file has the other one too.
    wanted = codec.state_dict().keys()
    parts = {
        name: value
        for name, value in _entry(_read(path, mmap=True), "model", path).items()
        if name.removesuffix("_g").removesuffix("_v") in wanted
    }
    _fill(codec, fold_weight_norm(parts, device), path, device, strict=False)
    return codec


def _vocoder(folder: Path, device: torch.device) -> BigVGAN:
    path = folder / "bigvgan_generator.pt"
    vocoder = _built(lambda: BigVGAN(load_hparams_from_json(folder / "config.json")))
    generator = _entry(_read(path, mmap=True), "generator", path)
    _fill(vocoder, fold_weight_norm(generator, device), path, device)
    return vocoder


def _semantic_model(folder: Path, device: torch.device) -> Wav2Vec2BertModel:
    path = folder / "model.safetensors"
    config = Wav2Vec2BertConfig.from_pretrained(folder, num_hidden_layers=SEMANTIC_LAYERS)
    model: Wav2Vec2BertModel = _built(lambda: Wav2Vec2BertModel(config))
    wanted = model.state_dict().keys()
    try:
        with safe_open(path, "pt") as file:
            state = {name: file.get_tensor(name) for name in file.keys() if name in wanted}  # noqa: SIM118 - it is no mapping
    except _UNREADABLE as error:
        raise _damaged(path, str(error)) from error
    _fill(model, state, path, device)
    return model


def _style_encoder(path: Path, device: torch.device) -> CAMPPlus:
    encoder = _built(lambda: CAMPPlus(feat_dim=80, embedding_size=192))
    _fill(encoder, _read(path), path, device)
    return encoder


def _matrices(path: Path, config: Any, device: torch.device) -> tuple[Tensor, ...]:
    counts = list(config.emo_num)
    matrix = _read(path)
    if not isinstance(matrix, Tensor) or len(matrix) != sum(counts):
        raise _damaged(path, f"config.yaml wants a matrix of {sum(counts)} rows")
    return torch.split(matrix.to(device), counts)


def _tokenizer(folder: Path) -> Any:
    with warnings.catch_warnings():
        # It leaves the file for the garbage collector to close.
        warnings.simplefilter("ignore", ResourceWarning)
        # Without its cache, which goes by the folder's name and not by what is in it.
        return inspect.unwrap(get_encoding)(VOCABULARY, model_dir=str(folder))


def _built(build: Callable[[], Any]) -> Any:
    """A module without memory; ``_fill`` brings it."""
    # Some initialisers take random numbers even where there is nothing to fill.
    with torch.random.fork_rng(devices=[]), torch.device("meta"):
        return build().eval().requires_grad_(requires_grad=False)


def _fill(
    module: nn.Module,
    state: Mapping[str, Tensor],
    path: Path,
    device: torch.device,
    *,
    strict: bool = True,
) -> None:
    """Give a module its tensors, on the device and with the module's own dtypes.

    Args:
        module: from ``_built``.
        state: what the file has.
        path: of the file.
        device: where to.
        strict: whether a key that the module does not have is an error.
    """
    own = module.state_dict()
    problems = []
    for name, place in own.items():
        if name not in state:
            problems.append(f"{name} of shape {tuple(place.shape)} is missing")
        elif state[name].shape != place.shape:
            shapes = f"{tuple(state[name].shape)}, and config.yaml wants {tuple(place.shape)}"
            problems.append(f"{name} has the shape {shapes}")
    if strict:
        problems += [f"{name} is not of this model" for name in state if name not in own]
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise _damaged(path, problems[0] + more)
    tensors = {name: state[name].to(device, place.dtype) for name, place in own.items()}
    module.load_state_dict(tensors, assign=True)
    module.requires_grad_(requires_grad=False)
    left = [name for name, buffer in module.named_buffers() if buffer.is_meta]
    assert not left, f"buffers that no file has: {left}"


def _cast(module: nn.Module, dtype: torch.dtype) -> Any:
    """The module with its parameters in ``dtype``. Buffers are tables, and stay in float32."""
    for parameter in module.parameters():
        parameter.data = parameter.data.to(dtype)
    return module


def _read(path: Path, *, mmap: bool = False) -> Any:
    try:
        # Mapping needs torch's zip format, which the small files may not have.
        return torch.load(path, map_location="cpu", mmap=mmap, weights_only=True)
    except _UNREADABLE as error:
        raise _damaged(path, str(error)) from error


def _entry(content: Any, name: str, path: Path) -> Any:
    if not isinstance(content, dict) or name not in content:
        raise _damaged(path, f"it has no {name!r}")
    return content[name]


def _damaged(path: Path, reason: str) -> ModelMissingError:
    first = reason.strip().partition("\n")[0]
    return ModelMissingError(
        f"{path}: {first}; it is damaged, or of another model: "
        f"look with `tts-toolkit models verify {INDEXTTS}`"
    )
