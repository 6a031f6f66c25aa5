"""One file out of an archive: whole or not at all, whoever else wants it."""

import io
import re
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from harness.encoders.parts.unpack import unpack
from tasks.errors import UserError
from tasks.growing import growing

NOISE = np.random.default_rng(0).bytes(20_000)


def archived(files: dict[str, bytes]) -> bytes:
    """A zip as releases have it: one folder, and what macOS leaves beside it."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("__MACOSX/._x", b"")
        for name, data in files.items():
            archive.writestr(name, data)
    return content.getvalue()


def written(folder: Path, content: bytes) -> Path:
    archive = folder / "a.zip"
    archive.write_bytes(content)
    return archive


def test_the_one_file_is_written(tmp_path: Path) -> None:
    archive = written(tmp_path, archived({"some/weights.pth": NOISE, "some/LICENSE": b""}))
    file = tmp_path / "new" / "weights.pth"
    unpack(archive, file, len(NOISE))
    assert file.read_bytes() == NOISE
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"a/other.pth": b"x"}, "found 0 of 0 bytes"),
        ({"a/weights.pth": b"x", "b/weights.pth": b"xy"}, "found 2 of 3 bytes"),
        ({"../../weights.pth": b"x" * 99}, "found 1 of 99 bytes"),
    ],
)
def test_another_archive_is_refused(files: dict[str, bytes], said: str, tmp_path: Path) -> None:
    archive = written(tmp_path, archived(files))
    with pytest.raises(ValueError, match=rf"^{re.escape(str(archive))}: expected one .*{said}"):
        unpack(archive, tmp_path / "weights.pth", 50)
    assert list(tmp_path.iterdir()) == [archive]


@pytest.mark.parametrize(
    "damaged",
    [
        lambda data: data[:10_000],  # a download that broke off
        lambda data: data[:10_000] + bytes(1000) + data[11_000:],
        lambda data: bytes(3000) + data[3000:],
        lambda data: data[: (at := data.rindex(b"PK\1\2") + 8)] + b"\1" + data[at + 1 :],  # secret
        lambda data: data[: (at := data.rindex(b"PK\1\2") + 10)] + b"c" + data[at + 1 :],  # how
    ],
)
def test_a_damaged_archive_leaves_nothing_behind(damaged, tmp_path: Path) -> None:
    archive = written(tmp_path, damaged(archived({"a/weights.pth": NOISE})))
    with pytest.raises(ValueError, match=rf"^{re.escape(str(archive))}: damaged"):
        unpack(archive, tmp_path / "weights.pth", len(NOISE))
    assert list(tmp_path.iterdir()) == [archive]


def test_a_file_is_whole_when_it_gets_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = written(tmp_path, archived({"a/weights.pth": b"x" * 100}))
    replace, sizes = Path.replace, []

    def seen(part: Path, file: Path) -> Path:
        sizes.append(part.stat().st_size)
        return replace(part, file)

    monkeypatch.setattr(Path, "replace", seen)
    unpack(archive, tmp_path / "weights.pth", 100)
    assert sizes == [100]


def test_what_another_process_has_unpacked_meanwhile_is_kept(tmp_path: Path) -> None:
    archive, file = written(tmp_path, archived({"a/x": b"ours"})), tmp_path / "x"
    with ThreadPoolExecutor(1) as pool:
        with growing(tmp_path / "x.part", keep=False) as theirs:
            waiting = pool.submit(unpack, archive, file, 100)
            theirs.write(b"theirs")
            theirs.flush()
            Path(theirs.name).replace(file)
        waiting.result()
    assert file.read_bytes() == b"theirs"
    assert sorted(tmp_path.iterdir()) == [archive, file]


def test_what_cannot_be_written_is_named(tmp_path: Path) -> None:
    archive = written(tmp_path, archived({"a/x": b"x"}))
    (tmp_path / "folder").write_text("none")
    with pytest.raises(UserError, match=r"cannot unpack .*a\.zip to .*folder/x"):
        unpack(archive, tmp_path / "folder" / "x", 100)
