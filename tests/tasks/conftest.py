"""A small web server that fails on demand, and small audio files."""

import io
import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
import soundfile

Fault = Callable[[BaseHTTPRequestHandler, bytes], None]


class Server(ThreadingHTTPServer):
    """Serves `files`; each of `faults` answers one request instead, in turn."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.faults: list[Fault] = []
        self.requests: list[tuple[str, str | None]] = []
        self.ranges = True
        self.etag = '"1"'
        self.lock = threading.Lock()

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/{name}"

    def handle_error(self, request, client_address) -> None:
        """A client that goes away is part of the tests."""


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        with self.server.lock:
            self.server.requests.append((self.path, self.headers.get("Range")))
            fault = self.server.faults.pop(0) if self.server.faults else None
        body = self.server.files.get(self.path.rpartition("/")[2])
        if fault:
            fault(self, body or b"")
        elif body is None:
            self.send_error(404)
        else:
            self.wfile.write(self.head(body))

    def head(self, body: bytes) -> bytes:
        """Send the head of the right answer and return the body that belongs to it."""
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or "")
        same = self.headers.get("If-Range") in (None, self.server.etag)
        start = int(asked[1]) if asked and self.server.ranges and same else 0
        if start and start >= len(body):
            self.answer(416, Content_Range=f"bytes */{len(body)}")
            return b""
        length = {"Content_Type": "application/zip", "Content_Length": str(len(body) - start)}
        told = {"Content_Range": f"bytes {start}-{len(body) - 1}/{len(body)}"} if start else {}
        self.answer(206 if start else 200, ETag=self.server.etag, **length, **told)
        return body[start:]

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content_Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *args) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def tone() -> Callable[..., bytes]:
    """Make an encoded clip of a tenth of a second; another seed, another clip."""

    def make(seed: int = 0, format: str = "WAV", rate: int = 8000) -> bytes:
        samples = np.random.default_rng(seed).normal(0, 0.1, rate // 10)
        file = io.BytesIO()
        subtype = "VORBIS" if format == "OGG" else "PCM_16"
        soundfile.write(file, samples, rate, format=format, subtype=subtype)
        return file.getvalue()

    return make
