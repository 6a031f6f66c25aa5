"""wav2vec 2.0's checkpoint in its published form; tokens: see test_speech."""

from pathlib import Path

import pytest
import torch
from transformers import Wav2Vec2ForPreTraining, Wav2Vec2Model

from harness.encoders import wav2vec2
from tests.harness.encoders import wav2vec2_checkpoint, wavlm_checkpoint


def test_the_published_configuration_has_as_many_parameters() -> None:
    with torch.device("meta"):
        whole = Wav2Vec2ForPreTraining(
            Wav2Vec2Model.config_class(**wav2vec2_checkpoint.CONFIG),
        )
    assert sum(x.numel() for x in whole.parameters()) == 317_390_592
    encoder = sum(x.numel() for x in whole.wav2vec2.parameters())
    assert encoder == wav2vec2_checkpoint.PARAMETERS


def test_a_published_folder_is_read_without_the_heads_of_the_training(tmp_path: Path) -> None:
    model = wav2vec2.load_model(str(wav2vec2_checkpoint.write(tmp_path, tiny=True)))
    assert isinstance(model.model, Wav2Vec2Model)
    assert (model.normalise, model.masked, model.training) == (True, True, False)
    state = torch.load(tmp_path / "pytorch_model.bin")
    heads = {name.split(".")[0] for name in state} - {"wav2vec2"}
    assert heads == {"quantizer", "project_q", "project_hid"}
    name = "feature_projection.projection.weight"
    assert torch.equal(model.model.state_dict()[name], state[f"wav2vec2.{name}"])


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("wav2vec2.gain", r"1 unexpected \(wav2vec2\.gain\)"),
        ("quantizers.gain", r"1 unexpected \(quantizers\.gain\)"),
    ],
)
def test_what_is_no_head_is_refused_by_name(tmp_path: Path, name: str, said: str) -> None:
    state = torch.load(wav2vec2_checkpoint.write(tmp_path, tiny=True) / "pytorch_model.bin")
    torch.save({**state, name: torch.ones(1)}, tmp_path / "pytorch_model.bin")
    with pytest.raises(ValueError, match=said):
        wav2vec2.load_model(str(tmp_path))


def test_another_model_is_refused(tmp_path: Path) -> None:
    folder = wavlm_checkpoint.write(tmp_path, tiny=True)
    with pytest.raises(ValueError, match=r"expected the weights of a Wav2Vec2Model"):
        wav2vec2.load_model(str(folder))
