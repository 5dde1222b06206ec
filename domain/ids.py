"""Ids made on the device: UUIDv7 (RFC 9562 § 5.7), so that offline creation needs no server."""

from __future__ import annotations

import os
import time


def new_id(now_ms: int | None = None) -> str:
    """A new UUIDv7 as text. `now_ms` (Unix milliseconds) is for tests and generators."""
    ms = time.time_ns() // 1_000_000 if now_ms is None else now_ms
    rand = int.from_bytes(os.urandom(10), "big")
    value = (ms & (1 << 48) - 1) << 80 | 0x7 << 76 | (rand >> 62 & 0xFFF) << 64
    value |= 0b10 << 62 | rand & (1 << 62) - 1
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def made_ms(row_id: str) -> int:
    """When an id of ours was made, by the clock of the device that made it (Unix ms)."""
    return int(row_id.replace("-", "")[:12], 16)
