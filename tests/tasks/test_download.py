"""Downloads from a server that misbehaves, over real sockets."""

import email.utils
import hashlib
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tasks.download import fetch
from tasks.errors import UserError
from tasks.spec import Archive
from tasks.transfer import Patience

ROOT = Path(__file__).parents[2]
BODY = bytes(range(256)) * 400
QUICK = Patience(fruitless=3, first_wait=0.001, longest_wait=2, timeout=1)
SCRIPT = """
import sys
from pathlib import Path
from tasks.download import fetch
from tasks.spec import Archive

url, checksum, folder = sys.argv[1:]
archive = Archive(
    filename="a.zip", urls=(url,), size=None, checksum=checksum, licence="", page="P"
)
print(fetch(archive, Path(folder)).read_bytes() == bytes(range(256)) * 400)
"""


def cut(length: int):
    def answer(handler, body):
        handler.wfile.write(handler.head(body)[:length])

    return answer


def status(code: int, body: bytes = b"", **headers: str):
    return lambda handler, _: handler.answer(code, body, **headers)


@pytest.fixture
def archive(server) -> Archive:
    server.files["a.zip"] = BODY
    return Archive(
        filename="a.zip",
        urls=(server.url("a.zip"),),
        size=len(BODY),
        checksum="md5:" + hashlib.md5(BODY).hexdigest(),
        licence="none",
        page="https://example.org/a",
    )


def test_downloads_verifies_and_records(archive, server, tmp_path):
    seen = []
    path = fetch(archive, tmp_path / "new", progress=lambda *call: seen.append(call))
    assert path.read_bytes() == BODY
    assert seen[-1] == ("a.zip", len(BODY), len(BODY))
    note = f"{hashlib.sha256(BODY).hexdigest()}  a.zip\n"
    assert {file.name: file.read_bytes() for file in path.parent.iterdir()} == {
        "a.zip": BODY,
        "a.zip.sha256": note.encode(),
    }
    assert fetch(archive, tmp_path / "new") == path
    assert len(server.requests) == 1


@pytest.mark.parametrize("checksum", [True, False])
def test_goes_on_after_many_cuts(archive, server, tmp_path, checksum):
    if not checksum:  # then the server's ETag proves that it still is the same file
        archive = replace(archive, checksum=None)
    server.faults = [cut(1 + 37 * number % 5000) for number in range(20)]
    assert fetch(archive, tmp_path, patience=QUICK).read_bytes() == BODY
    assert len(server.requests) == 21
    assert server.requests[-1][1] is not None


def test_starts_over_when_the_file_changes_between_two_parts(archive, server, tmp_path):
    def changed(handler, body):
        server.files["a.zip"], server.etag = body[::-1], '"2"'
        handler.wfile.write(handler.head(server.files["a.zip"]))

    archive = replace(archive, checksum=None)
    server.faults = [cut(1000), changed]
    assert fetch(archive, tmp_path, patience=QUICK).read_bytes() == BODY[::-1]


def test_starts_over_where_the_server_knows_no_ranges(archive, server, tmp_path):
    server.ranges = False
    server.faults = [cut(1000), cut(2000)]
    assert fetch(archive, tmp_path, patience=QUICK).read_bytes() == BODY


@pytest.mark.parametrize("stale", [BODY[:777], BODY, BODY + b"more", b"other" * 99])
def test_an_old_part_never_spoils_the_file(archive, server, tmp_path, stale):
    for size in (archive.size, None):
        folder = tmp_path / str(size)
        folder.mkdir()
        (folder / "a.zip.part").write_bytes(stale)
        known = replace(archive, size=size)
        assert fetch(known, folder, patience=QUICK).read_bytes() == BODY
        assert not (folder / "a.zip.part").exists()


