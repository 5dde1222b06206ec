"""Entries of the streams as batches of events: what one transaction stores, what it acknowledges, what nobody can read."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import msgspec

from backend.events import STREAMS, Event, reading
from backend.storage.warehouse.facts import Arrived, Rejected
from backend.stream import dead, entries
from backend.stream.groups import Read

MOST = 10_000
"""Events of a transaction."""

_MANY = {entries.PREFIX + name: msgspec.json.Decoder(list[kind]) for name, kind in STREAMS.items()}  # type: ignore[valid-type]
_ONE = {entries.PREFIX + name: msgspec.json.Decoder(kind) for name, kind in STREAMS.items()}
_RAWS = msgspec.json.Decoder(list[msgspec.Raw])
_ITEM = json.JSONDecoder()
_NEXT = re.compile(r"[ \t\r\n]*[\[,]?[ \t\r\n]*")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# The clock is looked at where the facts are stored.
_EVER = {"oldest": datetime.min.replace(tzinfo=UTC), "newest": datetime.max.replace(tzinfo=UTC)}


@dataclass(slots=True)
class Batch:
    """`ids`: entries to acknowledge when `arrived` is stored and `letters` lie with the dead. `lost`: trimmed before they were read."""

    arrived: list[Arrived] = field(default_factory=list)
    ids: defaultdict[str, list[bytes]] = field(default_factory=lambda: defaultdict(list))
    letters: list[dead.Letter] = field(default_factory=list)
    lost: int = 0


def batches(read: Read) -> Iterator[Batch]:
    """Whole entries, until `MOST` events or more are together."""
    batch = Batch()
    for stream, found in read:
        for id, fields in found:
            _add(batch, stream, id, fields)
            if len(batch.arrived) >= MOST:
                yield batch
                batch = Batch()
    if batch.ids:
        yield batch


def unread(stream: str, id: bytes, fields: Mapping[bytes, bytes] | None, message: str, at: datetime) -> Batch:
    """An entry that nobody may read any more, as one letter."""
    held = fields or {}
    payload = held.get(entries.PACKED) or held.get(entries.ONE) or b""
    letter = dead.Letter(
        stream=stream.removeprefix(entries.PREFIX),
        reason="poison",
        message=message,
        payload=payload,
        source=_source(held.get(entries.SOURCE)),
        at=at,
    )
    batch = Batch(letters=[letter])
    batch.ids[stream].append(id)
    return batch


def moment(id: bytes) -> datetime:
    """When Valkey took the entry."""
    return _EPOCH + timedelta(milliseconds=int(id.partition(b"-")[0]))


def letters_of(rejected: Iterable[Rejected], at: datetime) -> list[dead.Letter]:
    return [
        dead.Letter(
            stream=_name_of(type(one.arrived.event)),
            reason=one.reason,
            message=one.message,
            payload=msgspec.json.encode(one.arrived.event),
            source=one.arrived.source_key,
            at=at,
        )
        for one in rejected
    ]


def _name_of(kind: type[Event]) -> str:
    return next(name for name, struct in STREAMS.items() if struct is kind)


def _add(batch: Batch, stream: str, id: bytes, fields: Mapping[bytes, bytes] | None) -> None:
    batch.ids[stream].append(id)
    if not fields:
        batch.lost += 1
        return
    at, entry = moment(id), id.decode()
    source = _source(fields.get(entries.SOURCE))
    for event in _events(batch, stream, fields, source, at):
        batch.arrived.append(Arrived(event=event, source_key=source, received_at=at, entry=entry))


def _events(
    batch: Batch, stream: str, fields: Mapping[bytes, bytes], source: int | None, at: datetime
) -> Sequence[Event]:
    packed = fields.get(entries.PACKED)
    said = fields.get(entries.ONE, b"") if packed is None else packed
    try:
        events: Sequence[Event] = (
            [_ONE[stream].decode(said)] if packed is None else _MANY[stream].decode(said)
        )
    except (msgspec.MsgspecError, ValueError, RecursionError):
        events = [e for raw in _items(packed, said) if (e := _one(batch, stream, raw, source, at))]
    odd = b"\\u0000" in said
    if odd or any(event.props is not None for event in events):
        events = [e for e in events if (e.props is None and not odd) or _fits(batch, e, source, at, odd=odd)]
    return events


def _items(packed: bytes | None, said: bytes) -> Sequence[bytes]:
    if packed is None:
        return [said]
    try:
        return [bytes(raw) for raw in _RAWS.decode(said)]
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return _before_the_break(said)


def _before_the_break(said: bytes) -> Sequence[bytes]:
    """The items of an array that is broken somewhere, as far as they are whole; and the rest of it as one."""
    text = said.decode(errors="surrogateescape")
    found, at = [], 0
    try:
        while at < len(text):
            begin = _NEXT.match(text, at).end()  # type: ignore[union-attr]  # it matches nothing as well
            _, end = _ITEM.raw_decode(text, begin)
            found.append(text[begin:end])
            at = end
    except (ValueError, RecursionError):
        pass  # the rest begins here
    rest = text[at:].strip(" \t\r\n,")
    return [one.encode(errors="surrogateescape") for one in (*found, rest) if one] or [said]


def _one(batch: Batch, stream: str, raw: bytes, source: int | None, at: datetime) -> Event | None:
    found = reading.one(raw)
    name = stream.removeprefix(entries.PREFIX)
    if not isinstance(found, reading.Fault) and type(found) is not STREAMS[name]:
        found = reading.Fault(
            code="wrong_stream", message=f"This is no event of {name}: it says `{found.event_type}`."
        )
    if not isinstance(found, reading.Fault):
        return found
    batch.letters.append(
        dead.Letter(stream=name, reason=found.code, message=found.message, payload=raw, source=source, at=at)
    )
    return None


def _fits(batch: Batch, event: Event, source: int | None, at: datetime, *, odd: bool) -> bool:
    fault = reading.fault_of(event, **_EVER, odd_text=odd)
    if fault is None:
        return True
    batch.letters.append(
        dead.Letter(
            stream=_name_of(type(event)),
            reason=fault.code,
            message=fault.message,
            payload=msgspec.json.encode(event),
            source=source,
            at=at,
        )
    )
    return False


def _source(said: bytes | None) -> int | None:
    return int(said) if said and said.isdigit() and len(said) < 10 else None
