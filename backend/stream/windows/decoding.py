"""Entries of a stream → events; what can't be read is counted and passed over: the sink keeps it with its reason."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from backend.events import STREAMS, Event
from backend.stream import entries

Entry = tuple[bytes, Mapping[bytes, bytes]]

_ONE = {name: msgspec.json.Decoder(kind) for name, kind in STREAMS.items()}
_PACKED = {name: msgspec.json.Decoder(list[kind]) for name, kind in STREAMS.items()}  # type: ignore[valid-type]
_RAW = msgspec.json.Decoder(list[msgspec.Raw])


def decoded(stream: str, fields: Mapping[bytes, bytes]) -> tuple[list[Event], int]:
    """The events of one entry of `stream` (its name without prefix), and how many could not be read."""
    packed = fields.get(entries.PACKED)
    if packed is None:
        return _each(stream, [fields.get(entries.ONE, b"")])
    try:
        events: list[Event] = _PACKED[stream].decode(packed)
    except msgspec.DecodeError:
        return _one_by_one(stream, packed)
    return events, 0


def _one_by_one(stream: str, packed: bytes) -> tuple[list[Event], int]:
    try:
        return _each(stream, [bytes(raw) for raw in _RAW.decode(packed)])
    except msgspec.DecodeError:
        return [], 1


def _each(stream: str, said: list[bytes]) -> tuple[list[Event], int]:
    events: list[Event] = []
    bad = 0
    for one in said:
        try:
            events.append(_ONE[stream].decode(one))
        except msgspec.DecodeError:
            bad += 1
    return events, bad
