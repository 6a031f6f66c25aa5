"""A stand-in for the Hugging Face hub on 127.0.0.1: what `huggingface_hub` asks when it fetches.

The addresses, headers and error codes are those of the hub (huggingface_hub 2.4):
/{org}/{name}/resolve/{revision}/{file} answers HEAD and GET with the commit and an ETag, and
/api/models/{org}/{name}/tree/{revision} lists the files. A user of the hub is reached as in
life: a process of its own with HF_ENDPOINT.
"""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

Files = dict[str, bytes]


class Hub(ThreadingHTTPServer):
    """Serves `models`: (name, revision) → (commit, files). Names in `gated` ask for agreement."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.models: dict[tuple[str, str], tuple[str, Files]] = {}
        self.gated: set[str] = set()
        self.requests: list[str] = []

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def publish(self, name: str, folder: Path, revision: str = "main") -> str:
        """Serve a folder's files as a branch and as a commit; returns the commit."""
        files = {
            str(file.relative_to(folder)): file.read_bytes()
            for file in sorted(folder.rglob("*"))
            if file.is_file()
        }
        commit = blob_id(repr([(file, blob_id(body)) for file, body in files.items()]).encode())
        self.models[name, revision] = self.models[name, commit] = (commit, files)
        return commit


class Handler(BaseHTTPRequestHandler):
    server: Hub

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        self.server.requests.append(f"{self.command} {self.path}")
        path = unquote(self.path).partition("?")[0].strip("/")
        listing = path.startswith("api/models/")
        parts = path.removeprefix("api/models/").split("/")
        name, revision, file = "/".join(parts[:2]), "".join(parts[3:4]), "/".join(parts[4:])
        if name not in {model for model, _ in self.server.models}:
            self.answer(401, X_Error_Code="RepoNotFound")
        elif name in self.server.gated:
            self.answer(403, X_Error_Code="GatedRepo")
        elif (name, revision) not in self.server.models:
            self.answer(404, X_Error_Code="RevisionNotFound")
        else:
            commit, files = self.server.models[name, revision]
            if listing:
                tree = [
                    {"type": "file", "path": each, "size": len(body), "oid": blob_id(body)}
                    for each, body in files.items()
                ]
                self.answer(200, json.dumps(tree).encode(), Content_Type="application/json")
            elif file not in files:
                self.answer(404, X_Error_Code="EntryNotFound", X_Repo_Commit=commit)
            else:
                etag = f'"{blob_id(files[file])}"'
                self.answer(200, files[file], ETag=etag, X_Repo_Commit=commit)

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content_Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, format, *args) -> None:
        pass


def blob_id(content: bytes) -> str:
    """40 digits that stand for a content, as git has them."""
    return hashlib.sha1(content).hexdigest()


@contextmanager
def running() -> Iterator[Hub]:
    """A hub that serves as long as the context lasts."""
    with Hub() as hub:
        thread = threading.Thread(target=hub.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield hub
        finally:
            hub.shutdown()
            thread.join()
