"""WavLM Large as a HEAR module.

Paper: Chen et al., "WavLM: Large-Scale Self-Supervised Pre-Training for Full Stack Speech
Processing", https://arxiv.org/abs/2110.13900. Row WavLM-Large of the tables.
Checkpoint: https://huggingface.co/microsoft/wavlm-large at the revision below, pytorch_model.bin;
315M parameters. Licence of the weights: the model card points to CC BY-SA 3.0, the repository of
the code to MIT; asked, unanswered: https://github.com/microsoft/unilm/issues/1757.
Layer: the last of 24, after the final normalisation (`last_hidden_state`).
Pooling: the mean over tokens, one per 20 ms.
Sample rate: 16 kHz. Front end: none but the published normalisation, zero mean and unit variance
over a clip (`do_normalize` of the checkpoint's preprocessor_config.json).

How long audio and clips of many lengths go through the model: see `speech`.

Where the tables' authors may differ (their code is not public): they may have taken another layer,
cut long audio elsewhere (X-ARES, by some of them, cuts such models' input every 10 s and normalises
each piece by itself), or normalised a whole padded batch. Tasks of speech gain from a mean of
layers, as the paper has it; `--model hf:microsoft/wavlm-large#…` gives that.
"""

from transformers import WavLMModel

from harness.encoders.parts import speech
from harness.encoders.parts.tokens import get_scene_embeddings, get_timestamp_embeddings

__all__ = ["get_scene_embeddings", "get_timestamp_embeddings", "load_model"]

NAME = "microsoft/wavlm-large"
REVISION = "c1423ed94bb01d80a3f5ce5bc39f6026a0f4828c"


def load_model(model_file_path: str = "") -> speech.Speech:
    """The published model, fetched once; or that of a folder in its form.

    Raises ValueError: it cannot be had, or is not whole.
    """
    if model_file_path:
        return speech.load(WavLMModel, model_file_path)
    return speech.load(WavLMModel, NAME, REVISION)
