"""wav2vec 2.0 Large, trained on VoxPopuli's 100 000 hours, as a HEAR module.

Papers: Baevski et al., "wav2vec 2.0: A Framework for Self-Supervised Learning of Speech
Representations", https://arxiv.org/abs/2006.11477; Wang et al., "VoxPopuli",
https://arxiv.org/abs/2101.00390. Row Wav2vec2-large-100k-voxpopuli of the tables.
Checkpoint: https://huggingface.co/facebook/wav2vec2-large-100k-voxpopuli, branch main: no commit
is known with certainty. The record's weights_sha256 tells weights apart. 317M parameters as
published, of which the quantizer and the projections of the training are not held: 315M are.
Licence of the weights: CC BY-NC 4.0.
Layer: the last of 24, after the final normalisation (`last_hidden_state`).
Pooling: the mean over tokens, one per 20 ms.
Sample rate: 16 kHz. Front end: none but the published normalisation, zero mean and unit variance
over a clip (`do_normalize` of the checkpoint's preprocessor_config.json).

How long audio and clips of many lengths go through the model: see `speech`.

Where the tables' authors may differ (their code is not public): X-ARES, by some of them
(https://github.com/jimbozhang/xares, example/wav2vec2), takes the same layer of the same
checkpoint, but cuts long audio every 10 s, pads a last piece of less than 1 s with zeros that count
in the mean, and normalises each piece of a batch with the mean and variance of all clips in it.
"""

from transformers import Wav2Vec2Model

from harness.encoders.parts import speech
from harness.encoders.parts.tokens import get_scene_embeddings, get_timestamp_embeddings

__all__ = ["get_scene_embeddings", "get_timestamp_embeddings", "load_model"]

NAME = "facebook/wav2vec2-large-100k-voxpopuli"
REVISION = "main"


def load_model(model_file_path: str = "") -> speech.Speech:
    """The published model, fetched once; or that of a folder in its form.

    Raises ValueError: it cannot be had, or is not whole.
    """
    if model_file_path:
        return speech.load(Wav2Vec2Model, model_file_path)
    return speech.load(Wav2Vec2Model, NAME, REVISION)
