"""What this device remembers of its talk with the server: who it is, how far it read, how clocks differ."""

from __future__ import annotations

import json
from dataclasses import dataclass

from domain import ids
from storage import database

OFFSET_MATTERS_MS = 1000
"""Less than this is the network's delay, not a wrong clock: edits of two devices keep their order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """Names this store towards the server; a copy of the file gets a new one when the server notices."""

    id: str
    epoch: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """How far the feed was read. `incarnation` names the server's database; `done`/`total` a first load."""

    cursor: str = ""
    incarnation: str = ""
    scopes: frozenset[str] | None = None
    first_done: int = 0
    first_total: int = 0
    first_complete: bool = False
    demo: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerClock:
    """The newest server time seen, and how far the server's clock is ahead of ours, in milliseconds.

    `session`: the run of the process that spoke with the server last; `ahead_ms`: how far the server was ahead of that
    run's monotonic clock, which no hand and no network sets.
    """

    seen_ms: int = 0
    offset_ms: int = 0
    session: str = ""
    ahead_ms: int = 0

    def server_ms(self, session: str, *, now_ms: int, mono_ms: int | None) -> int:
        """The server's time at a moment of ours: by the monotonic clock where this run has met the server."""
        if mono_ms is not None and session and session == self.session:
            return mono_ms + self.ahead_ms
        return now_ms + self.offset_ms


def get(reads: database.Reads, key: str, default: str = "") -> str:
    value = reads.value("SELECT v FROM sync_state WHERE k = ?", (key,))
    return default if value is None else str(value)


def put(tx: database.Transaction, **state: str) -> None:
    tx.executemany(
        "INSERT INTO sync_state (k, v) VALUES (?, ?) ON CONFLICT (k) DO UPDATE SET v = excluded.v",
        list(state.items()),
    )
    tx.touch("sync_state")


def device(reads: database.Reads) -> Device:
    return Device(id=get(reads, "device_id"), epoch=get(reads, "device_epoch"))


def new_device(tx: database.Transaction) -> Device:
    """This store is a copy of another device's: it takes a new name."""
    made = Device(id=ids.new_id(), epoch=ids.new_id())
    put(tx, device_id=made.id, device_epoch=made.epoch)
    return made


def place(reads: database.Reads) -> Place:
    found = {row["k"]: row["v"] for row in reads.rows(_PLACE)}
    scopes = found.get("scopes")
    return Place(
        cursor=found.get("cursor", ""),
        incarnation=found.get("incarnation", ""),
        scopes=frozenset(json.loads(scopes)) if scopes else None,
        first_done=int(found.get("first_done", 0)),
        first_total=int(found.get("first_total", 0)),
        first_complete=found.get("first_complete") == "1",
        demo=found.get("demo") == "1",
    )


_PLACE = (
    "SELECT k, v FROM sync_state WHERE k IN"
    " ('cursor', 'incarnation', 'scopes', 'first_done', 'first_total', 'first_complete', 'demo')"
)


def restart(tx: database.Transaction) -> None:
    """Read the feed from its beginning; rows and outbox stay."""
    put(tx, cursor="", first_done="0", first_total="0", first_complete="0")


def clock(reads: database.Reads) -> ServerClock:
    found = {row[0]: row[1] for row in reads.rows(_CLOCK)}
    return ServerClock(
        seen_ms=int(found.get("seen_server_ms", 0)),
        offset_ms=int(found.get("clock_offset_ms", 0)),
        session=found.get("clock_session", ""),
        ahead_ms=int(found.get("clock_ahead_ms", 0)),
    )


_CLOCK = (
    "SELECT k, v FROM sync_state"
    " WHERE k IN ('seen_server_ms', 'clock_offset_ms', 'clock_session', 'clock_ahead_ms')"
)


def saw_server(tx: database.Transaction, *, server_ms: int, now_ms: int, mono_ms: int | None = None) -> None:
    """Remember the server's time. `now_ms`, `mono_ms`: our clocks in the middle of the request.

    What it says is the newest we know, unless its own clock went back.
    """
    known = clock(tx)
    offset = _steady(server_ms - now_ms, known.offset_ms)
    put(
        tx,
        seen_server_ms=str(max(known.seen_ms, server_ms)),
        clock_offset_ms=str(offset),
        heard=str(heard(tx) + 1),
    )
    if mono_ms is not None:
        ahead = server_ms - mono_ms
        if known.session == tx.session:
            ahead = _steady(ahead, known.ahead_ms)
        put(tx, clock_session=tx.session, clock_ahead_ms=str(ahead))


def heard(reads: database.Reads) -> int:
    """How often anything came from the server."""
    return int(get(reads, "heard", "0"))


def _steady(fresh: int, known: int) -> int:
    return known if abs(fresh - known) < OFFSET_MATTERS_MS else fresh
