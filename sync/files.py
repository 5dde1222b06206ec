"""Asking about one voice file (tus 1.0): offer it, ask how far it came, send a part. Values and small rules."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path

from storage import blobs

FIRST_CHUNK = 256 * 1024
SMALLEST, LARGEST = 32 * 1024, 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """Begin an upload; the answer is a `Reached`."""

    size: int
    metadata: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Offset:
    """How far did it come? The answer is a `Reached`."""

    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Bytes `start` … of the file at `path`, at most `size` of them; the answer is a `Reached`."""

    url: str
    path: Path
    start: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """The upload's address on the server, and the bytes that are safe there. `most`: the largest file it takes; 0 = not said."""

    url: str
    sent: int
    most: int = 0


def offer(blob: blobs.Blob) -> Offer:
    """tus' Upload-Metadata: names and base64 values."""
    said = {
        "note_id": blob.note_id,
        "location_id": blob.location_id,
        "sha256": blob.sha256,
        "filetype": blob.media_type,
    }
    coded = ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in said.items())
    return Offer(size=blob.size, metadata=coded)


def next_chunk(size: int, seconds: float) -> int:
    """Parts that take between half a second and three: small on a bad line, so that little is lost by a cut."""
    if seconds > 3.0:
        size //= 2
    elif seconds < 0.5:
        size *= 2
    return max(SMALLEST, min(size, LARGEST))
