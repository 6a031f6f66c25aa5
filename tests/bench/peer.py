"""Runs in the peers' own environment (dasheng 0.0.9, xares 0.1.3): imports nothing of ours.

python peer.py forward CHECKPOINT float32|bf16    one line on stdin → one timed forward
python peer.py train SOURCE MODEL float32|bf16 CLIPS STEPS    one line on stdin → as many steps
python peer.py xares RECORDINGS FOLDER CHECKPOINT|melspec    a whole X-ARES task, timed
"""

import json
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import soundfile
import torch
import torchaudio


def load_audio(file: str) -> tuple[torch.Tensor, int]:
    """In torchaudio's place, which since 2.9 decodes with torchcodec and wants FFmpeg for it."""
    samples, rate = soundfile.read(file, dtype="float32", always_2d=True)
    return torch.from_numpy(samples.T), rate


def forward(checkpoint: str, precision: str) -> None:
    """8 clips of 10 s through the published encoder, as often as somebody asks; seconds out."""
    from dasheng.pretrained.pretrained import Dasheng

    model = Dasheng.from_pretrained(checkpoint).eval()
    audio = torch.randn(8, 160_000, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
        model(audio)
        print("ready", flush=True)
        for _ in sys.stdin:
            start = time.perf_counter()
            model(audio)
            print(time.perf_counter() - start, flush=True)


def train(source: str, name: str, precision: str, clips: str, steps: str) -> None:
    """Steps of the published trainer, whose folder is `source`, as often as somebody asks.

    The body of its loop, with PyTorch's AdamW for that of bitsandbytes.
    """
    sys.path.insert(0, source)
    torch.Callable = Callable  # its source takes this name from torch, which no longer has it
    warnings.simplefilter("ignore")
    import models

    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = getattr(models, name)(target_length=1008, group_masking=True).to(device).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-4, weight_decay=0.01)
    audio = 0.1 * torch.randn(int(clips), 160_000, device=device)

    def step() -> float:
        optimizer.zero_grad()
        with torch.autocast(device, torch.bfloat16, enabled=precision == "bf16"):
            loss = model(audio, mask_ratio=0.75, return_loss=True)
            loss.backward()
            optimizer.step()
            return loss.item()

    for _ in range(int(steps)):
        step()
    print("ready", flush=True)
    for _ in sys.stdin:
        for _ in range(int(steps)):
            loss = step()
        print(loss, flush=True)


class PublishedEncoder(torch.nn.Module):
    sampling_rate, output_dim, hop_size_in_ms = 16000, 768, 40

    def __init__(self, checkpoint: str) -> None:
        super().__init__()
        from dasheng.pretrained.pretrained import Dasheng

        self.model = Dasheng.from_pretrained(checkpoint).eval()

    def forward(self, audio: torch.Tensor) -> torch.Tensor:
        return self.model(audio)


class MelSpecEncoder(torch.nn.Module):
    sampling_rate, output_dim, hop_size_in_ms = 16000, 64, 10

    def __init__(self) -> None:
        super().__init__()
        transforms = torchaudio.transforms
        self.mel = transforms.MelSpectrogram(16000, 512, 512, 160, f_max=8000.0, n_mels=64)
        self.decibel = transforms.AmplitudeToDB(top_db=120)

    def forward(self, audio: torch.Tensor) -> torch.Tensor:
        return self.decibel(self.mel(audio)).transpose(1, 2)


def xares(recordings: str, folder: str, encoder_of: str) -> None:
    """Free Spoken Digits as an X-ARES task; prints the seconds of its stages as JSON."""
    from xares.audiowebdataset import write_audio_tar
    from xares.task import TaskConfig, XaresTask

    torchaudio.load = load_audio
    root = Path(folder) / "fsdd"
    root.mkdir(parents=True)
    files = sorted(Path(recordings).iterdir())
    test = [file for file in files if int(file.stem.split("_")[2]) < 5]
    train = sorted(set(files) - set(test))
    for split, some, shards in (("train", train, 4), ("valid", test, 1), ("test", test, 1)):
        labels = [{"label": file.name[0]} for file in some]
        write_audio_tar([str(f) for f in some], labels, f"{root}/{split}-*.tar", "flac", shards)
    (root / ".audio_tar_ready").touch()
    # What is timed begins here: X-ARES wants its data packed beforehand.
    start = time.perf_counter()
    encoder = MelSpecEncoder() if encoder_of == "melspec" else PublishedEncoder(encoder_of)
    config = TaskConfig(
        name="fsdd",
        env_root=folder,
        encoder=encoder,
        output_dim=10,
        eval_weight=300,
        label_processor=lambda notes: int(notes["label"]),
    )
    task = XaresTask(config)
    task.make_encoded_tar()
    encoded = time.perf_counter()
    if encoder_of == "melspec":
        task.run_mlp()
        task.run_knn()
    stages = {"encode": encoded - start, "all": time.perf_counter() - start}
    print(json.dumps(stages), flush=True)


if __name__ == "__main__":
    {"forward": forward, "train": train, "xares": xares}[sys.argv[1]](*sys.argv[2:])
