"""Random numbers as facebook/wav2vec2-large-100k-voxpopuli is published: with its training's heads.

The quantizer and the two projections are beside the encoder, whose names begin with "wav2vec2.".
"""

from pathlib import Path

from transformers import Wav2Vec2ForPreTraining

from tests.harness.encoders import speech_checkpoint

# Of the encoder; with the quantizer and the projections of the training 317 390 592, which are the
# 317M of the paper (https://arxiv.org/abs/2006.11477, 4.2). 1024 of the encoder's stand for masked
# frames and are not loaded.
PARAMETERS = 315_438_720

CONFIG = {
    **speech_checkpoint.LARGE,
    "architectures": ["Wav2Vec2ForPreTraining"],
    "model_type": "wav2vec2",
    "feat_extract_norm": "layer",
    "conv_bias": True,
    "do_stable_layer_norm": True,
    "num_conv_pos_embeddings": 128,
    "codevector_dim": 768,
    "proj_codevector_dim": 768,
    "num_codevector_groups": 2,
    "num_codevectors_per_group": 320,
    "apply_spec_augment": True,
    "mask_time_prob": 0.075,
    "activation_dropout": 0.0,
    "attention_dropout": 0.1,
    "feat_proj_dropout": 0.1,
    "hidden_dropout": 0.1,
    "layerdrop": 0.1,
}
TINY = {"codevector_dim": 16, "proj_codevector_dim": 16, "num_codevectors_per_group": 8}


def write(folder: Path, *, tiny: bool = False) -> Path:
    """The folder, with config.json, preprocessor_config.json and pytorch_model.bin."""
    config = {**CONFIG, **(TINY if tiny else {})}
    return speech_checkpoint.write(folder, Wav2Vec2ForPreTraining, config, tiny=tiny)
