"""Checkpoints in every form load to the same encoder; the rest is refused in one line."""

import http.server
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

import dasheng
from dasheng import checkpoint
from dasheng.encoder import Dasheng
from tasks.errors import UserError
from tests.dasheng.miniature import CONFIG, miniature, write_published

MODEL = miniature()
AUDIO = torch.randn(1, 16000)


def same(model: Dasheng) -> bool:
    with torch.inference_mode():
        return torch.equal(model.eval()(AUDIO), MODEL(AUDIO))


def write_hub(folder: Path) -> Path:
    """The Hugging Face repositories' form: other key names, no front end, a classifier."""
    folder.mkdir()
    state = {
        f"encoder.{name}": value
        for name, value in MODEL.state_dict().items()
        if not name.startswith("front_end.")
    }
    save_file(state | {"outputlayer.1.weight": torch.zeros(5, 32)}, folder / "model.safetensors")
    settings = {"embed_dim": 32, "depth": 2, "num_heads": 4, "target_length": 200}
    config = {"name": "dasheng-base", "model_type": "dasheng", "encoder_kwargs": settings}
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def test_published_form(tmp_path: Path) -> None:
    file = write_published(MODEL, tmp_path / "model.pt")
    assert same(checkpoint.load(file))
    assert same(dasheng.dasheng_base(path=file))  # the file's own sizes win over base's


def test_hub_form_as_a_folder_and_as_a_file(tmp_path: Path) -> None:
    folder = write_hub(tmp_path / "hub")
    assert same(checkpoint.load(folder))
    assert same(checkpoint.load(folder / "model.safetensors"))


def test_damaged_configuration_beside_the_weights_is_named(tmp_path: Path) -> None:
    folder = write_hub(tmp_path / "hub")
    for text in ("{cut", "[]"):
        (folder / "config.json").write_text(text)
        with pytest.raises(ValueError, match=r"config\.json: expected"):
            checkpoint.load(folder)


def test_half_precision_file_becomes_float32_and_can_be_trained(tmp_path: Path) -> None:
    file = write_published(MODEL, tmp_path / "model.pt")
    dump = torch.load(file)
    dump["model"] = {k: v.half() if v.is_floating_point() else v for k, v in dump["model"].items()}
    torch.save(dump, file)
    model = checkpoint.load(file)
    assert model.training
    assert all(p.requires_grad and p.dtype == torch.float32 for p in model.parameters())
    assert {tensor.device.type for tensor in model.state_dict().values()} == {"cpu"}


def test_our_own_form_with_and_without_the_json(tmp_path: Path) -> None:
    file = tmp_path / "model.safetensors"
    checkpoint.save(MODEL, file)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.json", "model.safetensors"]
    assert json.loads((tmp_path / "model.json").read_text())["embed_dim"] == 32
    (tmp_path / "model.json").unlink()
    assert same(checkpoint.load(file))


def test_saved_in_half_precision_only_matrices_are_rounded(tmp_path: Path) -> None:
    file = tmp_path / "model.safetensors"
    checkpoint.save(MODEL, file, dtype=torch.float16)
    assert file.stat().st_size < 0.75 * 4 * sum(x.numel() for x in MODEL.state_dict().values())
    loaded = checkpoint.load(file).state_dict()
    for name, x in MODEL.state_dict().items():
        matrix = x.ndim > 1 and not name.startswith("front_end.")
        assert loaded[name].dtype == x.dtype
        assert torch.equal(loaded[name], x.half().float() if matrix else x)


def test_a_published_size_needs_no_configuration() -> None:
    with torch.device("meta"):
        state = Dasheng(replace(CONFIG, embed_dim=1280, depth=32, num_heads=16)).state_dict()
    assert checkpoint._inferred(state) == {
        **{"embed_dim": 1280, "depth": 32, "num_heads": 16},
        **{"patch_size": (64, 4), "n_mels": 64, "target_length": 200},
    }


def test_a_trainers_checkpoint_may_lack_the_front_end(tmp_path: Path) -> None:
    file = write_published(MODEL, tmp_path / "model.pt")
    dump = torch.load(file)
    dump["model"] = {k: v for k, v in dump["model"].items() if not k.startswith("front_end.")}
    torch.save(dump, file)
    assert same(checkpoint.load(file))


