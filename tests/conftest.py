"""What tests of every package need."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real audio beside the checkout."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        reason = f"no real audio in {folder}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return folder
