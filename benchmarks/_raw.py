"""The least HTTP and WebSocket that a crowd of devices needs: what hundreds of them cost here must not hide what they cost there."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import zstandard

from domain import wire

_HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body unpacked and read."""
        packed = self.headers.get("content-encoding") == "zstd"
        return json.loads(
            zstandard.ZstdDecompressor().decompressobj().decompress(self.body) if packed else self.body
        )

    @property
    def page(self) -> wire.Page | None:
        """A page of the feed; None for "nothing new"."""
        return None if self.status == 204 else wire.Page.from_json(self.json())

    @property
    def retry_after(self) -> float:
        return float(self.headers.get("retry-after", "0"))


@dataclass(slots=True, kw_only=True)
class Http:
    """One connection that is kept open, and opened anew where the server closed it meanwhile; one request at a time.

    Raises: OSError, asyncio.IncompleteReadError.
    """

    port: int
    token: str
    headers: Mapping[str, str] = field(default_factory=dict)
    _reader: asyncio.StreamReader | None = None
    _writer: asyncio.StreamWriter | None = None

    async def ask(self, method: str, path: str, body: bytes = b"") -> Answer:
        fresh = self._writer is None
        try:
            return await self._once(method, path, body)
        except (OSError, asyncio.IncompleteReadError):
            self.close()
            if fresh:
                raise
            return await self._once(method, path, body)

    async def _once(self, method: str, path: str, body: bytes) -> Answer:
        if self._writer is None or self._reader is None:
            self._reader, self._writer = await asyncio.open_connection(_HOST, self.port)
        ours = {
            "Host": _HOST,
            "Authorization": f"Bearer {self.token}",
            "Accept-Encoding": "zstd",
            **({"Content-Length": str(len(body)), "Content-Type": "application/json"} if body else {}),
            **self.headers,
        }
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in ours.items()), "", ""]
        self._writer.write("\r\n".join(lines).encode() + body)
        return await _answer(self._reader)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._reader, self._writer = None, None


async def _answer(reader: asyncio.StreamReader) -> Answer:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Answer(status=int(head[0].split()[1]), headers=headers, body=body)


@dataclass(slots=True, kw_only=True)
class Socket:
    """A WebSocket to /ws/sync, signed in by its first message."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def connect(cls, port: int, token: str) -> Socket:
        """Raises: OSError, asyncio.IncompleteReadError; ConnectionError when it is refused."""
        reader, writer = await asyncio.open_connection(_HOST, port)
        key = base64.b64encode(os.urandom(16)).decode()
        writer.write(
            f"GET /ws/sync HTTP/1.1\r\nHost: {_HOST}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 101 " not in head.split(b"\r\n")[0]:
            raise ConnectionError(head.split(b"\r\n")[0].decode())
        writer.write(_frame(1, json.dumps({"token": token}).encode()))
        return cls(reader=reader, writer=writer)

    async def message(self) -> dict[str, Any]:
        """The next one; pings are answered on the way. Raises: ConnectionError when the server closes."""
        while True:
            first, second = await self.reader.readexactly(2)
            size = second & 0x7F
            if size == 126:
                size = struct.unpack("!H", await self.reader.readexactly(2))[0]
            data = await self.reader.readexactly(size)
            if first & 0x0F == 1:
                found: dict[str, Any] = json.loads(data)
                return found
            if first & 0x0F == 8:
                raise ConnectionError(f"closed with {struct.unpack('!H', data[:2])[0]}")
            if first & 0x0F == 9:
                self.writer.write(_frame(10, data))

    def close(self) -> None:
        self.writer.close()


def _frame(kind: int, data: bytes) -> bytes:
    """Masked, as a client's must be; less than 65,536 bytes."""
    size = (
        bytes([0x80 | len(data)]) if len(data) < 126 else bytes([0x80 | 126]) + struct.pack("!H", len(data))
    )
    mask = os.urandom(4)
    return bytes([0x80 | kind]) + size + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(data))