@pytest.mark.parametrize("frames", [100, 400])
def test_time_positions_are_cut_or_stretched(tmp_path: Path, frames: int) -> None:
    file = write_published(MODEL, tmp_path / "model.pt")
    model = checkpoint.load(file, target_length=frames)
    assert model.time_pos_embed.shape == (1, 32, 1, frames // 4)
    if frames == 100:
        assert torch.equal(model.time_pos_embed, MODEL.time_pos_embed[..., :25])


class Payload:
    def __reduce__(self) -> Any:
        return (Path.touch, (Path("executed"),))


def write_bad(kind: str, file: Path) -> None:
    dump = {"model": MODEL.state_dict(), "config": {"embed_dim": 32, "depth": 2, "num_heads": 4}}
    match kind:
        case "code":
            torch.save({**dump, "extra": Payload()}, file)
        case "rubbish":
            file.write_bytes(b"<html>not found</html>")
        case "cut":
            torch.save(dump, file)
            file.write_bytes(file.read_bytes()[:5000])
        case "list":
            torch.save([1, 2], file)
        case "other sizes":
            torch.save({**dump, "config": {"embed_dim": 64, "depth": 2, "num_heads": 4}}, file)
        case "other model":
            torch.save({"model": {"conv.weight": torch.zeros(3)}, "config": {}}, file)
        case "token pooling":
            torch.save({**dump, "config": {"pooling": "token"}}, file)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("code", "execute code"),
        ("rubbish", "could not read it|execute code"),
        ("cut", "could not read it"),
        ("list", "expected a dict with `model` and `config`"),
        ("other sizes", "found another architecture: .* other shape"),
        ("other model", "missing .*unexpected"),
        ("token pooling", "pooling='token' is not supported"),
    ],
)
def test_files_that_are_no_checkpoint_are_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "weights.pt"
    write_bad(kind, file)
    with pytest.raises(ValueError, match=message) as caught:
        checkpoint.load(file)
    assert "weights.pt" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "executed").exists()


def test_damaged_safetensors_and_missing_file(tmp_path: Path) -> None:
    (tmp_path / "x.safetensors").write_bytes(b"nonsense")
    with pytest.raises(ValueError, match="expected safetensors"):
        checkpoint.load(tmp_path / "x.safetensors")
    with pytest.raises(FileNotFoundError, match=r"no\.pt"):
        checkpoint.load(tmp_path / "no.pt")


class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """A server on loopback with the published file of a small encoder."""
    (tmp_path / "served").mkdir()
    write_published(MODEL, tmp_path / "served" / "dasheng_base.pt")
    served = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), lambda *a: Handler(*a, directory=str(tmp_path / "served"))
    )
    thread = threading.Thread(target=served.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{served.server_address[1]}"
    served.shutdown()
    served.server_close()
    thread.join()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DASHENG_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_weights_are_downloaded_once(
    server: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = replace(checkpoint.WEIGHTS["base"][0], urls=(f"{server}/dasheng_base.pt",))
    monkeypatch.setattr(checkpoint, "WEIGHTS", {"base": (source,)})
    assert same(dasheng.dasheng_base())
    assert (home / "dasheng_base.pt").is_file()
    gone = replace(source, urls=("http://127.0.0.1:9/none",))
    monkeypatch.setattr(checkpoint, "WEIGHTS", {"base": (gone,)})
    assert same(dasheng.dasheng_base())


def test_second_source_serves_where_the_first_is_gone(
    server: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = checkpoint.WEIGHTS["base"]
    first = replace(first, urls=(f"{server}/absent.pt",))
    second = replace(second, filename="other.pt", urls=(f"{server}/dasheng_base.pt",))
    monkeypatch.setattr(checkpoint, "WEIGHTS", {"base": (first, second)})
    assert same(dasheng.dasheng_base())
    assert [path.name for path in home.glob("*.pt")] == ["other.pt"]


def test_nothing_reachable_says_what_was_tried_and_what_to_do(
    server: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = checkpoint.WEIGHTS["base"]
    sources = (
        replace(first, urls=(f"{server}/a.pt",)),
        replace(second, urls=(f"{server}/b.safetensors",)),
    )
    monkeypatch.setattr(checkpoint, "WEIGHTS", {"base": sources})
    with pytest.raises(UserError, match="give a local file") as caught:
        dasheng.dasheng_base()
    for part in (f"{server}/a.pt", f"{server}/b.safetensors"):
        assert part in str(caught.value)
    assert "\n" not in str(caught.value)


def test_every_size_has_two_sources_with_licence_and_page() -> None:
    assert list(checkpoint.WEIGHTS) == ["base", "0.6B", "1.2B"]
    for zenodo, hub in checkpoint.WEIGHTS.values():
        assert zenodo.urls[0].startswith("https://zenodo.org/records/11511780/files/dasheng_")
        assert hub.urls[0].startswith("https://huggingface.co/mispeech/dasheng-")
        assert zenodo.licence == hub.licence == "Apache-2.0"


@pytest.mark.parametrize("notes", ["{", "[1]"])
def test_a_configuration_within_that_is_damaged_names_the_file(tmp_path: Path, notes: str) -> None:
    file = tmp_path / "odd.safetensors"
    save_file({"x": torch.zeros(1)}, file, metadata={"config": notes})
    with pytest.raises(ValueError, match=rf"{file}: expected (JSON|a dict)"):
        checkpoint.load(file)
