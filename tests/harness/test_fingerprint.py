"""Other code and another configuration are told apart; where they lie is no matter."""

import importlib
import shutil
import sys
from pathlib import Path

import pytest
from torch import nn

from dasheng import hear
from harness.fingerprint import joined, of_code


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in ("lone_hear", "kit", "kit.hear"):
        sys.modules.pop(name, None)


def test_our_own_code_is_told_by_the_canary() -> None:
    assert of_code(hear, nn.Identity()) == ""
    assert joined("ab", "") == "ab"


def test_a_lone_module_is_its_file(place: Path) -> None:
    file = place / "lone_hear.py"
    file.write_text("A = 1\n")
    (place / "neighbour.py").write_text("B = 1\n")
    module = importlib.import_module("lone_hear")
    first = of_code(module, None)
    (place / "neighbour.py").write_text("B = 2\n")
    assert of_code(module, None) == first != ""
    file.write_text("A = 2\n")
    assert of_code(module, None) != first


def test_a_package_is_all_of_its_files(place: Path, tmp_path: Path) -> None:
    (place / "kit" / "parts").mkdir(parents=True)
    for name in ("__init__.py", "hear.py", "parts/model.py"):
        (place / "kit" / name).write_text(f"# {name}\n")
    module = importlib.import_module("kit.hear")
    first = of_code(module, None)
    (place / "kit" / "parts" / "model.py").write_text("# another\n")
    assert of_code(module, None) != first


def test_what_a_model_names_counts_wherever_it_lies(tmp_path: Path) -> None:
    model = nn.Identity()
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "elsewhere").mkdir()
    shutil.copy(tmp_path / "config.json", tmp_path / "elsewhere")
    model.sources = [tmp_path / "config.json"]
    first = of_code(hear, model)
    model.sources = [tmp_path / "elsewhere" / "config.json"]
    assert of_code(hear, model) == first
    (tmp_path / "elsewhere" / "config.json").write_text('{"a": 1}')
    assert of_code(hear, model) != first
    assert joined("ab", first) != joined("ab", of_code(hear, model)) != "ab"
