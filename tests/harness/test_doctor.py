"""The doctor tells what is there and what is missing."""

from pathlib import Path

import tasks
from harness.doctor import examine


def test_it_tells_data_that_are_there_from_an_empty_folder(demo_data: Path, tmp_path: Path) -> None:
    findings = dict(examine(demo_data, tmp_path / "cache"))
    assert findings["  demo"] == "there"
    assert findings["  esc50"].startswith("missing")
    (tmp_path / "esc50").mkdir()
    elsewhere = dict(examine(tmp_path, tmp_path))
    assert elsewhere["  esc50"].startswith("missing")
    assert elsewhere["  esc10"].endswith(str(tmp_path / "esc50"))
    assert elsewhere["  demo"] == "made when first used"
    assert {f"  {name}" for name in tasks.names()} <= set(findings)


def test_versions_devices_and_folders(tmp_path: Path) -> None:
    findings = dict(examine(tmp_path / "none", tmp_path))
    assert findings["torch"].startswith("2.11")
    assert "cores" in findings["cpu"]
    assert findings["extra [train]"] == "there"
    assert "does not exist yet" in findings["data"]
    assert findings["  embeddings"] == "0 entries, 0.0 MB"