def test_an_old_part_without_checksum_is_not_trusted(archive, server, tmp_path):
    (tmp_path / "a.zip.part").write_bytes(b"other" * 99)
    archive = replace(archive, checksum=None, size=None)
    assert fetch(archive, tmp_path, patience=QUICK).read_bytes() == BODY


def test_another_part_than_asked_for_is_not_spliced(archive, server, tmp_path):
    wrong = status(206, BODY[5000:], Content_Range=f"bytes 5000-{len(BODY) - 1}/{len(BODY)}")
    server.faults = [cut(1000), wrong]
    assert fetch(archive, tmp_path, patience=QUICK).read_bytes() == BODY


@pytest.mark.parametrize("code", [429, 503])
def test_waits_as_long_as_it_is_told(archive, server, tmp_path, code):
    until = int(time.time()) + 2
    date = email.utils.formatdate(until, usegmt=True)
    server.faults = [status(code, Retry_After="1"), status(code, Retry_After=date)]
    start = time.monotonic()
    assert fetch(archive, tmp_path, patience=QUICK).read_bytes() == BODY
    assert time.monotonic() - start >= 1
    assert time.time() >= until


def test_does_not_wait_for_hours(archive, server, tmp_path):
    server.faults = [status(503, Retry_After="7200")]
    with pytest.raises(UserError, match=r"503 .*asks to wait 7200 s"):
        fetch(archive, tmp_path, patience=QUICK)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (status(404), "404 Not Found"),
        (status(403), "403 Forbidden"),
        (status(200, b"<p>sorry", Content_Type="text/html; charset=utf-8"), "an HTML page"),
        (status(200, b"\n<!DOCTYPE html><p>sorry" + b" " * (len(BODY) - 24)), "an HTML page"),
        (status(200, b"short"), f"expected {len(BODY)} bytes, found 5"),
        (status(200, bytes(len(BODY))), r"expected md5 \w+, found \w+"),
        (status(302, Location="a.zip?"), None),
        (status(307, Location="/nowhere"), "404 Not Found"),
    ],
)
def test_next_address_where_one_has_something_else(archive, server, tmp_path, fault, reason):
    server.files["b.zip"] = BODY
    server.faults = [fault]
    if reason:
        with pytest.raises(UserError, match=reason) as caught:
            fetch(archive, tmp_path, patience=QUICK)
        assert "\n" not in str(caught.value)
        assert archive.urls[0] in str(caught.value)
        assert f"get it from https://example.org/a and put it at {tmp_path}/a.zip" in str(
            caught.value
        )
        assert list(tmp_path.iterdir()) == []
        server.faults = [fault]
    archive = replace(archive, urls=(*archive.urls, server.url("b.zip")))
    assert fetch(archive, tmp_path, patience=QUICK).read_bytes() == BODY


def test_a_redirect_to_itself_is_one_line(archive, server, tmp_path):
    server.faults = [status(302, Location="/a.zip") for _ in range(30)]
    with pytest.raises(UserError, match="302") as caught:
        fetch(archive, tmp_path, patience=QUICK)
    assert "\n" not in str(caught.value)


def test_gives_up_after_fruitless_tries(archive, server, tmp_path):
    server.faults = [cut(0) for _ in range(9)]
    with pytest.raises(UserError, match=f"closed after 0 of {len(BODY)} bytes, 3 times"):
        fetch(archive, tmp_path, patience=QUICK)
    assert len(server.requests) == 3


def test_a_trickle_is_broken_off(archive, server, tmp_path):
    def trickle(handler, body):
        body = handler.head(body)
        for byte in body[:20]:
            handler.wfile.write(bytes([byte]))
            time.sleep(0.05)

    server.faults = [trickle] * 3
    patience = replace(QUICK, timeout=0.2)
    with pytest.raises(UserError, match="slower than 100 bytes/s, 3 times"):
        fetch(archive, tmp_path, patience=patience)


