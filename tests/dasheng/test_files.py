"""What is there after writing, and after writing that failed."""

import errno
from pathlib import Path

import pytest

from dasheng.files import write_whole


def test_a_file_is_replaced(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    for data in (b"before", b"now"):
        write_whole(file, data)
        assert file.read_bytes() == data
    assert list(tmp_path.iterdir()) == [file]


def test_a_disk_that_is_full_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "x.yaml"
    file.write_bytes(b"before")

    def full(path: Path, data: bytes) -> int:
        path.touch()
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(file, b"now")
    assert file.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [file]
