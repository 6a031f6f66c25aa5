"""Every planted fault is rejected by the name of its check; sound modules pass them all."""

import importlib
import json
import random
import re
import sys
import warnings
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from torch import nn

from harness import contract
from harness.encoders import melspec
from harness.errors import UserError
from tests.dasheng.miniature import miniature, write_published
from tests.harness import faults, sound_hear


def failed(report: contract.Report) -> set[str]:
    return {finding.name for finding in report.failures}


def test_there_are_32_planted_faults() -> None:
    assert len(faults.PLANTED) == 32
    assert not faults.PLANTED.keys() & faults.FURTHER.keys()


@pytest.mark.parametrize("name", [*faults.PLANTED, *faults.FURTHER])
def test_a_fault_is_rejected_by_name(name: str) -> None:
    report = contract.check(faults.planted(name), device="cpu")
    _, expected = (faults.PLANTED | faults.FURTHER)[name]
    assert not report.ok
    assert expected in failed(report), "\n".join(report.lines())
    assert all(finding.detail and finding.advice for finding in report.failures)


@pytest.mark.parametrize(
    "name", [name for name in faults.PLANTED if name not in ("random", "dropout-on")]
)
def test_a_planted_fault_is_named_by_one_check_only(name: str) -> None:
    # Random output shows in several ways, and so does dropout.
    assert len(failed(contract.check(faults.planted(name), device="cpu"))) == 1


@pytest.mark.parametrize(("name", "hop"), [("100-ms-apart", 100.0), ("every-second", 80.0)])
def test_what_costs_little_is_noted_and_no_failure(name: str, hop: float) -> None:
    report = contract.check(faults.planted(name), device="cpu")
    assert report.ok and not report.failures
    [note] = report.notes
    assert note.name == faults.NOTED[name][1]
    assert note.detail == f"timestamps are {hop:g} ms apart"
    [line] = [line for line in report.lines() if line.startswith("note")]
    assert note.detail in line and note.advice in line
    assert "Looks good!" in report.lines()[-1] and note.name in report.lines()[-1]
    assert report.facts["hop_ms"] == hop
    document = report.to_json()
    assert document["ok"] and not document["failed"] and document["noted"] == [note.name]


def test_sound_modules_pass() -> None:
    for module in (sound_hear.sound(), melspec):
        report = contract.check(module, device="cpu")
        assert report.ok, "\n".join(report.lines())
        assert "Looks good!" in report.lines()[-1]
    assert report.facts["hop_ms"] == 10.0
    assert report.facts["takes_lengths"]


def test_dasheng_passes(tmp_path: Path) -> None:
    file = write_published(miniature(), tmp_path / "small.pt")
    for spec in (f"dasheng.hear:{file}", str(file)):
        report = contract.validate(spec, "cpu")
        assert report.ok, "\n".join(report.lines())
    assert report.facts["hop_ms"] == 40.0


def drawing_module() -> ModuleType:
    """Initialises itself with numbers drawn from all three global generators; no seeding."""
    module = sound_hear.sound()

    def load_model(model_file_path: str = "") -> nn.Module:
        model = sound_hear.Sound().eval()
        nn.init.normal_(model.mix.weight)
        np.random.rand(5000)
        [random.random() for _ in range(5000)]
        return model

    module.load_model = load_model
    return module


def test_drawing_random_numbers_is_not_resetting_them() -> None:
    report = contract.check(drawing_module(), device="cpu")
    assert report.ok, "\n".join(report.lines())


def test_evaluation_mode_set_within_the_functions_will_do() -> None:
    module = sound_hear.sound()
    module.load_model = lambda model_file_path="": sound_hear.Sound()
    for name in ("get_scene_embeddings", "get_timestamp_embeddings"):
        sound_hear.before(name, lambda audio, model: model.eval())(module)
    report = contract.check(module, device="cpu")
    assert report.ok, "\n".join(report.lines())


@pytest.mark.parametrize("name", ["seed-reset", "gradients-off", "default-dtype", "exits"])
def test_the_caller_finds_the_process_as_it_was(name: str) -> None:
    random.seed(3), np.random.seed(3), torch.manual_seed(3)
    expected = random.random(), np.random.rand(), torch.rand(1)
    random.seed(3), np.random.seed(3), torch.manual_seed(3)
    contract.check(faults.planted(name), device="cpu")
    assert (random.random(), np.random.rand(), torch.rand(1)) == expected
    assert torch.is_grad_enabled()
    assert torch.get_default_dtype() == torch.float32


def test_checks_that_depend_on_a_failed_one_are_not_run() -> None:
    report = contract.check(faults.planted("no-scene-function"), device="cpu")
    status = {finding.name: finding.status for finding in report.findings}
    assert status["scene-runs"] == "not run"
    assert status["times-cover-clip"] == "pass"


def test_names_are_unique_and_needs_come_first() -> None:
    seen: set[str] = set()
    for check in contract.CHECKS:
        assert check.name not in seen
        assert seen.issuperset(check.needs), check.name
        seen.add(check.name)


def test_validate_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "fine_hear.py").write_text("from harness.encoders.melspec import *\n")
    (tmp_path / "broken_hear.py").write_text("1 / 0\n")
    assert contract.validate("fine_hear", "cpu").ok
    assert failed(contract.validate("broken_hear", "cpu")) == {"import"}
    assert failed(contract.validate("fine_hear:weights.pt", "cpu")) == {"load-model-runs"}
    with pytest.raises(UserError, match="did you mean 'melspec'"):
        contract.validate("melspecs", "cpu")


def test_report_is_plain_json() -> None:
    document = json.loads(json.dumps(contract.check(melspec, device="cpu").to_json()))
    assert document["ok"]
    assert document["failed"] == []
    assert document["facts"]["sample_rate"] == 16000
    broken = contract.check(faults.planted("nan"), device="cpu").to_json()
    assert broken["failed"] == ["scene-finite"]
    assert {"name", "status", "detail", "advice"} == set(broken["findings"][0])


def test_the_examples_of_the_guide_are_sound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    guide = Path(__file__).parents[2] / "docs" / "ADDING_AN_ENCODER.md"
    of_xares, of_hear = re.findall(r"```python\n(.*?)```", guide.read_text(), flags=re.DOTALL)
    (tmp_path / "my_bands.py").write_text(of_xares)
    (tmp_path / "my_encoder.py").write_text(of_hear)
    monkeypatch.syspath_prepend(tmp_path)
    for spec in (f"xares:{tmp_path / 'my_bands.py'}", "my_encoder"):
        report = contract.validate(spec, "cpu")
        assert report.ok, "\n".join(report.lines())


@pytest.mark.validator
def test_hear_validator_accepts_what_we_accept_and_18_of_the_32() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TensorFlow's
        validate = importlib.import_module("hearvalidator.validate")

    def accepts(module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> bool:
        monkeypatch.setitem(sys.modules, "judged_hear", module)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # what we note, it warns of
                validate.ValidateModel("judged_hear", "", device="cpu")()
        except BaseException:  # its ModelError is no Exception
            return False
        return True

    with pytest.MonkeyPatch.context() as monkeypatch:
        assert accepts(sound_hear.sound(), monkeypatch)
        assert accepts(melspec, monkeypatch)
        assert all(accepts(faults.planted(name), monkeypatch) for name in faults.NOTED)
        verdicts = [accepts(faults.planted(name), monkeypatch) for name in faults.PLANTED]
    assert verdicts == [True] * 18 + [False] * 14
