"""Redoes the comparison with the published trainer's model on one step, by hand:

    python -m tests.dasheng.parity_mae PYTHON_WITH_PUBLISHED_DASHENG CLONE_OF_ITS_REPOSITORY

Same weights, same clips, same mask (both draw it from the same seed), training mode, float32, CPU.
Tiny and base; tokens masked one by one (an odd number of them in tiny) and in pairs (an even one:
the published grouped masking knows no odd one); both its normalisations of the targets. Prints the
two losses and the largest difference of a gradient relative to the largest of its tensor. Exits 1
above 1e-4 for a loss or 1e-3 for a gradient.

The clips are of one loudness: the published front end takes `top_db` over the whole batch.

Seen with PyTorch 2.11: losses within 7e-7; gradients within 6e-5 (tiny) and 2e-5 (base).
"""

import json
import math
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from tabulate import tabulate

from dasheng.blocks import EncoderConfig
from dasheng.configuration import SIZES
from dasheng.encoder import Dasheng
from dasheng.mae import DecoderConfig, MaskedAutoencoder, Target

PUBLISHED = Path(__file__).with_name("published_mae.py")


@dataclass(frozen=True, kw_only=True)
class Case:
    """One step: a model, its clips and its mask."""

    encoder: EncoderConfig
    decoder: DecoderConfig
    samples: int
    group: int
    target: Target
    clips: int = 3
    mask_ratio: float = 0.75
    seed: int = 7

    @property
    def name(self) -> str:
        masked = "one by one" if self.group == 1 else f"in groups of {self.group}"
        return f"{self.encoder.embed_dim} wide, {masked}, {self.target}"


@dataclass
class Step:
    """What a step gives."""

    loss: float
    removed: np.ndarray
    gradients: dict[str, np.ndarray]
    statistics: dict[str, np.ndarray]


# 25 and 24 tokens, 248 and 250.
TINY = EncoderConfig(
    embed_dim=12, depth=2, num_heads=3, n_mels=16, patch_size=(16, 4), target_length=100
)
MODELS = (
    (TINY, DecoderConfig(embed_dim=8, depth=2, num_heads=2), (16_000, 15_500)),
    (EncoderConfig(**SIZES["base"]), DecoderConfig(), (159_000, 160_000)),
)
TINY_CASES, BASE_CASES = (
    [
        Case(encoder=encoder, decoder=decoder, samples=some, group=group, target=target)
        for group, some in zip((1, 2), samples, strict=True)
        for target in ("patch", "batch")
    ]
    for encoder, decoder, samples in MODELS
)


def audio(case: Case) -> np.ndarray:
    """Noise under a tone that rises differently in each clip; the same wherever it is made."""
    random = np.random.default_rng(case.seed)
    time = np.arange(case.samples) / 16000
    rise = 200 * np.arange(1, case.clips + 1)[:, None]
    noise = 0.1 * random.normal(size=(case.clips, case.samples))
    return (noise + 0.3 * np.sin(2 * np.pi * (150 + rise * time) * time)).astype(np.float32)


def autoencoder(case: Case) -> MaskedAutoencoder:
    """Ours, every parameter random and none at its start value; the same wherever it is made."""
    model = MaskedAutoencoder(
        Dasheng(case.encoder),
        case.decoder,
        mask_ratio=case.mask_ratio,
        group=case.group,
        target=case.target,
    )
    random = np.random.default_rng(case.seed)
    with torch.no_grad():
        for name, parameter in sorted(model.named_parameters()):
            gain = parameter.ndim == 1 and name.endswith("weight")
            spread = 0.1 if parameter.ndim == 1 else 1 / math.sqrt(parameter[0].numel())
            values = gain + spread * random.normal(size=parameter.shape)
            parameter.copy_(torch.from_numpy(values))
    return model.train()


def ours(case: Case) -> Step:
    model = autoencoder(case)
    clips = torch.from_numpy(audio(case))
    masks = []
    draw = model.draw_mask
    model.draw_mask = lambda patches: masks.append(draw(patches)) or masks[0]  # type: ignore
    torch.manual_seed(case.seed)
    loss = model(clips)
    loss.backward()
    return Step(
        loss=loss.item(),
        removed=masks[0].removed.numpy(),
        gradients={name: p.grad.numpy() for name, p in model.named_parameters()},
        statistics={name: b.numpy() for name, b in model.named_buffers() if "running" in name},
    )


def published(case: Case, python: str, source: Path, folder: Path) -> Step:
    """The same step in the published environment."""
    (folder / "case.json").write_text(json.dumps(asdict(case)))
    state = autoencoder(case).state_dict()
    np.savez(folder / "weights.npz", **{name: value.numpy() for name, value in state.items()})
    np.savez(folder / "clips.npz", audio=audio(case))
    files = [folder / name for name in ("case.json", "weights.npz", "clips.npz", "out.npz")]
    command = [python, PUBLISHED, source, *files]
    subprocess.run([str(word) for word in command], check=True, cwd=folder)
    return read(folder / "out.npz")


def read(file: Path, prefix: str = "") -> Step:
    """What `published_mae.py` wrote; with a prefix, one of several steps in a file."""
    found = np.load(file)
    names = [name.removeprefix(prefix) for name in found.files if name.startswith(prefix)]
    return Step(
        loss=float(found[f"{prefix}loss"]),
        removed=found[f"{prefix}removed"],
        gradients={
            name.removeprefix("grad "): found[prefix + name]
            for name in names
            if name.startswith("grad ")
        },
        statistics={name: found[prefix + name] for name in names if "running" in name},
    )


def largest(found: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> tuple[float, str]:
    """The largest difference relative to the largest value of its tensor, and whose it is."""
    assert found.keys() == expected.keys()
    return max(
        (float(np.abs(found[name] - expected[name]).max() / np.abs(expected[name]).max()), name)
        for name in expected
    )


def extract(clone: Path, folder: Path) -> Path:
    """The published trainer's model source, from a clone of its repository."""
    command = ["git", "-C", str(clone), "show", "HEAD:dasheng/train/models.py"]
    done = subprocess.run(command, check=True, capture_output=True)
    (folder / "models.py").write_bytes(done.stdout)
    return folder


def main() -> None:
    python, clone = sys.argv[1:]
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = extract(Path(clone), folder)
        for case in (*TINY_CASES, *BASE_CASES):
            here, there = ours(case), published(case, python, source, folder)
            assert np.array_equal(here.removed, there.removed), "the masks are not the same"
            gradient, where = largest(here.gradients, there.gradients)
            statistic, _ = largest(here.statistics, there.statistics)
            tokens = here.removed.shape[1]
            rows.append([case.name, tokens, here.loss, there.loss, gradient, where, statistic])
    heads = ["case", "tokens", "loss", "published", "gradient", "largest in", "batch norm"]
    print(tabulate(rows, heads, floatfmt=("", "", ".7f", ".7f", ".1e", "", ".1e")))
    sys.exit(any(abs(row[2] - row[3]) > 1e-4 or row[4] > 1e-3 for row in rows))


if __name__ == "__main__":
    main()
