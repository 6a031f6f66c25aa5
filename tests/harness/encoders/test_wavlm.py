"""WavLM's checkpoint in its published form; tokens: see test_speech."""

from pathlib import Path

import pytest
import torch
from transformers import WavLMModel

from harness.encoders import wavlm
from tests.harness.encoders import wavlm_checkpoint


def test_the_published_configuration_has_as_many_parameters() -> None:
    with torch.device("meta"):
        model = WavLMModel(WavLMModel.config_class(**wavlm_checkpoint.CONFIG))
    assert sum(x.numel() for x in model.parameters()) == wavlm_checkpoint.PARAMETERS


def test_a_published_folder_is_read(tmp_path: Path) -> None:
    model = wavlm.load_model(str(wavlm_checkpoint.write(tmp_path, tiny=True)))
    assert isinstance(model.model, WavLMModel)
    assert (model.normalise, model.masked, model.training) == (True, True, False)
    state = torch.load(tmp_path / "pytorch_model.bin")
    weight = state["encoder.pos_conv_embed.conv.weight_g"]
    conv = model.model.encoder.pos_conv_embed.conv
    assert torch.equal(conv.parametrizations.weight.original0, weight)
    # The embedding of masked frames is not needed, and need not be there.
    del state["masked_spec_embed"]
    torch.save(state, tmp_path / "pytorch_model.bin")
    assert wavlm.load_model(str(tmp_path)).state_dict().keys() == model.state_dict().keys()


@pytest.mark.parametrize(
    ("tensor", "said"),
    [
        (None, r"1 missing \(encoder\.layers\.1\.attention\.gru_rel_pos_const\)"),
        (torch.ones(3), r"1 other shape \(encoder\.layers\.1\.attention\.gru_rel_pos_const \(3,\)"),
    ],
)
def test_a_checkpoint_that_is_not_whole_is_refused_by_name(
    tmp_path: Path, tensor: torch.Tensor | None, said: str
) -> None:
    state = torch.load(wavlm_checkpoint.write(tmp_path, tiny=True) / "pytorch_model.bin")
    name = "encoder.layers.1.attention.gru_rel_pos_const"
    state = {**state, name: tensor}
    state = {name: tensor for name, tensor in state.items() if tensor is not None}
    torch.save(state, tmp_path / "pytorch_model.bin")
    with pytest.raises(ValueError, match=said):
        wavlm.load_model(str(tmp_path))


def test_another_model_is_refused(tmp_path: Path) -> None:
    wavlm_checkpoint.write(tmp_path, tiny=True)
    (tmp_path / "preprocessor_config.json").unlink()
    with pytest.raises(ValueError, match=r"found no preprocessor_config\.json"):
        wavlm.load_model(str(tmp_path))
