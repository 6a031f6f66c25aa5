"""Random numbers as checkpoints of the wav2vec 2.0 family are published: folders of transformers.

Each row's module has the configuration; here they become config.json, preprocessor_config.json and
pytorch_model.bin, with the names that weight normalisation had when they were made.

The three config.json themselves were out of reach when this was written: the architectures are
those of the papers and of torchaudio's bundles, the rest (dropout, masking) is without effect here.
Nothing of it is in the rows, which read the configuration and `do_normalize` of what they load.
"""

import json
from pathlib import Path
from typing import Any

import torch

# What the three architectures share.
LARGE = {
    "hidden_size": 1024,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "intermediate_size": 4096,
    "hidden_act": "gelu",
    "layer_norm_eps": 1e-05,
    "initializer_range": 0.02,
    "conv_dim": [512] * 7,
    "conv_kernel": [10, 3, 3, 3, 3, 2, 2],
    "conv_stride": [5, 2, 2, 2, 2, 2, 2],
    "num_feat_extract_layers": 7,
    "feat_extract_activation": "gelu",
    "num_conv_pos_embedding_groups": 16,
    "mask_time_length": 10,
    "mask_feature_length": 10,
    "mask_feature_prob": 0.0,
    "vocab_size": 32,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 0,
    "torch_dtype": "float32",
}
TINY = {
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "conv_dim": [16] * 7,
    # Of 16 channels: groups of 8 go wrong in bf16 on some CPUs (oneDNN in PyTorch 2.11).
    "num_conv_pos_embedding_groups": 2,
}
EXTRACTOR = {
    "do_normalize": True,
    "feature_extractor_type": "Wav2Vec2FeatureExtractor",
    "feature_size": 1,
    "padding_side": "right",
    "padding_value": 0,
    "return_attention_mask": True,
    "sampling_rate": 16000,
}
OLD_NAMES = {
    "parametrizations.weight.original0": "weight_g",
    "parametrizations.weight.original1": "weight_v",
}


def write(folder: Path, kind: Any, config: dict[str, Any], *, tiny: bool) -> Path:
    """Write a model of a class of transformers; norms and biases are near 1 and 0, not at them."""
    config = {**config, **(TINY if tiny else {})}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = kind(kind.config_class(**config))
        for parameter in model.parameters():
            if parameter.ndim == 1:
                parameter.data += 0.1 * torch.randn_like(parameter)
    state = model.state_dict()
    for new, old in OLD_NAMES.items():
        state = {name.replace(new, old): tensor for name, tensor in state.items()}
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(state, folder / "pytorch_model.bin")
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "preprocessor_config.json").write_text(json.dumps(EXTRACTOR))
    return folder
