"""Are two replicas of a table equal? Sums of row hashes that PostgreSQL, Python and SQLite work out alike.

A row's hash is the first 64 bits of MD5 (a checksum here, no protection against forgery) over `id:ver`, or, where the
contents themselves are audited, over `id:ver:contents`. A sum of hashes doesn't depend on the order of the rows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from domain import tables

RANGES = 256
"""A table is compared in parts, by the last two hex digits of the row's id (random in a UUID of any version we use)."""

_ALL = 1 << 64


def row_hash(row_id: str, ver: int, contents: str | None = None) -> int:
    """0 … 2^64-1. `row_id` in lower case with dashes; `contents`: see `canonical`."""
    text = f"{row_id}:{ver}" if contents is None else f"{row_id}:{ver}:{contents}"
    return int.from_bytes(hashlib.md5(text.encode(), usedforsecurity=False).digest()[:8])


def canonical(table: tables.Table, row: Mapping[str, Any]) -> str:
    """A row's values as one text, the same on both sides: the table's fields in order, JSON without spaces.

    Fields that this release doesn't know are left out; a number of a REAL field is always written as a float.
    """
    listed = list(map(row.get, table.by_name))
    for place, field in enumerate(table.fields):
        kind = field.type
        if kind is _REAL or kind is _BOOL:
            value = listed[place]
            if value is not None:
                listed[place] = float(value) if kind is _REAL else bool(value)
    return _JSON.encode(listed)


def is_alike(field: tables.Field, one: Any, other: Any) -> bool:
    """Whether both values make the same contents, on whatever device: a whole number of more than 64 bits, or a number that
    may have come as one, is alike to nothing."""
    if field.type is _REAL and one is not None and other is not None:
        return bool(one == other and (one or repr(float(one)) == repr(float(other))))  # -0.0 is another text
    if field.type is tables.Type.JSON:
        return _JSON.encode(one) == _JSON.encode(other) and not _is_vague(one)
    return type(one) is type(other) and bool(one == other)


def _is_vague(value: object) -> bool:
    match value:
        case dict():
            return any(map(_is_vague, value.values()))
        case list():
            return any(map(_is_vague, value))
        case float() | int():
            return value < -(1 << 63) or value >= 1 << (63 if isinstance(value, float) else 64)
        case _:
            return False


_REAL, _BOOL = tables.Type.REAL, tables.Type.BOOL  # looked up once: this runs for every row
_JSON = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def total(hashes: Iterable[int]) -> int:
    """The sum, in 64 bits."""
    return sum(hashes) % _ALL


def text(number: int) -> str:
    """As on the wire: 16 hex digits (JSON's numbers end at 53 bits)."""
    return f"{number % _ALL:016x}"


def range_of(row_id: str) -> int:
    """0 … RANGES-1."""
    return int(row_id[-2:], 16)
