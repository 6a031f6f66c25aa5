"""Tiny models of transformers with random weights, saved as a repository of the hub has them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import transformers as tf

BLOCKS = {
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 64,
}
HALVES = {  # of models with an encoder and a decoder
    "encoder_layers": 2,
    "decoder_layers": 1,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 64,
    "decoder_ffn_dim": 64,
}


def save(folder: Path, kind: str) -> Path:
    """Write a model of that kind, always the same, and its feature extractor."""
    model, extractor = MODELS[kind]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        made = model()
    made.save_pretrained(folder)
    extractor().save_pretrained(folder)
    return folder


def wav2vec2() -> Any:
    config = tf.Wav2Vec2Config(
        **BLOCKS,
        conv_dim=(16,) * 7,
        num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=2,
    )
    return tf.Wav2Vec2Model(config)


def whisper() -> Any:
    tokens = ("pad", "bos", "eos", "decoder_start")
    config = tf.WhisperConfig(
        **HALVES, d_model=32, vocab_size=64, **{f"{name}_token_id": 0 for name in tokens}
    )
    return tf.WhisperModel(config)


def ast() -> Any:
    return tf.ASTModel(tf.ASTConfig(**BLOCKS))


def wav2vec2_bert() -> Any:
    return tf.Wav2Vec2BertModel(tf.Wav2Vec2BertConfig(**BLOCKS, conv_depthwise_kernel_size=5))


def clap() -> Any:
    audio = {
        "hidden_size": 64,
        "patch_embeds_hidden_size": 8,
        "depths": [1, 1, 1, 1],
        "num_attention_heads": [1, 1, 2, 2],
    }
    text = {**BLOCKS, "vocab_size": 64}
    return tf.ClapModel(tf.ClapConfig(text_config=text, audio_config=audio, projection_dim=16))


def moonshine() -> Any:
    halves = {f"{half}_num_{each}": 2 for half in ("encoder", "decoder") for each in PARTS}
    config = tf.MoonshineConfig(hidden_size=32, intermediate_size=64, vocab_size=64, **halves)
    return tf.MoonshineModel(config)


PARTS = ("hidden_layers", "attention_heads")


def parakeet() -> Any:
    config = tf.ParakeetEncoderConfig(**BLOCKS, subsampling_conv_channels=8, num_mel_bins=80)
    return tf.ParakeetEncoder(config)


def encodec() -> Any:
    config = tf.EncodecConfig(num_filters=4, hidden_size=16, codebook_size=16, num_lstm_layers=1)
    return tf.EncodecModel(config)


def speecht5() -> Any:
    convolutions = {
        "conv_dim": (16,) * 7,
        "num_conv_pos_embeddings": 16,
        "num_conv_pos_embedding_groups": 2,
    }
    config = tf.SpeechT5Config(**HALVES, hidden_size=32, vocab_size=64, **convolutions)
    return tf.SpeechT5Model(config)


def bert() -> Any:
    return tf.BertModel(tf.BertConfig(**BLOCKS, vocab_size=64))


MODELS: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
    "wav2vec2": (wav2vec2, lambda: tf.Wav2Vec2FeatureExtractor(do_normalize=True)),
    "whisper": (whisper, tf.WhisperFeatureExtractor),
    "ast": (ast, tf.ASTFeatureExtractor),
    "wav2vec2_bert": (wav2vec2_bert, tf.SeamlessM4TFeatureExtractor),
    "clap": (clap, lambda: tf.ClapFeatureExtractor(truncation="rand_trunc")),
    "moonshine": (moonshine, tf.Wav2Vec2FeatureExtractor),
    "parakeet": (parakeet, lambda: tf.ParakeetFeatureExtractor(feature_size=80)),
    "encodec": (encodec, tf.EncodecFeatureExtractor),
    "speecht5": (speecht5, tf.SpeechT5FeatureExtractor),
    "bert": (bert, tf.Wav2Vec2FeatureExtractor),
}

CODE = """
import torch
from transformers import PretrainedConfig, PreTrainedModel
from transformers.feature_extraction_utils import BatchFeature, FeatureExtractionMixin
from transformers.modeling_outputs import BaseModelOutput


class LevelConfig(PretrainedConfig):
    model_type = "level"


class LevelModel(PreTrainedModel):
    config_class = LevelConfig

    def __init__(self, config):
        super().__init__(config)
        self.proj = torch.nn.Linear(320, 8)
        self.post_init()

    def forward(self, audio, output_hidden_states=False):
        frames = audio.unfold(1, 320, 320)
        return BaseModelOutput(self.proj(frames), (frames, self.proj(frames)))


class LevelExtractor(FeatureExtractionMixin):
    sampling_rate = 16000

    def __call__(self, clip, sampling_rate, return_tensors):
        return BatchFeature({"audio": clip[None]}, return_tensors)
"""


def save_own_code(folder: Path) -> Path:
    """Write a repository whose model and feature extractor are code of its own."""
    folder.mkdir()
    (folder / "level.py").write_text(CODE)
    config = {
        "model_type": "level",
        "architectures": ["LevelModel"],
        "auto_map": {"AutoConfig": "level.LevelConfig", "AutoModel": "level.LevelModel"},
    }
    front_end = {
        "feature_extractor_type": "LevelExtractor",
        "auto_map": {"AutoFeatureExtractor": "level.LevelExtractor"},
    }
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "preprocessor_config.json").write_text(json.dumps(front_end))
    weights = {"proj.weight": torch.eye(8, 320), "proj.bias": torch.zeros(8)}
    torch.save(weights, folder / "pytorch_model.bin")
    return folder
