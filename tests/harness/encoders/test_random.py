"""The random row: an encoder of the trained one's shape that learned nothing from it."""

from pathlib import Path

import pytest
import torch

from dasheng.encoder import Dasheng
from dasheng.train.config import TrainConfig
from harness.encoder import load
from harness.encoders import random
from tests.dasheng.miniature import CONFIG, miniature, write_published


@pytest.fixture
def trained(tmp_path: Path) -> str:
    return str(write_published(miniature(seed=5), tmp_path / "trained.pt"))


def test_it_is_the_initialisation_with_the_trained_ones_statistics(trained: str) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(TrainConfig(train_data=("a.tar",)).seed)
        drawn = Dasheng(CONFIG).state_dict()
    found = random.load_model(trained).state_dict()
    statistics = miniature(seed=5).init_bn.state_dict()
    for name, x in found.items():
        last = name.removeprefix("init_bn.")
        measured = last in {"1.running_mean", "1.running_var", "1.num_batches_tracked"}
        assert torch.equal(x, statistics[last] if measured else drawn[name]), name


def test_loading_it_leaves_the_random_numbers_alone(trained: str) -> None:
    before = torch.get_rng_state()
    first = random.load_model(trained).state_dict()
    assert torch.equal(torch.get_rng_state(), before)
    torch.rand(3)
    second = random.load_model(trained).state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_run_of_the_trainer_has_its_own(trained: str) -> None:
    encoder = load(f"random:{trained}", "cpu")
    assert encoder.name == f"random-trained-{encoder.weights_sha256[:8]}"
    assert encoder.code_sha256 == ""
    assert encoder.weights_sha256 != load(trained, "cpu").weights_sha256


def test_the_row_is_like_tiny() -> None:
    tiny, row = load("tiny", "cpu"), load("random", "cpu")
    assert row.name == "random"
    assert row.model.config == tiny.model.config
    assert row.parameters == tiny.parameters
    assert row.weights_sha256 != tiny.weights_sha256