def test_silence_is_broken_off(archive, server, tmp_path):
    def silent(handler, body):
        time.sleep(0.5)

    server.faults = [silent] * 3
    with pytest.raises(UserError, match="timed out, 3 times"):
        fetch(archive, tmp_path, patience=replace(QUICK, timeout=0.1))


def test_offline_is_told_at_once(archive, server, tmp_path):
    urls = ("http://127.0.0.1:9/a.zip", archive.urls[0].replace("http:", "https:"))
    start = time.monotonic()
    with pytest.raises(UserError, match=r"127\.0\.0\.1:9/a\.zip \(Connection refused\), then"):
        fetch(replace(archive, urls=urls), tmp_path)
    assert time.monotonic() - start < 1


def test_a_proxy_in_the_environment_is_used(archive, server, tmp_path, monkeypatch):
    monkeypatch.setenv("http_proxy", server.url(""))
    archive = replace(archive, urls=("http://archive.invalid/a.zip",))
    assert fetch(archive, tmp_path, patience=QUICK).read_bytes() == BODY
    assert server.requests == [("http://archive.invalid/a.zip", None)]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"short", f"expected {len(BODY)} bytes, found 5"),
        (bytes(len(BODY)), r"expected md5 \w{32}, found \w{32}"),
    ],
)
def test_a_wrong_file_on_disk_is_named_not_replaced(archive, server, tmp_path, content, message):
    path = tmp_path / "a.zip"
    path.write_bytes(content)
    for _ in range(2):
        with pytest.raises(UserError, match=f"{path}: {message}; .*delete it"):
            fetch(archive, tmp_path)
    assert path.read_bytes() == content
    assert server.requests == []


def test_a_file_changed_after_it_was_verified_is_noticed(archive, tmp_path):
    path = fetch(archive, tmp_path)
    time.sleep(0.02)
    path.write_bytes(BODY[::-1])
    with pytest.raises(UserError, match="expected md5"):
        fetch(archive, tmp_path)


def test_two_processes_share_one_download(archive, server, tmp_path):
    started = threading.Event()

    def slow(handler, body):
        started.wait(10)
        time.sleep(0.3)
        handler.wfile.write(handler.head(body))

    server.faults = [slow]
    command = [sys.executable, "-c", SCRIPT, archive.urls[0], archive.checksum, str(tmp_path)]
    processes = [
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    started.set()
    assert [process.communicate(timeout=30)[0] for process in processes] == ["True\n"] * 2
    assert len(server.requests) == 1
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.zip", "a.zip.sha256"]


def test_a_killed_download_is_taken_up(archive, server, tmp_path):
    half = threading.Event()
    release = threading.Event()

    def stuck(handler, body):
        handler.wfile.write(handler.head(body)[:50_000])
        half.set()
        release.wait(10)

    server.faults = [stuck]
    command = [sys.executable, "-c", SCRIPT, archive.urls[0], archive.checksum, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT) as process:
        assert half.wait(10)
        part = tmp_path / "a.zip.part"
        deadline = time.monotonic() + 10
        while part.stat().st_size < 50_000 and time.monotonic() < deadline:
            time.sleep(0.01)
        process.kill()
    release.set()
    assert fetch(archive, tmp_path, patience=QUICK).read_bytes() == BODY
    assert server.requests[-1][1] == "bytes=50000-"


def test_a_full_disk_is_one_line(archive, tmp_path):
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (9999, 9999))\n"
    command = [sys.executable, "-c", limit + SCRIPT, archive.urls[0], archive.checksum]
    result = subprocess.run(
        [*command, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert f"UserError: cannot write {tmp_path}/a.zip: File too large" in result.stderr
    assert not (tmp_path / "a.zip").exists()
    assert fetch(archive, tmp_path).read_bytes() == BODY


def test_a_folder_that_cannot_be_made_is_one_line(archive, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UserError, match=r"cannot write .*a\.zip: Not a directory"):
        fetch(archive, tmp_path / "file" / "esc50")
