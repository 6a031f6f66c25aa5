"""data2vec's checkpoint in its published form; tokens: see test_speech."""

from pathlib import Path

import pytest
import torch
from transformers import Data2VecAudioModel

from harness.encoders import data2vec
from tests.harness.encoders import data2vec_checkpoint


def test_the_published_configuration_has_as_many_parameters() -> None:
    with torch.device("meta"):
        model = Data2VecAudioModel(
            Data2VecAudioModel.config_class(**data2vec_checkpoint.CONFIG),
        )
    assert sum(x.numel() for x in model.parameters()) == data2vec_checkpoint.PARAMETERS


@torch.no_grad()
def test_a_mask_would_not_be_exact(tmp_path: Path) -> None:
    model = data2vec.load_model(str(data2vec_checkpoint.write(tmp_path, tiny=True)))
    assert not model.masked
    audio = torch.randn(2, 8000, generator=torch.Generator().manual_seed(0))
    audio[1, 4000:] = 0
    lengths = torch.tensor([8000, 4000])
    alone, _ = model(audio[1:, :4000])
    tokens, counts = model(audio, lengths)
    torch.testing.assert_close(tokens[1, : counts[1]], alone[0], rtol=1e-5, atol=1e-5)
    model.masked = True
    masked, _ = model(audio, lengths)
    assert (masked[1, : counts[1]] - alone[0]).abs().max() > 0.01


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04", b"{}"])
def test_a_damaged_file_is_refused(tmp_path: Path, damage: bytes) -> None:
    data2vec_checkpoint.write(tmp_path, tiny=True)
    (tmp_path / "pytorch_model.bin").write_bytes(damage)
    with pytest.raises(ValueError, match="expected a model that transformers can load") as caught:
        data2vec.load_model(str(tmp_path))
    assert "\n" not in str(caught.value)
