from pathlib import Path

import pytest
import torch

from dasheng import checkpoint, dasheng_base
from dasheng.configuration import SIZES
from dasheng.train.config import TrainConfig
from dasheng.train.model import MODELS, build
from tasks.errors import UserError
from tests.dasheng.miniature import CONFIG, miniature, write_published

TINY = {"embed_dim": 32, "depth": 2, "num_heads": 4, "target_length": 200}
DECODER = {"embed_dim": 24, "depth": 1, "num_heads": 3}


def configured(**changes) -> TrainConfig:
    settings = {
        "train_data": ("a.tar",),
        "model": "dasheng_tiny",
        "model_args": {**TINY, "decoder": DECODER},
        "chunk_length": 1.0,
    }
    return TrainConfig(**{**settings, **changes})


@pytest.mark.parametrize(
    ("name", "size", "decoder"),
    [
        ("dasheng_base", "base", (512, 8, 16)),
        ("dasheng_06B", "0.6B", (512, 8, 16)),
        ("dasheng_12B", "1.2B", (768, 8, 24)),
    ],
)
def test_a_published_name_is_the_published_checkpoints_size(name, size, decoder) -> None:
    config = configured(model=name, model_args={"group_masking": True}, chunk_length=10.0)
    with torch.device("meta"):
        model = build(config)
    found = model.encoder.config
    assert (found.embed_dim, found.depth, found.num_heads) == tuple(SIZES[size].values())
    width, depth, heads = decoder
    assert model.decoder.input_proj.out_features == width
    assert len(model.decoder.blocks) == depth
    assert model.decoder.blocks[0].attn.num_heads == heads
    assert model.group == 2
    assert model.recompute == (size != "base")


def test_model_args_size_tiny() -> None:
    config = configured(
        model_args={**TINY, "patch_stride": [64, 4], "decoder": DECODER},
        mask_ratio=0.6,
        activation_checkpointing=True,
    )
    model = build(config)
    assert model.encoder.config == CONFIG
    assert model.decoder.pos_embed.shape == (1, 51, 24)
    assert (model.mask_ratio, model.group) == (0.6, 1)
    assert model.target == "patch"
    assert model.recompute


@pytest.mark.parametrize("target", ["patch", "batch", "input"])
def test_target_norm(target) -> None:
    config = configured(model_args={**TINY, "target_norm": target, "decoder": DECODER})
    assert build(config).target == target


@pytest.mark.parametrize(("asked", "first"), [({}, False), ({"sinusoids": True}, True)])
def test_positions_start_from_sinusoids_where_asked(asked, first) -> None:
    model = build(configured(model_args={**TINY, **asked, "decoder": DECODER}))
    # Position 0: sin 0 and cos 0.
    for row in (model.encoder.time_pos_embed[0, :, 0, 0], model.decoder.pos_embed[0, 0]):
        half = len(row) // 2
        assert torch.equal(row, torch.tensor([0.0, 1.0]).repeat_interleave(half)) == first


def test_sinusoids_are_not_for_a_start_whose_positions_are_learned(tmp_path: Path) -> None:
    file = write_published(miniature(), tmp_path / "start.pt")
    asked = {"sinusoids": True, "decoder": DECODER}
    with pytest.raises(UserError, match=r"start.pt has sinusoids False, the configuration True"):
        build(configured(start_from=str(file), model_args=asked))
    build(configured(start_from=str(file), model_args={**asked, "sinusoids": False}))


@pytest.mark.parametrize(("setting", "tokens"), [(False, 1), (True, 2), (1, 1), (3, 3)])
def test_group_masking(setting, tokens) -> None:
    config = configured(model_args={**TINY, "group_masking": setting, "decoder": DECODER})
    assert build(config).group == tokens


