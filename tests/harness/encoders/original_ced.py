"""Runs the original code of CED in its own environment: the oracle of the parity tests.

    python original_ced.py CHECKOUT CHECKPOINT.pt CLIPS.npz OUT.npz

CHECKOUT is a working copy of https://github.com/RicherMans/CED; the environment has torch,
torchaudio, einops and loguru. Imports nothing of this project. For each clip, alone, on the CPU:

    NAME/mel       (64, frames) what the front end gives
    NAME/tokens    (T, D) the mean over the frequency bands after the last norm, by chunks of whole
                   patches, each of which goes through the original's `forward_features`
    NAME/pooled    (D,) what the original itself gives its classifier, where one chunk is enough
"""

import sys

import numpy as np
import torch


def load(checkout: str, checkpoint: str) -> torch.nn.Module:
    sys.path.insert(0, checkout)
    from models.audiotransformer import AudioTransformer  # noqa: PLC0415

    state = torch.load(checkpoint)
    _, width, _, steps = state["time_pos_embed"].shape
    model = AudioTransformer(
        embed_dim=width,
        depth=sum(name.endswith(".norm1.weight") for name in state),
        num_heads=width // 64,
        target_length=16 * steps + 4,  # 1012 for the published 63
    )
    model.load_state_dict(state)
    return model.eval()


def embed(model: torch.nn.Module, clip: torch.Tensor) -> dict[str, np.ndarray]:
    mel = model.front_end(clip[None])
    normalised = model.init_bn(mel[:, None])
    chunk = model.time_pos_embed.shape[-1] * 16
    tokens = []
    for part in normalised.split(chunk, dim=-1):
        if part.shape[-1] >= 16:
            tokens.append(model.forward_features(part)[0].unflatten(0, (4, -1)).mean(dim=0))
    found = {"mel": mel[0], "tokens": torch.cat(tokens)}
    if mel.shape[-1] <= model.target_length:
        pooled: list[torch.Tensor] = []
        hook = model.outputlayer.register_forward_pre_hook(lambda _, x: pooled.append(x[0][0]))
        model(clip[None])
        hook.remove()
        found["pooled"] = pooled[0]
    return {name: tensor.numpy() for name, tensor in found.items()}


def main(checkout: str, checkpoint: str, clips_file: str, out: str) -> None:
    model = load(checkout, checkpoint)
    clips = np.load(clips_file)
    found = {}
    with torch.inference_mode():
        for name in clips.files:
            for what, numbers in embed(model, torch.from_numpy(clips[name])).items():
                found[f"{name}/{what}"] = numbers
    np.savez(out, **found)


if __name__ == "__main__":
    main(*sys.argv[1:])
