"""Bodies of sync's messages and of events: unpacked with a limit that a bomb can't get past, packed as the device can read them."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import zlib
from collections.abc import Mapping
from typing import Any

import orjson
import zstandard
from fastapi import Request, Response

from domain import errors

MOST_BYTES = 4 * 1024 * 1024
"""Of a request, unpacked."""

_WORTH_PACKING = 300
_WORTH_A_THREAD = 64 * 1024
_LEVEL = 3
_LONGEST_WHOLE = 20  # characters of a whole number of 64 bits
_BITE = 64  # bytes of a frame at a time: one of its blocks may be four that unpack to 128 KB, so these to 2 MB at most
_MOST_WINDOW = 8 * 1024 * 1024  # what RFC 8878 asks every reader to take, and no more


class TooLargeError(errors.InputError):
    """More than is taken at a time, unpacked."""


class DamagedError(errors.InputError):
    """A body that is not what was sent: cut off, or changed on its way. The same again may well arrive."""

    code = "damaged"


async def json_of(request: Request) -> dict[str, Any]:
    """The body as a JSON object. Raises: InputError, DamagedError."""
    body = await body_of(request)
    try:
        data = await asyncio.to_thread(_read, body) if len(body) > _WORTH_A_THREAD else _read(body)
    except (ValueError, RecursionError) as fault:
        raise errors.InputError("The body is no JSON.", where="body", hint="See docs/sync.md.") from fault
    if not isinstance(data, dict):
        raise errors.InputError("The body is no JSON object.", where="body", hint="See docs/sync.md.")
    return data


def _read(body: bytes) -> Any:
    """Raises: ValueError, RecursionError.

    NaN, numbers beyond all range and halves of surrogate pairs are no JSON, and get in here all the same: the field that
    holds one refuses it (domain/values.py), so that it parks its own change and not all that came with it.
    """
    try:
        return orjson.loads(body)
    except ValueError:
        return json.loads(body.decode("utf-8", "surrogatepass"), parse_int=_as_read_by_orjson)


def _as_read_by_orjson(digits: str) -> int | float:
    """A change must have the same hash however its neighbours made the body be read."""
    if len(digits) <= _LONGEST_WHOLE and -(1 << 63) <= (number := int(digits)) < 1 << 64:
        return number
    return float(digits)


async def body_of(request: Request, *, most: int = MOST_BYTES) -> bytes:
    """The body, unpacked; never more than `most` bytes and one bite in memory. Raises: TooLargeError, DamagedError."""
    packed = await request.body()
    encoding = request.headers.get("content-encoding", "").strip().lower()
    if len(packed) > most:
        raise _too_large()
    if encoding in ("", "identity"):
        return packed
    if len(packed) > _WORTH_A_THREAD:
        return await asyncio.to_thread(unpacked, packed, encoding, most=most)
    return unpacked(packed, encoding, most=most)


def unpacked(packed: bytes, encoding: str, *, most: int = MOST_BYTES) -> bytes:
    """Never more than `most` bytes and one bite in memory, whatever the body promises. Raises: TooLargeError, DamagedError."""
    try:
        body = _UNPACKERS[encoding](packed, most)
    except EOFError as fault:
        raise _damaged("The packed body ends too early.") from fault
    except (zstandard.ZstdError, zlib.error, OSError) as fault:
        raise _damaged(f"The body is damaged: it can't be unpacked as {encoding}.") from fault
    if len(body) > most:
        raise _too_large()
    return body


def _zstd(packed: bytes, most: int) -> bytes:
    """One frame, all of it, and nothing after it. Raises: EOFError, ZstdError."""
    if packed:
        zstandard.get_frame_parameters(packed)  # a head that is none is no early end
    unpacker = zstandard.ZstdDecompressor(max_window_size=_MOST_WINDOW).decompressobj()
    body = bytearray()
    for begin in range(0, len(packed), _BITE):
        if unpacker.eof:
            raise zstandard.ZstdError("there is more after the frame")
        body += unpacker.decompress(packed[begin : begin + _BITE])
        if len(body) > most:
            return bytes(body)
    if not unpacker.eof:
        raise EOFError
    if unpacker.unused_data:
        raise zstandard.ZstdError("there is more after the frame")
    return bytes(body)


def _gzip(packed: bytes, most: int) -> bytes:
    if not packed:
        raise EOFError  # which it takes for nothing, packed
    return gzip.GzipFile(fileobj=io.BytesIO(packed)).read(most + 1)


_UNPACKERS = {"zstd": _zstd, "gzip": _gzip}
ENCODINGS = frozenset({"identity", *_UNPACKERS})


def _damaged(message: str) -> DamagedError:
    return DamagedError(message, where="body", hint="Nothing of it was applied: send the same again.")


def _too_large() -> TooLargeError:
    return TooLargeError(
        "This is too large at a time.", where="body", hint="Send fewer at a time, at least one."
    )


async def answer(data: Mapping[str, Any], request: Request) -> Response:
    """As JSON; packed where that is worth it: rows of a page are alike."""
    body = orjson.dumps(data)
    headers = {"Cache-Control": "no-store"}
    encoding = _chosen(request.headers.get("accept-encoding", ""))
    if encoding and len(body) >= _WORTH_PACKING:
        pack = _zstd_packed if encoding == "zstd" else _gzip_packed
        body = await asyncio.to_thread(pack, body) if len(body) >= _WORTH_A_THREAD else pack(body)
        headers["Content-Encoding"] = encoding
    return Response(body, media_type="application/json", headers=headers)


def _chosen(accepted: str) -> str:
    """The best of what is named; `;q=0` means no."""
    named = {}
    for part in accepted.split(","):
        name, _, options = part.partition(";")
        named[name.strip().lower()] = options.replace(" ", "").lower()
    for name in ("zstd", "gzip"):
        if name in named and named[name] not in ("q=0", "q=0.0", "q=0.00", "q=0.000"):
            return name
    return ""


def _zstd_packed(body: bytes) -> bytes:
    return zstandard.ZstdCompressor(level=_LEVEL).compress(body)


def _gzip_packed(body: bytes) -> bytes:
    return gzip.compress(body, _LEVEL, mtime=0)
