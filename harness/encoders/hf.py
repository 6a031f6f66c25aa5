"""Any audio model of the Hugging Face hub, or of a folder in its form, as a HEAR module.

`--model hf:org/name[@revision][#layers]`, `--model hf:folder[#layers]`. What the pieces are:

- Checkpoint and licence of the weights: the repository's own; see its page.
- Layer: the model's output, `last_hidden_state`; or hidden layers, see `hidden_layers`.
- Pooling: the mean over a clip's tokens. What a model makes of all of a clip (CLS, a pooler, a
  projection to a space shared with text) is not used.
- Sample rate and front end: those of the repository's feature extractor.

The wav2vec 2.0 family and Whisper are encoded as by their rows of the tables (`speech`, `whisper`);
AST and the audio tower of CLAP in windows of theirs (`time_frequency`); everything else that
makes tokens in time out of what its feature extractor gives, in windows of 30 s (`audio_model`).
Of a model with an encoder for audio, and a decoder or a model of text after it, the encoder alone
is used. What gives no such tokens (codes, a waveform, text) is refused.

Tensors that only training uses, heads and the embedding of what is masked, may be in the checkpoint
or not; any other that the model needs and the checkpoint lacks is refused by name.
"""

from typing import Any

from torch import nn
from transformers import AutoConfig, AutoModel, PreTrainedModel
from transformers.models.whisper.modeling_whisper import WhisperEncoder

from harness.encoders.parts import hidden_layers, hub
from harness.encoders.parts.audio_model import AudioModel
from harness.encoders.parts.speech import Speech
from harness.encoders.parts.time_frequency import ClapAudio, SpectrogramTransformer
from harness.encoders.parts.tokens import (
    TokenEncoder,
    get_scene_embeddings,
    get_timestamp_embeddings,
)
from harness.encoders.whisper import ENCODER_NAMES, Whisper
from harness.errors import UserError
from harness.targets import repository

__all__ = ["get_scene_embeddings", "get_timestamp_embeddings", "load_model"]

# Of config.model_type: convolutions over the waveform, a transformer after them.
_SPEECH = {
    *("wav2vec2", "wav2vec2-conformer", "wavlm", "hubert", "data2vec-audio"),
    *("unispeech", "unispeech-sat"),
}


def load_model(model_file_path: str = "", *, trust_remote_code: bool = False) -> TokenEncoder:
    """The model of a repository, `org/name[@revision][#layers]` or `folder[#layers]`.

    `trust_remote_code` lets the repository's own code be executed.

    Raises ValueError: it cannot be had, is not whole, or gives no tokens in time; UserError: it has
    no such layers. One line.
    """
    if not model_file_path:
        raise ValueError("expected hf:org/name[@revision][#layers] or hf:folder, found no name")
    where = repository(model_file_path)
    source: dict[str, Any] = {
        "name": where.name,
        "revision": where.revision,
        "trust_remote_code": trust_remote_code,
    }
    model = hub.pretrained(_Auto, spare=".*", **source)
    extractor = hub.feature_extractor(**source)
    if not hasattr(extractor, "sampling_rate"):
        kind = type(extractor).__name__
        raise ValueError(f"{where.name}: expected a feature extractor for audio, found {kind}")
    try:
        encoder = _encoder(model, extractor, where.layers)
    except UserError:
        raise
    except Exception as error:  # whatever a model does that is given audio and nothing else
        said = " ".join(str(error).split())[:200] or type(error).__name__
        raise ValueError(
            f"{where.name}: expected a model that makes tokens in time of audio alone, found "
            f"{type(model).__name__}: {said}"
        ) from error
    encoder.remote_code = any(_is_remote(part) for part in (model, extractor))
    encoder.sources = hub.sources(model, code=encoder.remote_code)
    return encoder.eval()


class _Auto:
    """AutoModel, without what an encoder of audio does not need and some files lack."""

    @staticmethod
    def from_pretrained(folder: Any, *, trust_remote_code: bool, **options: Any) -> Any:
        config = AutoConfig.from_pretrained(folder, trust_remote_code=trust_remote_code)
        if config.model_type == "whisper":
            return WhisperEncoder.from_pretrained(
                folder, config=config, key_mapping=ENCODER_NAMES, **options
            )
        for masked in {"mask_time_prob", "mask_feature_prob"} & vars(config).keys():
            setattr(config, masked, 0.0)  # or there is a parameter that stands for masked audio
        return AutoModel.from_pretrained(
            folder, config=config, trust_remote_code=trust_remote_code, **options
        )


def _encoder(model: Any, extractor: Any, layers: str) -> TokenEncoder:
    kind = "" if _is_remote(model) else model.config.model_type
    if kind in _SPEECH and extractor.sampling_rate == Speech.sample_rate:
        chosen = hidden_layers.indices(layers, 1 + model.config.num_hidden_layers)
        return Speech(model, normalise=extractor.do_normalize, layers=chosen)
    if kind == "whisper":
        chosen = hidden_layers.indices(layers, 1 + model.config.encoder_layers)
        return Whisper(model, chosen)
    if kind == "audio-spectrogram-transformer":
        return SpectrogramTransformer(model, extractor, layers)
    if kind == "clap":
        return ClapAudio(model.audio_model, extractor, layers)
    return AudioModel(_audio_encoder(model, extractor), extractor, layers)


def _audio_encoder(model: Any, extractor: Any) -> nn.Module:
    """The part that takes what the extractor gives, of a model that also decodes or reads text."""
    parts = [getattr(model, "speech_encoder", None), model.get_encoder(modality="audio")]
    for part in (*parts, model.get_encoder()):
        # One that is no PreTrainedModel has the blocks alone, without what comes before them.
        own = part is not model and isinstance(part, PreTrainedModel)
        if own and part.main_input_name in extractor.model_input_names:
            return part
    return model


def _is_remote(part: Any) -> bool:
    """Whether it is made by code that came with a repository: transformers' name for such."""
    return type(part).__module__.split(".")[0] == "transformers_modules"
