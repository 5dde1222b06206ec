"""A real HTTP server that serves a model's files, well or badly."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Behaviour:
    """What the server does wrong, and what it was asked."""

    files: dict[str, bytes]
    cut_after: int | None = None
    corrupt: bool = False
    ignores_range: bool = False
    names_checksum: bool = True
    redirects: bool = False
    status: int = 200
    ranges: list[str] = field(default_factory=list)


@contextmanager
def serving(behaviour: Behaviour) -> Iterator[str]:
    """The server's address while it runs, on a free port."""

    class Handler(_Handler):
        serves = behaviour

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    serves: Behaviour

    def do_GET(self) -> None:
        body = self.serves.files[self.path.rsplit("/", 1)[-1]]
        if self.serves.status != 200:
            self.send_error(self.serves.status)
        elif self.serves.redirects and not self.path.startswith("/store/"):
            self._redirect(body)
        else:
            self._send(body)

    def _redirect(self, body: bytes) -> None:
        self.send_response(302)
        self.send_header("Location", f"/store{self.path}")
        self.send_header("X-Linked-Etag", f'"{hashlib.sha256(body).hexdigest()}"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _send(self, body: bytes) -> None:
        wanted = self.headers.get("Range", "")
        self.serves.ranges.append(wanted)
        start = (
            int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and not self.serves.ignores_range else 0
        )
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        if self.serves.names_checksum and not self.serves.redirects:
            self.send_header("ETag", f'"{_git_sha(body)}"')
        self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        sent = body[start:]
        if self.serves.corrupt:
            sent = bytes(byte ^ 1 for byte in sent)
        self.wfile.write(sent if self.serves.cut_after is None else sent[: self.serves.cut_after])

    def log_message(self, format: str, *args: Any) -> None:
        return None


def _git_sha(body: bytes) -> str:
    return hashlib.sha1(f"blob {len(body)}\0".encode() + body, usedforsecurity=False).hexdigest()
