"""Where a run writes."""

from pathlib import Path

import pytest

from dasheng.train import run_folder
from dasheng.train.config import TrainConfig, read
from tasks.errors import UserError


def test_each_run_has_one_with_its_configuration(tmp_path: Path) -> None:
    config = TrainConfig(train_data=("a.tar",), config_file="my/own.yaml", outputpath=str(tmp_path))
    first, second = run_folder.new(config), run_folder.new(config)
    assert first != second
    assert first.parent == second.parent == tmp_path / "own" / "dasheng_base"
    run_folder.make(first, config)
    run_folder.make(first, config)  # a run goes on
    assert read(first / "config.yaml").train_data == ("a.tar",)


def test_a_file_in_the_way_is_told(tmp_path: Path) -> None:
    (tmp_path / "runs").touch()
    config = TrainConfig(train_data=("a.tar",), outputpath=str(tmp_path / "runs"))
    with pytest.raises(UserError, match=r"expected to write to outputpath .*runs, cannot make"):
        run_folder.make(run_folder.new(config), config)
