"""Fields of rows as PostgreSQL's binary COPY takes them: their length, then their bytes, the most significant first.

Pieces of a row that many rows share are made once and kept: words of an event, who it is of, where and when it came.
"""

from __future__ import annotations

import struct
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

Words: TypeAlias = tuple[str | bool | None, ...]

NULL = struct.pack(">i", -1)
NULLS = (b"", NULL, NULL * 2, NULL * 3)
_HEADER = b"PGCOPY\n\xff\r\n\x00" + struct.pack(">ii", 0, 0)
_TRAILER = struct.pack(">h", -1)
_BIRTH = 946_684_800_000_000
"""Of PostgreSQL's calendar: 1 January 2000, in µs since 1970."""
_MOST_WORDS = 20_000

_begin = struct.Struct(">hiqi16s").pack
_int = struct.Struct(">ii").pack
_bigint = struct.Struct(">iq").pack
_real = struct.Struct(">if").pack
_moment = struct.Struct(">iqi").pack
_uuid = struct.Struct(">i16s").pack
_version = struct.Struct(">iB").pack
_length = struct.Struct(">i").pack


async def copied(rows: Iterable[bytes]) -> AsyncIterator[bytes]:
    """All that COPY … WITH (FORMAT binary) reads, as asyncpg asks for it."""
    yield b"".join((_HEADER, *rows, _TRAILER))


def begun(fields: int, seconds: float, event_id: UUID) -> bytes:
    """A row of so many fields, with the first two: its moment and its id."""
    return _begin(fields, 8, round(seconds * 1_000_000) - _BIRTH, 16, event_id.int.to_bytes(16, "big"))


def micros(seconds: float) -> int:
    """A moment as datetime.timestamp() gives it, in µs of PostgreSQL, exactly: a double holds them until the year 2255."""
    return round(seconds * 1_000_000) - _BIRTH


def integer(value: int | None) -> bytes:
    return NULL if value is None else _int(4, value)


def bigint(value: int | None) -> bytes:
    return NULL if value is None else _bigint(8, value)


def scaled(value: float | None, scale: int) -> bytes:
    """As an integer, rounded half to even."""
    return NULL if value is None else _int(4, round(value * scale))


def scaled_bigint(value: float | None, scale: int) -> bytes:
    return NULL if value is None else _bigint(8, round(value * scale))


def real(value: float | None) -> bytes:
    return NULL if value is None else _real(4, value)


def uuid(value: UUID | None) -> bytes:
    return NULL if value is None else _uuid(16, value.bytes)


def uuids(*values: UUID | None) -> bytes:
    return b"".join(map(uuid, values))


def text(value: bytes) -> bytes:
    return _length(len(value)) + value


def jsonb(said: bytes) -> bytes:
    return _version(len(said) + 1, 1) + said


def _word(value: str | bool | None) -> bytes:
    if value is None:
        return NULL
    return text(bytes((value,)) if isinstance(value, bool) else value.encode())


@dataclass(slots=True)
class Pieces:
    """Pieces that one writer made. `leads` and `agents` (by the integer of the id; an agent's also by location key) hold an id
    and the key of its only version, as long as the writer's versions. `words`: those of an event, beside each other."""

    leads: dict[int, bytes] = field(default_factory=dict)
    agents: dict[tuple[int, int], bytes] = field(default_factory=dict)
    bots: dict[str | None, bytes] = field(default_factory=dict)
    words: dict[Words, bytes] = field(default_factory=dict)
    _came: tuple[datetime | None, int | None] = (None, None)
    _origin: bytes = b""

    def new_words(self, words: Words) -> bytes:
        """Texts and truths beside each other, for `words`: the same ones come again and again."""
        if len(self.words) >= _MOST_WORDS:
            self.words.clear()
        found = self.words[words] = b"".join(map(_word, words))
        return found

    def origin(self, received_at: datetime, source_key: int | None) -> bytes:
        """When it came, and its source."""
        if self._came != (received_at, source_key):
            self._came = (received_at, source_key)
            self._origin = _bigint(8, micros(received_at.timestamp())) + integer(source_key)
        return self._origin

    def forget_people(self) -> None:
        self.leads.clear()
        self.agents.clear()
