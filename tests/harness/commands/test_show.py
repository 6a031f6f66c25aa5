"""`validate` of a model whose code comes with its weights."""

from pathlib import Path

import pytest

from tests.harness.command_line import inside, one_line
from tests.harness.encoders import hf_models


@pytest.mark.usefixtures("modules")
def test_validate_executes_remote_code_where_it_is_trusted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = hf_models.save_own_code(tmp_path / "own")
    assert inside("validate", f"hf:{folder}", "--device", "cpu") == 1
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("FAIL"))
    assert "load-model-runs" in line
    assert "--trust-remote-code" in line
    assert inside("validate", f"hf:{folder}", "--device", "cpu", "--trust-remote-code") == 0
    assert "Looks good!" in capsys.readouterr().out


def test_validate_of_a_module_that_executes_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert inside("validate", "melspec", "--device", "cpu", "--trust-remote-code") == 2
    assert "leave the option out" in one_line(capsys)
