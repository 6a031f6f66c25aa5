"""HEAR modules with one fault each, made from a sound one, and the check that must name it.

`PLANTED` are those of the validator's bar: hear-validator accepts the first 18.
`FURTHER` are more that ruin scores just as quietly. `NOTED` are no faults, and worth a note.
"""

import random
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from tests.harness.sound_hear import (
    RATE,
    SIZE,
    Plant,
    before,
    crash,
    cut,
    frames,
    model_with,
    remove,
    replace,
    scene,
    scenes,
    sound,
    times,
)


def random_output(audio: Tensor, model: nn.Module) -> Tensor:
    return torch.randn(len(audio), SIZE)


def random_by_row(audio: Tensor, model: nn.Module) -> Tensor:
    return torch.rand(len(audio), SIZE, generator=torch.Generator().manual_seed(0))


def hop_of_100_ms(audio: Tensor, model: nn.Module) -> tuple[Tensor, Tensor]:
    embeddings = model(audio).detach()[:, : audio.shape[1] // 1600]
    return embeddings, (100.0 * torch.arange(embeddings.shape[1])).expand(len(audio), -1)


def requires_grad(audio: Tensor, model: nn.Module) -> Tensor:
    return model(audio).mean(dim=1)


def level_of_batch(audio: Tensor, model: nn.Module) -> Tensor:
    return scene(audio / audio.abs().max().clamp(min=1e-9), model)


def fail(*arguments: Any) -> Any:
    raise RuntimeError("no weights here")


def irregular(times: Tensor) -> Tensor:
    return torch.cat([times[:, :3], times[:, 3:] + 5], dim=1)


def loses_a_dimension(embeddings: Tensor, audio: Tensor, model: nn.Module) -> Tensor:
    return embeddings[:, 1:]


PLANTED: dict[str, tuple[Plant, str]] = {
    # hear-validator accepts these
    "nan": (scenes(lambda e, a, m: e * np.nan), "scene-finite"),
    "nan-frames": (frames(lambda e, a, m: e * np.nan), "timestamp-finite"),
    "constant": (scenes(lambda e, a, m: torch.ones_like(e)), "scene-varies"),
    "random": (replace("get_scene_embeddings", random_output), "scene-deterministic"),
    "rows-permuted": (scenes(lambda e, a, m: e.roll(1, dims=0)), "scene-row-order"),
    "batch-dependent": (scenes(lambda e, a, m: e - e.mean(dim=0)), "scene-batch-independent"),
    "input-changed": (before("get_scene_embeddings", lambda a, m: a.mul_(0.5)), "scene-input-kept"),
    "dropout-on": (model_with(lambda m: m.dropout.train()), "evaluation-mode"),
    "seed-reset": (
        before("get_scene_embeddings", lambda a, m: torch.manual_seed(0)),
        "random-state-kept",
    ),
    "crash-on-silence": (crash(lambda a: not a.any()), "scene-silence"),
    "crash-on-1s": (crash(lambda a: a.shape[1] == RATE), "scene-1s"),
    "crash-on-10s": (crash(lambda a: a.shape[1] == 10 * RATE), "scene-10s"),
    "crash-on-batch-of-one": (crash(lambda a: len(a) == 1), "scene-batch-of-one"),
    "requires-grad": (replace("get_scene_embeddings", requires_grad), "scene-detached"),
    "int64-timestamps": (times(Tensor.long), "times-dtype"),
    "seconds": (times(lambda t: t / 1000), "times-in-milliseconds"),
    "decreasing": (times(lambda t: t.flip(1)), "times-increasing"),
    "half-missing": (cut(0.5), "times-cover-clip"),
    # and rejects these
    "no-load-model": (remove("load_model"), "load-model-exists"),
    "load-model-raises": (replace("load_model", fail), "load-model-runs"),
    "not-a-module": (
        replace("load_model", lambda model_file_path="": "model"),
        "model-is-nn-module",
    ),
    "no-sample-rate": (model_with(lambda m: delattr(m, "sample_rate")), "sample-rate"),
    "bad-sample-rate": (model_with(lambda m: setattr(m, "sample_rate", 12345)), "sample-rate"),
    "no-embedding-size": (
        model_with(lambda m: delattr(m, "scene_embedding_size")),
        "scene-embedding-size",
    ),
    "float-embedding-size": (
        model_with(lambda m: setattr(m, "timestamp_embedding_size", 8.0)),
        "timestamp-embedding-size",
    ),
    "no-scene-function": (remove("get_scene_embeddings"), "scene-function-exists"),
    "no-timestamp-function": (remove("get_timestamp_embeddings"), "timestamp-function-exists"),
    "float64": (scenes(lambda e, a, m: e.double()), "scene-dtype"),
    "row-lost": (scenes(lambda e, a, m: e[1:]), "scene-shape"),
    "wrong-size": (scenes(loses_a_dimension), "scene-shape"),
    "time-lost": (times(lambda t: t[:, 1:]), "times-shape"),
    "irregular": (times(irregular), "times-regular"),
}


def one_buffer() -> Plant:
    """Every call writes its embeddings to the same memory and returns it."""
    buffer = torch.zeros(64, SIZE)

    def change(embeddings: Tensor, audio: Tensor, model: nn.Module) -> Tensor:
        buffer[: len(embeddings)] = embeddings
        return buffer[: len(embeddings)]

    return scenes(change)


def counts_calls(audio: Tensor, model: nn.Module) -> None:
    with torch.no_grad():
        model.mix.bias.add_(1e-7)


def with_lengths(audio: Tensor, model: nn.Module, lengths: Tensor | None = None) -> Tensor:
    """Takes lengths and forgets them."""
    return scene(audio, model)


def functional_dropout(embeddings: Tensor, audio: Tensor, model: nn.Module) -> Tensor:
    return torch.nn.functional.dropout(embeddings, 0.3)


def infinite_on_10s(embeddings: Tensor, audio: Tensor, model: nn.Module) -> Tensor:
    return embeddings / 0 if audio.shape[1] == 10 * RATE else embeddings


def same_in_pairs(embeddings: Tensor, audio: Tensor, model: nn.Module) -> Tensor:
    return embeddings[torch.arange(len(embeddings)) // 2 * 2]


def seed_in_load_model(model: nn.Module) -> None:
    np.random.seed(0)


def rows_apart(times: Tensor) -> Tensor:
    return times + torch.arange(len(times))[:, None]


FURTHER: dict[str, tuple[Plant, str]] = {
    "list": (scenes(lambda e, a, m: e.tolist()), "scene-tensor"),
    "array": (scenes(lambda e, a, m: e.numpy()), "scene-tensor"),
    "tuple": (scenes(lambda e, a, m: (e, e)), "scene-tensor"),
    "no-times": (
        replace("get_timestamp_embeddings", lambda audio, model: model(audio)),
        "timestamp-tensor",
    ),
    "other-device": (scenes(lambda e, a, m: e.to("meta")), "scene-tensor"),
    "half-precision": (frames(lambda e, a, m: e.half()), "timestamp-dtype"),
    "squeezed": (scenes(lambda e, a, m: e.squeeze()), "scene-batch-of-one"),
    "frames-of-scene": (frames(lambda e, a, m: e.mean(dim=1)), "timestamp-shape"),
    "infinite-on-10s": (scenes(infinite_on_10s), "scene-10s"),
    "crash-on-odd-length": (crash(lambda a: a.shape[1] % 1600 != 0), "scene-other-lengths"),
    "view-of-input": (scenes(lambda e, a, m: a[:, :SIZE]), "scene-output-kept"),
    "one-buffer": (one_buffer(), "scene-output-kept"),
    "same-in-pairs": (scenes(same_in_pairs), "scene-batch-independent"),
    "random-by-row": (replace("get_scene_embeddings", random_by_row), "scene-row-order"),
    "functional-dropout": (scenes(functional_dropout), "scene-deterministic"),
    "level-of-batch": (replace("get_scene_embeddings", level_of_batch), "scene-batch-independent"),
    "slight-leak": (scenes(lambda e, a, m: e + 1e-3 * e.mean(dim=0)), "scene-batch-independent"),
    "size-of-batch": (scenes(lambda e, a, m: e * len(e)), "scene-batch-independent"),
    "frames-permuted": (frames(lambda e, a, m: e.flip(0)), "timestamp-row-order"),
    "frames-of-batch": (frames(lambda e, a, m: e - e.mean(dim=0)), "timestamp-batch-independent"),
    "frames-constant": (frames(lambda e, a, m: torch.zeros_like(e)), "timestamp-varies"),
    "padding-counts": (replace("get_scene_embeddings", with_lengths), "scene-padding-exact"),
    "batch-norm-on": (model_with(lambda m: m.norm.train()), "evaluation-mode"),
    "running-statistics": (model_with(lambda m: m.norm.train()), "weights-kept"),
    "weights-written": (before("get_scene_embeddings", counts_calls), "weights-kept"),
    "seed-reset-on-load": (model_with(seed_in_load_model), "random-state-kept"),
    "seed-reset-by-python": (
        before("get_timestamp_embeddings", lambda a, m: random.seed(0)),
        "random-state-kept",
    ),
    "gradients-off": (model_with(lambda m: torch.set_grad_enabled(False)), "torch-settings-kept"),
    "default-dtype": (
        before("get_scene_embeddings", lambda a, m: torch.set_default_dtype(torch.float64)),
        "torch-settings-kept",
    ),
    "exits": (before("get_scene_embeddings", lambda a, m: exit(1)), "scene-runs"),
    "true-embedding-size": (
        model_with(lambda m: setattr(m, "scene_embedding_size", True)),
        "scene-embedding-size",
    ),
    "samples": (times(lambda t: t * 16), "times-within-clip"),
    "negative": (times(lambda t: t - 100), "times-within-clip"),
    "late": (times(lambda t: t + 400), "times-within-clip"),
    "rows-apart": (times(rows_apart), "times-same-in-every-row"),
    "nan-times": (times(lambda t: t * np.nan), "times-finite"),
    "zero-times": (times(torch.zeros_like), "times-increasing"),
    "one-time-only": (cut(0), "times-cover-clip"),
}

NOTED: dict[str, tuple[Plant, str]] = {
    "100-ms-apart": (
        replace("get_timestamp_embeddings", hop_of_100_ms),
        "times-at-most-50-ms-apart",
    ),
    "every-second": (cut(1, every=2), "times-at-most-50-ms-apart"),
}


def planted(name: str) -> ModuleType:
    """The sound module with that fault, or with what deserves that note."""
    module = sound()
    (PLANTED | FURTHER | NOTED)[name][0](module)
    return module
