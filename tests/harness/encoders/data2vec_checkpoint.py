"""Random numbers in the form of facebook/data2vec-audio-large, as published: the model alone."""

from pathlib import Path

from transformers import Data2VecAudioModel

from tests.harness.encoders import speech_checkpoint

# transformers' Data2VecAudioModel of this configuration; 313M are published. 1024 of them stand for
# masked frames and are not loaded.
PARAMETERS = 313_276_416

CONFIG = {
    **speech_checkpoint.LARGE,
    "architectures": ["Data2VecAudioModel"],
    "model_type": "data2vec-audio",
    "feat_extract_norm": "layer",
    "conv_bias": False,
    "do_stable_layer_norm": True,  # without effect: data2vec's blocks normalise last
    "num_conv_pos_embeddings": 5,
    "conv_pos_kernel_size": 19,
    "mask_time_prob": 0.05,
    "mask_time_min_masks": 2,
    "activation_dropout": 0.1,
    "attention_dropout": 0.1,
    "feat_proj_dropout": 0.0,
    "hidden_dropout": 0.1,
    "layerdrop": 0.1,
}


def write(folder: Path, *, tiny: bool = False) -> Path:
    """The folder, with config.json, preprocessor_config.json and pytorch_model.bin."""
    return speech_checkpoint.write(folder, Data2VecAudioModel, CONFIG, tiny=tiny)
