"""The sizes that a random checkpoint can have: small ones, and IndexTTS-2.5's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

# What every size shares: the GPT reads 1024 features, the codec has 8192 codes (and a start and a
# stop for the GPT), and a text has fewer than 600 tokens.
_FEATURES = 1024
_CODES = 8192
# ``preprocessor_config.json`` beside w2v-bert: 80 bands, two frames side by side.
EXTRACTOR = {
    "feature_extractor_type": "SeamlessM4TFeatureExtractor",
    "feature_size": 80,
    "num_mel_bins": 80,
    "padding_side": "right",
    "padding_value": 1,
    "return_attention_mask": True,
    "sampling_rate": 16000,
    "stride": 2,
}


@dataclass(frozen=True)
class Shapes:
    """The three configs of a checkpoint.

    Attributes:
        config: of ``config.yaml``.
        semantic: of w2v-bert's ``config.json``.
        vocoder: of BigVGAN's ``config.json``.
        compact: whether w2v-bert's matrices are kept in 8 bits. They are most of a small
            checkpoint, since their 1024 columns can't be fewer; loading widens them.
    """

    config: dict[str, Any]
    semantic: dict[str, Any]
    vocoder: dict[str, Any]
    compact: bool


def _config(
    *,
    text_ids: int,
    gpt: tuple[int, int, int],
    emotion: tuple[int, int, int, int, int],
    codec: tuple[int, int, int],
    content: int,
    flow: tuple[int, int, int],
    wavenet_layers: int,
) -> dict[str, Any]:
    """``config.yaml`` as published with IndexTTS-2.5, in other sizes.

    Args:
        text_ids: largest id of a text token.
        gpt: layers, width and heads.
        emotion: width, inner width, heads and blocks of the conformer; the perceiver's factor.
        codec: width, inner width and layers of the decoder.
        content: width of the flow's condition.
        flow: layers, width and heads of the DiT.
        wavenet_layers: layers of its head.
    """
    layers, width, heads = gpt
    emotion_width, emotion_inner, emotion_heads, emotion_blocks, emotion_factor = emotion
    codec_width, codec_inner, codec_layers = codec
    flow_layers, flow_width, flow_heads = flow
    return {
        "gpt": {
            "model_dim": width,
            "max_mel_tokens": 1815,
            "max_text_tokens": 600,
            "heads": heads,
            "use_mel_codes_as_input": True,
            "mel_length_compression": 1024,
            "layers": layers,
            "number_text_tokens": text_ids,
            "number_mel_codes": _CODES + 2,
            "start_mel_token": _CODES,
            "stop_mel_token": _CODES + 1,
            "start_text_token": 0,
            "stop_text_token": 1,
            "train_solo_embeddings": False,
            "emo_condition_module": {
                "output_size": emotion_width,
                "linear_units": emotion_inner,
                "attention_heads": emotion_heads,
                "num_blocks": emotion_blocks,
                "input_layer": "conv2d2",
                "perceiver_mult": emotion_factor,
            },
        },
        "semantic_codec": {
            "codebook_size": _CODES,
            "hidden_size": _FEATURES,
            "codebook_dim": 8,
            "vocos_dim": codec_width,
            "vocos_intermediate_dim": codec_inner,
            "vocos_num_layers": codec_layers,
        },
        "s2mel": {
            "preprocess_params": {
                "sr": 22050,
                "spect_params": {
                    "n_fft": 1024,
                    "win_length": 1024,
                    "hop_length": 256,
                    "n_mels": 80,
                    "fmin": 0,
                    "fmax": "None",
                },
            },
            "dit_type": "DiT",
            "reg_loss_type": "l1",
            "style_encoder": {"dim": 192},
            "length_regulator": {
                "channels": content,
                "is_discrete": False,
                "in_channels": _FEATURES,
                "content_codebook_size": 2048,
                "sampling_ratios": [1, 1, 1, 1],
                "vector_quantize": False,
                "n_codebooks": 1,
                "quantizer_dropout": 0.0,
                "f0_condition": False,
                "n_f0_bins": 512,
            },
            "DiT": {
                "hidden_dim": flow_width,
                "num_heads": flow_heads,
                "depth": flow_layers,
                "class_dropout_prob": 0.1,
                "block_size": 8192,
                "in_channels": 80,
                "style_condition": True,
                "final_layer_type": "wavenet",
                "target": "mel",
                "content_dim": content,
                "content_codebook_size": 1024,
                "content_type": "discrete",
                "f0_condition": False,
                "n_f0_bins": 512,
                "content_codebooks": 1,
                "is_causal": False,
                "long_skip_connection": True,
                "zero_prompt_speech_token": False,
                "time_as_token": False,
                "style_as_token": False,
                "uvit_skip_connection": True,
                "add_resblock_in_transformer": False,
            },
            "wavenet": {
                "hidden_dim": flow_width,
                "num_layers": wavenet_layers,
                "kernel_size": 5,
                "dilation_rate": 1,
                "p_dropout": 0.2,
                "style_condition": True,
            },
        },
        "gpt_checkpoint": "gpt.pth",
        "w2v_stat": "wav2vec2bert_stats.pt",
        "s2mel_checkpoint": "s2mel.pth",
        "emo_matrix": "feat2.pt",
        "spk_matrix": "feat1.pt",
        "emo_num": [3, 17, 2, 8, 4, 5, 10, 24],
        "vocoder": {"type": "bigvgan", "name": "bigvgan_generator.pt"},
        "version": 2.5,
    }


def _semantic(*, layers: int, inner: int) -> dict[str, Any]:
    """w2v-bert's ``config.json``: what differs from transformers' defaults."""
    return {
        "model_type": "wav2vec2-bert",
        "architectures": ["Wav2Vec2BertModel"],
        "hidden_size": _FEATURES,
        "intermediate_size": inner,
        "num_hidden_layers": layers,
        "feature_projection_input_dim": 160,
    }


def _vocoder(channels: int) -> dict[str, Any]:
    """BigVGAN's ``config.json`` (22 kHz, 80 bands, hop 256) with other channels."""
    return {
        "resblock": "1",
        "upsample_rates": [4, 4, 2, 2, 2, 2],
        "upsample_kernel_sizes": [8, 8, 4, 4, 4, 4],
        "upsample_initial_channel": channels,
        "resblock_kernel_sizes": [3, 7, 11],
        "resblock_dilation_sizes": [[1, 3, 5], [1, 3, 5], [1, 3, 5]],
        "use_tanh_at_final": False,
        "use_bias_at_final": False,
        "activation": "snakebeta",
        "snake_logscale": True,
        "num_mels": 80,
        "n_fft": 1024,
        "hop_size": 256,
        "win_size": 1024,
        "sampling_rate": 22050,
        "fmin": 0,
        "fmax": None,
    }


TINY = Shapes(
    # 2,048 text ids are more than the small vocabulary and its special tokens need.
    config=_config(
        text_ids=2047,
        gpt=(3, 64, 4),
        emotion=(32, 64, 2, 2, 1),
        codec=(32, 64, 2),
        content=96,
        flow=(3, 64, 4),
        wavenet_layers=3,
    ),
    # One layer more than is read, as the published model has seven more.
    semantic=_semantic(layers=18, inner=16),
    vocoder=_vocoder(128),
    compact=True,
)
FULL = Shapes(
    config=_config(
        text_ids=60_509,
        gpt=(24, 1280, 20),
        emotion=(512, 1024, 4, 4, 2),
        codec=(384, 2048, 12),
        content=512,
        flow=(13, 512, 8),
        wavenet_layers=8,
    ),
    semantic=_semantic(layers=24, inner=4096),
    vocoder=_vocoder(1536),
    compact=False,
)
