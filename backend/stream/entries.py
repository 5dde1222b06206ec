"""How events lie in Valkey's streams: an entry holds one event (`event`) or a packed array of them (`events`), as JSON.

Other programs add entries with `event`; our own ingest packs, which costs a tenth. `source` is the key of who sent it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from backend.events import STREAMS

PREFIX = "bi:stream:"
DEAD = PREFIX + "dead"
AUDIT = PREFIX + "audit"
SINK_GROUP = "sink"
ONE = b"event"
PACKED = b"events"
SOURCE = b"source"

NAMES: Sequence[str] = tuple(PREFIX + name for name in STREAMS)
"""The four streams."""

TOUCHED = "bi:touched"
"""Pub/sub (through `Deps.channel`): {"version", "tags": […]} after a commit changed what those tags stand for (cache/versions.py)."""
STORED = "bi:stored"
"""Pub/sub (through `Deps.channel`): {"stream": name, "last": entry id} after that entry, and all before it, are stored.
Without `last`: the stream has begun anew, and what lay in it unstored may be lost."""
DELTAS = "bi:deltas"
"""Pub/sub (through `Deps.channel`): what changed in the sliding windows, each tick."""


def packed(events: bytes, source_key: int | None) -> Mapping[bytes, bytes]:
    """Fields of an entry that holds the JSON array `events`."""
    fields = {PACKED: events}
    if source_key is not None:
        fields[SOURCE] = b"%d" % source_key
    return fields


def hour_tag(location_key: int, hour: str) -> str:
    """`hour` as YYYYMMDDHH in UTC."""
    return f"loc:{location_key}:h:{hour}"


def day_tag(location_key: int, date_key: int) -> str:
    return f"loc:{location_key}:d:{date_key}"


def stock_tag(location_key: int) -> str:
    """Leads and deals as they stand."""
    return f"loc:{location_key}:stock"
