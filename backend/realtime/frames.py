"""WebSocket frames made once and written to many: plain, and deflated for those who negotiated it."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

_TEXT = 0x81
_DEFLATED_TEXT = 0xC1
_FLUSH_END = b"\x00\x00\xff\xff"
WINDOW_BITS = 15
WORTH_DEFLATING = 200
"""Bytes; a shorter message gains nothing."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One text message as the bytes of its frame. `deflated` is the plain frame where deflating gains nothing."""

    body: bytes
    plain: bytes
    deflated: bytes


def prepare(body: bytes) -> Frame:
    """`body`: UTF-8. The deflated form stands alone (RFC 7692 without context takeover), so that any socket may get it."""
    plain = _header(_TEXT, len(body)) + body
    if len(body) < WORTH_DEFLATING:
        return Frame(body, plain, plain)
    packer = zlib.compressobj(wbits=-WINDOW_BITS)
    packed = (packer.compress(body) + packer.flush(zlib.Z_SYNC_FLUSH)).removesuffix(_FLUSH_END)
    return Frame(body, plain, _header(_DEFLATED_TEXT, len(packed)) + packed)


def _header(first: int, length: int) -> bytes:
    if length < 126:
        return bytes((first, length))
    if length < 65_536:
        return bytes((first, 126)) + length.to_bytes(2)
    return bytes((first, 127)) + length.to_bytes(8)
