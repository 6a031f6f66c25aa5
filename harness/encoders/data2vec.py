"""data2vec Audio Large as a HEAR module.

Paper: Baevski et al., "data2vec: A General Framework for Self-supervised Learning in Speech, Vision
and Language", https://arxiv.org/abs/2202.03555. Row Data2Vec-Audio-Large of the tables.
Checkpoint: https://huggingface.co/facebook/data2vec-audio-large, branch main: no commit is known
with certainty. The record's weights_sha256 tells weights apart. 313M parameters. Licence of the
weights: Apache-2.0.
Layer: the last of 24 (`last_hidden_state`), which ends in a normalisation of its own.
Pooling: the mean over tokens, one per 20 ms.
Sample rate: 16 kHz. Front end: none but the published normalisation, zero mean and unit variance
over a clip (`do_normalize` of the checkpoint's preprocessor_config.json).

How long audio and clips of many lengths go through the model: see `speech`. A mask would not be
exact here: the five convolutions that tell positions carry padding back into the clip.

Where the tables' authors may differ (their code is not public): X-ARES, by some of them
(https://github.com/jimbozhang/xares, example/data2vec), has the base size, cuts long audio every
10 s, pads a last piece of less than 1 s with zeros that count in the mean, and normalises each
piece of a batch with the mean and variance of all clips in it.
"""

from transformers import Data2VecAudioModel

from harness.encoders.parts import speech
from harness.encoders.parts.tokens import get_scene_embeddings, get_timestamp_embeddings

__all__ = ["get_scene_embeddings", "get_timestamp_embeddings", "load_model"]

NAME = "facebook/data2vec-audio-large"
REVISION = "main"


def load_model(model_file_path: str = "") -> speech.Speech:
    """The published model, fetched once; or that of a folder in its form.

    Raises ValueError: it cannot be had, or is not whole.
    """
    if model_file_path:
        return speech.load(Data2VecAudioModel, model_file_path)
    return speech.load(Data2VecAudioModel, NAME, REVISION)
