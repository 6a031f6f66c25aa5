"""Runs the original AudioMAE in its own environment: the oracle of the parity tests.

    python original_audiomae.py CHECKOUT PRETRAINED.pth CLIPS_FOLDER OUT.npz

CHECKOUT is a clone of https://github.com/facebookresearch/AudioMAE; Python needs what it asks for:
timm 0.3.2 with the files of its timm_patch/ copied over, and a torch below 2 (1.13.1 with
torchaudio 0.13.1 and Python 3.8 does). Imports nothing of this project.

For each WAV file of 16 kHz: `NAME/fbank` (frames, 128), the real rows of the normalised image that
the original's data set gives; and `NAME/tokens` (T, 8, D), what its encoder makes of the patches
that are all real frames, at most 1024 frames at a time.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
import torchaudio

CLASSES = "index,mid,display_name\n0,/m/any,Any\n"
CONF = {
    "num_mel_bins": 128,
    "freqm": 0,
    "timem": 0,
    "mixup": 0,
    "dataset": "audioset",
    "mode": "eval",
    "mean": -4.2677393,
    "std": 4.5689974,
    "multilabel": True,
    "noise": False,
}
FRAMES, PATCH = 1024, 16


def image(clip: Path, frames: int) -> torch.Tensor:
    """(rows, 128): the image of a clip, filled up to a multiple of 1024 rows."""
    from dataset import AudiosetDataset  # noqa: PLC0415

    listing, classes = clip.with_suffix(".json"), clip.with_suffix(".csv")
    listing.write_text(json.dumps({"data": [{"wav": str(clip), "labels": "/m/any"}]}))
    classes.write_text(CLASSES)
    conf = {**CONF, "target_length": -(-frames // FRAMES) * FRAMES}
    return AudiosetDataset(str(listing), conf, label_csv=str(classes))[0][0][0]


def encode(model: torch.nn.Module, rows: torch.Tensor, steps: int) -> torch.Tensor:
    """(1024, 128) → (steps, 8, D), with the later patches masked."""
    model.random_masking = lambda x, _: (x[:, : steps * 8], None, None)
    tokens = model.forward_encoder(rows[None, None], mask_ratio=0.8)[0]
    return tokens[0, 1:].reshape(steps, 8, -1)


def load(checkpoint: str) -> torch.nn.Module:
    """The original's model, all of whose tensors the checkpoint must have, and no others."""
    from models_mae import MaskedAutoencoderViT  # noqa: PLC0415

    state = torch.load(checkpoint, map_location="cpu")["model"]
    width = state["cls_token"].shape[-1]
    model = MaskedAutoencoderViT(
        img_size=(FRAMES, 128),
        patch_size=PATCH,
        in_chans=1,
        embed_dim=width,
        depth=len({name.split(".")[1] for name in state if name.startswith("blocks.")}),
        num_heads=width // 64,
        decoder_embed_dim=state["mask_token"].shape[-1],
        norm_layer=lambda size: torch.nn.LayerNorm(size, eps=1e-6),
        norm_pix_loss=True,
        audio_exp=True,
        decoder_mode=1,
    )
    model.load_state_dict(state)
    return model.eval()


def main() -> None:
    checkout, checkpoint, folder, out = sys.argv[1:]
    sys.path.insert(0, checkout)
    model = load(checkpoint)
    found = {}
    for clip in sorted(Path(folder).glob("*.wav")):
        frames = 1 + (torchaudio.info(str(clip)).num_frames - 400) // 160
        rows = image(clip, frames)
        found[f"{clip.stem}/fbank"] = rows[:frames].numpy()
        steps, per_chunk = frames // PATCH, FRAMES // PATCH
        with torch.no_grad():
            tokens = [
                encode(model, chunk, min(per_chunk, steps - i * per_chunk))
                for i, chunk in enumerate(rows.split(FRAMES))
                if i * per_chunk < steps
            ]
        found[f"{clip.stem}/tokens"] = torch.cat(tokens).numpy()
    np.savez(out, **found)


if __name__ == "__main__":
    main()