@pytest.mark.parametrize(
    ("model_args", "told"),
    [
        ({**TINY, "embed_dimm": 3}, "model_args.embed_dimm: did you mean model_args.embed_dim"),
        ({**TINY, "depth": "deep"}, "model_args.depth to be a whole number, found 'deep'"),
        ({**TINY, "depth": 0}, "model_args.depth to be 1 or more, found 0"),
        ({**TINY, "num_heads": 5}, "num_heads=5 does not divide embed_dim=32"),
        ({**TINY, "patch_stride": [64, 2]}, "patch_stride=.* is not supported"),
        ({**TINY, "patch_size": [64, 0]}, "patch_size=.* 1 frame or more"),
        ({**TINY, "mlp_ratio": -1}, "mlp_ratio=-1.0 leaves no hidden unit"),
        ({**TINY, "drop_rate": -0.1}, "drop_rate=-0.1 does not lie between 0 and 1"),
        ({**TINY, "attn_drop_rate": 2}, "attn_drop_rate=2.0 does not lie between 0 and 1"),
        (
            {**TINY, "target_norm": "global"},
            "target_norm to be .*, found global",
        ),
        ({**TINY, "sinusoids": 3}, "model_args.sinusoids to be true or false, found 3"),
        ({**TINY, "decoder": {"width": 3}}, "model_args.decoder.width"),
        ({**TINY, "decoder": {"num_heads": 7}}, "decoder.num_heads to divide .* 512, found 7"),
        ({**TINY, "decoder": {"depth": 0}}, "model_args.decoder.depth to be 1 or more"),
        ({"embed_dim": 32, "num_heads": 4}, "expected model_args.depth, found none"),
        ({**TINY, "target_length": 80}, "chunk_length to make 2 to 20 tokens, found 25"),
        ({**TINY, "group_masking": 25}, "chunk_length to make 26 to 50 tokens, found 25"),
    ],
)
def test_a_mistake_in_model_args_is_named(model_args, told) -> None:
    with pytest.raises(UserError, match=told) as caught:
        build(configured(model_args=model_args))
    assert "\n" not in str(caught.value)


def test_an_unknown_model_is_named() -> None:
    with pytest.raises(UserError, match=r"expected model to be .*dasheng_tiny, found dasheng_huge"):
        build(configured(model="dasheng_huge"))
    assert set(MODELS) == {"dasheng_base", "dasheng_06B", "dasheng_12B", "dasheng_tiny"}


@pytest.mark.parametrize("form", ["published", "ours"])
def test_a_run_starts_from_a_checkpoint(form, tmp_path: Path) -> None:
    start = miniature()
    if form == "published":
        file = write_published(start, tmp_path / "start.pt")
    else:
        file = tmp_path / "start.safetensors"
        checkpoint.save(start, file)
    # A longer block is allowed: positions are stretched as the published code does.
    model = build(
        configured(start_from=str(file), model_args={"target_length": 240, "decoder": DECODER})
    )
    found = model.encoder.state_dict()
    for name, expected in start.state_dict().items():
        if name != "time_pos_embed":
            torch.testing.assert_close(found[name], expected, rtol=0, atol=0)
    assert found["time_pos_embed"].shape[-1] == 60
    assert model.encoder.training


def test_what_contradicts_the_checkpoint_is_named(tmp_path: Path) -> None:
    file = write_published(miniature(), tmp_path / "start.pt")
    with pytest.raises(UserError, match=r"start.pt has depth 2, the configuration 3"):
        build(configured(start_from=str(file), model_args={**TINY, "depth": 3}))
    with pytest.raises(UserError, match=r"start.pt has embed_dim 32, the configuration 768"):
        build(configured(start_from=str(file), model="dasheng_base", model_args={}))
    with pytest.raises(UserError, match=r"start.pt has hop_size 160, the configuration 80"):
        build(configured(start_from=str(file), model_args={"hop_size": 80}))


def test_a_start_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "bad.pt").write_bytes(b"nothing")
    for file in (tmp_path / "none.pt", tmp_path / "bad.pt"):
        with pytest.raises(UserError, match="start_from: ") as caught:
            build(configured(start_from=str(file)))
        assert "\n" not in str(caught.value)


def test_a_trained_encoder_opens_as_a_checkpoint(tmp_path: Path) -> None:
    """A step with the trainer's model, saved in our form: the same numbers come out of the file."""
    torch.manual_seed(0)
    model = build(configured()).train()
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.randn(2, 16000)).backward()
    optimizer.step()
    encoder = model.encoder.eval()
    checkpoint.save(encoder, tmp_path / "last.safetensors")
    opened = dasheng_base(path=tmp_path / "last.safetensors").eval()
    audio = torch.randn(1, 20000)
    with torch.inference_mode():
        torch.testing.assert_close(opened(audio), encoder(audio), rtol=0, atol=0)
