"""Random numbers in the form in which microsoft/wavlm-large is published: the model alone."""

from pathlib import Path

from transformers import WavLMModel

from tests.harness.encoders import speech_checkpoint

# transformers' WavLMModel of this configuration has 315 453 120, a file of 1 262 MB as published;
# 1024 of them stand for masked frames and are not loaded. The paper (Table 1) has 316.62M.
PARAMETERS = 315_453_120

CONFIG = {
    **speech_checkpoint.LARGE,
    "architectures": ["WavLMModel"],
    "model_type": "wavlm",
    "feat_extract_norm": "layer",
    "conv_bias": False,
    "do_stable_layer_norm": True,
    "num_conv_pos_embeddings": 128,
    "num_buckets": 320,
    "max_bucket_distance": 800,
    "apply_spec_augment": True,
    "mask_time_prob": 0.075,
    "activation_dropout": 0.0,
    "attention_dropout": 0.1,
    "feat_proj_dropout": 0.1,
    "hidden_dropout": 0.1,
    "layerdrop": 0.1,
}


def write(folder: Path, *, tiny: bool = False) -> Path:
    """The folder, with config.json, preprocessor_config.json and pytorch_model.bin."""
    return speech_checkpoint.write(folder, WavLMModel, CONFIG, tiny=tiny)
