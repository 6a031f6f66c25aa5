"""Random numbers in the form in which openai/whisper-base is published: a folder of transformers.

The decoder is there too, as in the real one; the matrix of the head is that of the tokens, and so
is not stored a second time.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

# Of the encoder. The paper (Table 1) counts 74M with the decoder, whose own are 52 003 328.
PARAMETERS = 20_590_592

PUBLISHED = {"d_model": 512, "layers": 6, "heads": 8, "ffn_dim": 2048}
TINY = {"d_model": 32, "layers": 2, "heads": 2, "ffn_dim": 64}
VOCABULARY, POSITIONS, TEXT_POSITIONS = 51865, 1500, 448


def write(folder: Path, *, tiny: bool = False, n_mels: int = 80) -> Path:
    """The folder, with config.json, preprocessor_config.json and model.safetensors."""
    size = TINY if tiny else PUBLISHED
    generator = torch.Generator().manual_seed(0)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config(size, n_mels)))
    (folder / "preprocessor_config.json").write_text(json.dumps(extractor(n_mels)))
    state = {name: draw(name, shape, generator) for name, shape in shapes(size, n_mels)}
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def config(size: dict[str, int], n_mels: int = 80) -> dict[str, object]:
    sides = {
        f"{side}_{name}": size[value]
        for side in ("encoder", "decoder")
        for name, value in (("layers", "layers"), ("attention_heads", "heads"), ("ffn_dim",) * 2)
    }
    return {
        "architectures": ["WhisperForConditionalGeneration"],
        "model_type": "whisper",
        "activation_function": "gelu",
        "d_model": size["d_model"],
        **sides,
        "num_hidden_layers": size["layers"],
        "num_mel_bins": n_mels,
        "max_source_positions": POSITIONS,
        "max_target_positions": TEXT_POSITIONS,
        "max_length": 448,
        "vocab_size": VOCABULARY,
        "bos_token_id": 50257,
        "eos_token_id": 50257,
        "pad_token_id": 50257,
        "decoder_start_token_id": 50258,
        "begin_suppress_tokens": [220, 50257],
        "forced_decoder_ids": [[1, 50259], [2, 50359], [3, 50363]],
        "is_encoder_decoder": True,
        "scale_embedding": False,
        "init_std": 0.02,
        "torch_dtype": "float32",
        "transformers_version": "4.27.0.dev0",
        "use_cache": True,
    }


def extractor(n_mels: int) -> dict[str, object]:
    return {
        "feature_extractor_type": "WhisperFeatureExtractor",
        "processor_class": "WhisperProcessor",
        "chunk_length": 30,
        "feature_size": n_mels,
        "hop_length": 160,
        "n_fft": 400,
        "n_samples": 480000,
        "nb_max_frames": 3000,
        "padding_side": "right",
        "padding_value": 0.0,
        "return_attention_mask": False,
        "sampling_rate": 16000,
    }


def shapes(size: dict[str, int], n_mels: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Names and shapes of the published file."""
    D = size["d_model"]
    yield "model.encoder.conv1.weight", (D, n_mels, 3)
    yield "model.encoder.conv1.bias", (D,)
    yield "model.encoder.conv2.weight", (D, D, 3)
    yield "model.encoder.conv2.bias", (D,)
    yield "model.encoder.embed_positions.weight", (POSITIONS, D)
    yield "model.decoder.embed_positions.weight", (TEXT_POSITIONS, D)
    yield "model.decoder.embed_tokens.weight", (VOCABULARY, D)
    for side, attentions in (("encoder", ["self"]), ("decoder", ["self", "encoder"])):
        for layer in range(size["layers"]):
            block = f"model.{side}.layers.{layer}"
            for attention in attentions:
                for part in ("q_proj", "k_proj", "v_proj", "out_proj"):
                    yield f"{block}.{attention}_attn.{part}.weight", (D, D)
                    if part != "k_proj":
                        yield f"{block}.{attention}_attn.{part}.bias", (D,)
                yield from _norm(f"{block}.{attention}_attn_layer_norm", D)
            yield f"{block}.fc1.weight", (size["ffn_dim"], D)
            yield f"{block}.fc1.bias", (size["ffn_dim"],)
            yield f"{block}.fc2.weight", (D, size["ffn_dim"])
            yield f"{block}.fc2.bias", (D,)
            yield from _norm(f"{block}.final_layer_norm", D)
        yield from _norm(f"model.{side}.layer_norm", D)


def _norm(name: str, D: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield f"{name}.weight", (D,)
    yield f"{name}.bias", (D,)


def draw(name: str, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Matrices keep the scale of what they are given; norms and biases are near 1 and 0."""
    numbers = torch.randn(shape, generator=generator)
    if "embed" in name:
        return 0.3 * numbers
    if len(shape) > 1:
        return numbers / torch.tensor(shape[1:]).prod().sqrt()
    return 0.1 * numbers + float(name.endswith("norm.weight"))
