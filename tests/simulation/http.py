"""A request and an answer as bytes; a cut one is read by a real HTTP parser (h11), as far as it came."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

import h11
import zstandard

HOST = "jorge.test"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    def query(self, name: str, default: str = "") -> str:
        return parse_qs(urlsplit(self.url).query, keep_blank_values=True).get(name, [default])[0]

    def header(self, name: str, default: str = "") -> str:
        return next((v for k, v in self.headers.items() if k.lower() == name.lower()), default)

    def data(self) -> bytes:
        return unpacked(self.header("content-encoding"), self.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


def unpacked(coding: str, body: bytes) -> bytes:
    if coding == "zstd":
        return zstandard.ZstdDecompressor().decompressobj().decompress(body)
    return gzip.decompress(body) if coding == "gzip" else body


def request_bytes(request: Request) -> bytes:
    line = h11.Connection(h11.CLIENT)
    said = [(name, value.strip()) for name, value in request.headers.items()]
    headers = [("Host", HOST), *said, ("Content-Length", str(len(request.body)))]
    head = line.send(h11.Request(method=request.method, target=request.url, headers=headers)) or b""
    return head + (line.send(h11.Data(data=request.body)) or b"") + (line.send(h11.EndOfMessage()) or b"")


def answer_bytes(answer: Answer) -> bytes:
    line = _server_after_get()
    headers = [*answer.headers.items(), ("Content-Length", str(len(answer.body)))]
    head = line.send(h11.Response(status_code=answer.status, headers=headers)) or b""
    return head + (line.send(h11.Data(data=answer.body)) or b"") + (line.send(h11.EndOfMessage()) or b"")


def is_whole_request(sent: bytes) -> bool:
    """Does a server that is cut off after `sent` have a request to act upon?"""
    return _reads_to_end(h11.Connection(h11.SERVER), sent)


def is_whole_answer(sent: bytes) -> bool:
    """Does a client that is cut off after `sent` have an answer to believe?"""
    line = h11.Connection(h11.CLIENT)
    line.send(h11.Request(method="GET", target="/", headers=[("Host", HOST)]))
    line.send(h11.EndOfMessage())
    return _reads_to_end(line, sent)


def _reads_to_end(line: h11.Connection, sent: bytes) -> bool:
    try:
        line.receive_data(sent)
        line.receive_data(b"")
        while True:
            event = line.next_event()
            if isinstance(event, h11.EndOfMessage):
                return True
            if event is h11.NEED_DATA or isinstance(event, h11.ConnectionClosed | h11.PAUSED):
                return False
    except h11.RemoteProtocolError:
        return False


def _server_after_get() -> h11.Connection:
    line = h11.Connection(h11.SERVER)
    line.receive_data(f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
    while not isinstance(line.next_event(), h11.EndOfMessage):
        pass
    return line
