"""The README names what there is."""

from pathlib import Path

import tasks
from harness.cli import cli
from harness.suites import SUITES
from harness.targets import ALIASES

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def test_every_task_suite_and_command_is_named() -> None:
    assert [name for name in tasks.names() if f"`{name}`" not in README] == []
    assert [name for name in SUITES if f"--suite {name}" not in README] == []
    assert [name for name in cli.commands if f"python -m harness {name}" not in README] == []


def test_every_row_and_training_configuration_is_named() -> None:
    configurations = (ROOT / "dasheng" / "train" / "config").glob("*.yaml")
    for name in (*ALIASES, *(file.stem for file in configurations)):
        assert f"`{name}`" in README, name
