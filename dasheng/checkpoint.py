"""Where weights come from, and what their files look like. Upstream names are mapped here only.

Three forms are read: the published `.pt` (a dict with `model` and `config`), the Hugging Face
repositories' safetensors (keys under `encoder.`, configuration in `config.json`), and our own
safetensors, whose metadata hold the configuration. Nothing in a file is ever executed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save as to_safetensors
from torch import Tensor

from dasheng.blocks import EncoderConfig
from dasheng.configuration import SIZES, parse
from dasheng.encoder import Dasheng
from dasheng.files import write_whole
from dasheng.weights import fill, obtain, read_pickle, read_safetensors
from tasks.errors import UserError
from tasks.spec import Archive

_ZENODO = "https://zenodo.org/records/11511780"
_LICENCE = "Apache-2.0"


def _sources(zenodo: str, hub: str) -> tuple[Archive, ...]:
    page = f"https://huggingface.co/mispeech/{hub}"
    return (
        Archive(
            filename=f"{zenodo}.pt",
            urls=(f"{_ZENODO}/files/{zenodo}.pt?download=1",),
            size=None,
            checksum=None,
            licence=_LICENCE,
            page=_ZENODO,
        ),
        Archive(
            filename=f"{hub}.safetensors",
            urls=(f"{page}/resolve/main/model.safetensors",),
            size=None,
            checksum=None,
            licence=_LICENCE,
            page=page,
        ),
    )


# name → files that hold its weights, tried in order. No checksum is published for any of them;
# the one seen is recorded beside the file.
WEIGHTS: Mapping[str, tuple[Archive, ...]] = {
    "base": _sources("dasheng_base", "dasheng-base"),
    "0.6B": _sources("dasheng_06b", "dasheng-0.6B"),
    "1.2B": _sources("dasheng_12b", "dasheng-1.2B"),
}

# name → the file of this package that holds its weights; dasheng/pretrained/README.md is its card.
SHIPPED: Mapping[str, Path] = {"tiny": Path(__file__).with_name("pretrained") / "tiny.safetensors"}

NAMES = (*SHIPPED, *WEIGHTS)


def resolve(name: str) -> Path:
    """The file with the weights called `name`; those that are not shipped are downloaded once.

    Raises:
        UserError: unknown name; or no source can be reached: says what was tried.
    """
    if name in SHIPPED:
        return SHIPPED[name]
    if name not in WEIGHTS:
        raise UserError(f"expected weights of {', '.join(NAMES)}, found {name!r}")
    instead = "or give a local file: dasheng_base(path=FILE), --model FILE"
    return obtain(name, WEIGHTS[name], instead)


def load(path: str | Path, **overrides: Any) -> Dasheng:
    """Build the encoder that a checkpoint holds; `overrides` win over its configuration.

    Args:
        path: a `.pt` in the published form, a `.safetensors`, or a folder with
            `model.safetensors`.
        **overrides: fields of `EncoderConfig`.

    Returns:
        The encoder on the CPU, float32, in training mode as PyTorch makes it.

    Raises:
        FileNotFoundError: no such file.
        ValueError: the file is damaged, needs code to be executed, or holds another architecture.
    """
    file = Path(path)
    if file.is_dir():
        file /= "model.safetensors"
    if not file.is_file():
        raise FileNotFoundError(f"expected a checkpoint at {file}, found no file")
    read = _read_safetensors if file.suffix == ".safetensors" else _read_pickle
    state, config = read(file)
    try:
        with torch.device("meta"):  # every value comes from the file: none is drawn, none copied
            model = Dasheng(parse(config, overrides))
    except (ValueError, TypeError) as error:
        raise ValueError(f"{file}: {error}") from None
    _load_state(model, state, file)
    return model


def save(model: Dasheng, path: str | Path, *, dtype: torch.dtype = torch.float32) -> None:
    """Write an encoder in our own form: see `save_state`."""
    save_state(model.state_dict(), model.config, path, dtype=dtype)


def save_state(
    state: Mapping[str, Tensor],
    config: EncoderConfig,
    path: str | Path,
    *,
    dtype: torch.dtype = torch.float32,
) -> None:
    """Write our own form: safetensors, with the configuration in the metadata and in `<stem>.json`.

    Matrices are stored as `dtype`; loading gives float32 whatever it was. Vectors, among them the
    batch norm's statistics, are small and stay exact, as do the front end's tables, which are no
    weights. Each file appears whole or not at all.

    Raises:
        OSError: the folder cannot be written, or the disk is full.
    """
    file = Path(path)
    notes = json.dumps(asdict(config), sort_keys=True)
    stored = {
        name: x.to(dtype if x.ndim > 1 and not name.startswith("front_end.") else x.dtype)
        for name, x in state.items()
    }
    tensors = {name: x.contiguous() for name, x in stored.items()}
    write_whole(file.with_suffix(".json"), (notes + "\n").encode())
    write_whole(file, to_safetensors(tensors, {"config": notes}))


def _read_pickle(file: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    dump = read_pickle(file)
    if not isinstance(dump, dict) or not isinstance(dump.get("model"), dict):
        raise ValueError(f"{file}: expected a dict with `model` and `config`, found another form")
    state = {name: value for name, value in dump["model"].items() if isinstance(value, Tensor)}
    config = dump.get("config") or {}
    if not isinstance(config, Mapping):
        raise ValueError(f"{file}: expected `config` to be a dict, found {type(config).__name__}")
    return state, {**_inferred(state), **config}


def _read_safetensors(file: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    state, notes = read_safetensors(file)
    # The hub's model keeps the encoder under `encoder.`, beside a classifier that is not ours.
    if any(name.startswith("encoder.") for name in state):
        state = {
            name.removeprefix("encoder."): value
            for name, value in state.items()
            if name.startswith("encoder.")
        }
    config = {}
    if "config" in notes:
        config = _read_json(notes["config"], file)
    else:
        for beside in (file.with_suffix(".json"), file.with_name("config.json")):
            if beside.is_file():
                config = _read_json(beside.read_bytes(), beside)
                break
    return state, {**_inferred(state), **config, **config.get("encoder_kwargs", {})}


def _read_json(text: str | bytes, file: Path) -> dict[str, Any]:
    """A configuration; `file` is where it stands, for the message."""
    try:
        config = json.loads(text)
    except ValueError as error:
        raise ValueError(f"{file}: expected JSON, could not read it ({error})") from None
    if not isinstance(config, dict):
        raise ValueError(f"{file}: expected a dict, found {type(config).__name__}")
    return config


def _inferred(state: Mapping[str, Tensor]) -> dict[str, Any]:
    """Configuration that the tensors' shapes show; heads leave no trace, so sizes are matched."""
    if "patch_embed.proj.weight" not in state or "time_pos_embed" not in state:
        return {}
    width, _, mels, frames = state["patch_embed.proj.weight"].shape
    depth = 1 + max(int(name.split(".")[1]) for name in state if name.startswith("blocks."))
    heads = {(s["embed_dim"], s["depth"]): s["num_heads"] for s in SIZES.values()}
    if (width, depth) not in heads:
        return {}
    return {
        "embed_dim": width,
        "depth": depth,
        "num_heads": heads[width, depth],
        "patch_size": (mels, frames),
        "n_mels": mels,
        "target_length": state["time_pos_embed"].shape[-1] * frames,
    }


def _load_state(model: Dasheng, state: dict[str, Tensor], file: Path) -> None:
    expected = model.state_dict()
    # The front end is fixed by the configuration; some files leave its tables out.
    state = {name: expected[name] for name in expected if name.startswith("front_end.")} | state
    if "time_pos_embed" in state:
        state["time_pos_embed"] = _resized(
            state["time_pos_embed"], expected["time_pos_embed"].shape[-1]
        )
    config = model.config
    sizes = f"embed_dim {config.embed_dim}, depth {config.depth}, num_heads {config.num_heads}"
    fill(model, state, file, f"an encoder with {sizes}")


def _resized(positions: Tensor, size: int) -> Tensor:
    """Time positions (1, D, 1, T) cut to `size`, or stretched to it as the published code does."""
    if positions.ndim != 4 or size <= positions.shape[-1]:
        return positions[..., :size]
    return torch.nn.functional.interpolate(
        positions, size=(1, size), align_corners=False, mode="bilinear"
    )
