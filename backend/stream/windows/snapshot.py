"""The windows as fields of a Valkey hash, piece by piece: only what changed since the last snapshot is written again.

| field | holds |
|---|---|
| `head` | versions, keys, heads of the rings, watermark; and what the processor adds: its offsets |
| `{window}:{pane}` | sums, latencies and leads of a pane, compressed |
| `id:{base pane}` | ids of the events that were counted, 8 bytes each |
| `talk:{id}`, `deal:{id}` | a conversation, a deal |
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import numpy as np

from backend.stream.windows import histogram, spans
from backend.stream.windows.contributions import BOT_MEASURES, KINDS, PLACE_MEASURES
from backend.stream.windows.panes import Ints, Ring
from backend.stream.windows.spans import BASE, SPANS
from backend.stream.windows.state import Windows
from backend.stream.windows.talks import Talk

HEAD = "head"
VERSION = 1
_PACK = msgspec.msgpack.Encoder().encode
_UNPACK = msgspec.msgpack.Decoder().decode
_BY_NAME = {span.name: number for number, span in enumerate(SPANS)}


class OtherShapeError(ValueError):
    """Written by a release with other measures or windows: of no use to this one."""


def fingerprint() -> str:
    """The same for who reads the fields the same way."""
    said = (VERSION, PLACE_MEASURES, BOT_MEASURES, KINDS, SPANS, histogram.CELLS, spans.BASE)
    return hashlib.sha256(repr(said).encode()).hexdigest()[:16]


def head(windows: Windows, more: Mapping[str, Any]) -> bytes:
    return _PACK(
        {
            "fingerprint": fingerprint(),
            "locations": [[f"{number:x}", key] for number, key in windows.locations.items()],
            "places": windows.places.keys,
            "bots": windows.bots.keys,
            "heads": [ring.head for ring in windows.places.rings],
            "watermark": windows.watermark.at,
            "streams": windows.watermark.saved(),
            **more,
        }
    )


def read_head(blob: bytes) -> dict[str, Any]:
    """Raises: OtherShapeError."""
    try:
        found: dict[str, Any] = _UNPACK(blob)
    except msgspec.DecodeError as fault:
        raise OtherShapeError("no head of a snapshot") from fault
    if found.get("fingerprint") != fingerprint():
        raise OtherShapeError(str(found.get("fingerprint")))
    return found


def gone(windows: Windows) -> list[str]:
    """Fields to drop. What is asked for is forgotten: it must be dropped together with writing `fields`."""
    found = [f"{SPANS[number].name}:{pane}" for number, pane in windows.evicted]
    found += [f"id:{pane}" for pane in windows.seen.gone]
    found += [f"talk:{number:x}" for number in windows.talks.gone]
    found += [f"deal:{number:x}" for number in windows.deals.gone]
    for kept in (windows.evicted, windows.seen.gone, windows.talks.gone, windows.deals.gone):
        kept.clear()
    return found


def fields(windows: Windows) -> Iterator[tuple[str, bytes]]:
    """What changed, each a piece of work that is short enough to do others between. Ask to the end, and take nothing in meanwhile."""
    if windows.watermark.at is not None:
        windows.seen.pack_until(windows.watermark.at // BASE - 1)
    for number, span in enumerate(SPANS):
        places, bots = windows.places.rings[number], windows.bots.rings[number]
        for pane in sorted(places.dirty | bots.dirty):
            yield f"{span.name}:{pane}", _pane(windows, number, pane)
        places.dirty.clear()
        bots.dirty.clear()
    for pane in sorted(windows.seen.dirty):
        yield f"id:{pane}", windows.seen.of(pane)
    windows.seen.dirty.clear()
    for talk_id in windows.talks.dirty:
        if talk := windows.talks.get(talk_id):
            yield f"talk:{talk_id:x}", _PACK(talk.saved())
    windows.talks.dirty.clear()
    for deal_id in windows.deals.dirty:
        yield f"deal:{deal_id:x}", _PACK(windows.deals.saved(deal_id))
    windows.deals.dirty.clear()


def everything(windows: Windows) -> None:
    """The next snapshot is a whole one."""
    for number in range(len(SPANS)):
        for ring in (windows.places.rings[number], windows.bots.rings[number]):
            ring.dirty.update(ring.panes())
    windows.seen.dirty.update(windows.seen.panes())
    windows.talks.dirty.update(windows.talks.numbers())
    windows.deals.dirty.update(windows.deals.numbers())


def begun(found: Mapping[str, Any], windows: Windows) -> None:
    """Into new windows: what the head says. Then `put_back` every other field, in any order, and `settle`."""
    windows.locations = {int(number, 16): key for number, key in found["locations"]}
    for key in found["places"]:
        windows.places.place(key)
    for location, bot in found["bots"]:
        windows.know_bot(bot)
        windows.bots.place((location, bot))
    streams = {name: (newest, heard) for name, (newest, heard) in found["streams"].items()}
    windows.watermark.put_back(found["watermark"], streams)
    for number, head_pane in enumerate(found["heads"]):
        if head_pane is not None:
            windows.places.rings[number].advance(head_pane)
            windows.bots.rings[number].advance(head_pane)
    windows.forgot_until = windows.oldest


def put_back(windows: Windows, field: str, blob: bytes) -> None:
    kind, _, name = field.partition(":")
    if kind in _BY_NAME:
        _put_back_pane(windows, _BY_NAME[kind], int(name), blob)
    elif kind == "id":
        windows.seen.put_back(int(name), blob)
    elif kind == "talk":
        windows.talks.put_back(int(name, 16), Talk.of(_UNPACK(blob)))
    elif kind == "deal":
        windows.deals.put_back(int(name, 16), _UNPACK(blob))


def settle(windows: Windows) -> None:
    """All is there."""
    windows.talks.settle()
    windows.deals.settle()
    for number in range(len(SPANS)):
        for table in (windows.places, windows.bots):
            table.rings[number].dirty.clear()
            table.rings[number].changed[: len(table.keys)] = True


def _pane(windows: Windows, number: int, pane: int) -> bytes:
    codes, counts = windows.histograms[number].of(pane)
    held = {
        "places": _sums(windows.places.rings[number], pane),
        "bots": _sums(windows.bots.rings[number], pane),
        "latencies": (codes.tobytes(), counts.tobytes()),
        "leads": windows.leads[number].of(pane),
    }
    return zlib.compress(_PACK(held), 1)


def _sums(ring: Ring, pane: int) -> tuple[bytes, bytes]:
    keys, rows = ring.of(pane)
    return keys.tobytes(), rows.tobytes()


def _put_back_pane(windows: Windows, number: int, pane: int, blob: bytes) -> None:
    held = _UNPACK(zlib.decompress(blob))
    for name, table in (("places", windows.places), ("bots", windows.bots)):
        ring = table.rings[number]
        keys, rows = (_ints(one) for one in held[name])
        if len(keys):
            ring.add(np.full(len(keys), pane), keys, rows.reshape(len(keys), -1))
    codes, counts = (_ints(one) for one in held["latencies"])
    windows.histograms[number].widen(len(windows.bots.keys) * len(KINDS))
    if len(codes):
        windows.histograms[number].add(np.full(len(codes), pane), codes, counts)
    windows.leads[number].put_back(pane, held["leads"])


def _ints(held: bytes) -> Ints:
    return np.frombuffer(held, np.int64)
