"""The app of a phone is updated, with all that waits in its store, or put back to an older one."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from domain import errors, wire
from storage import database
from tests.simulation import stores
from tests.simulation.faults import Act
from tests.simulation.phone import Copy, Phone
from tests.simulation.versions import Dialect
from tests.simulation.world import Violation

if TYPE_CHECKING:
    from tests.simulation.sim import Sim

_WAITING = "SELECT mid, tbl, row_id, op, patch, base, base_ver, schema, state FROM outbox ORDER BY mid"
_MANY = 500


def update(sim: Sim, phone: Phone, rng: random.Random) -> None:
    """An older app's store, of the first release's tables and in the older app's words, is opened by today's."""
    if not phone.on or phone.dialect is None or phone.dialect.behind < 0:
        return
    before = phone.dialect
    phone.stop()
    if before.behind:
        _in_older_words(sim, phone, before)
    old = _first_release(phone)
    phone.dialect = Dialect(0, since=1)  # no second update: what waits is said in one former release's words
    sim.world.count("fault:update_app")
    sim.world.note(phone.name, "is updated from", before.behind)
    phone.reopen(Copy(old, b""))
    if rng.random() < 0.4:
        phone.reopen(_torn(phone, rng))
        sim.world.count("fault:killed in an update")
    if (said := _lines(phone.path)) != (kept := _lines_of(old, phone.folder)):
        lost = sorted(set(kept) - set(said)) or said
        raise Violation("I1", f"{phone.name}: an update changed what waits: {lost[:2]}")
    sim.world.count("changes over an update", len(said))


def _in_older_words(sim: Sim, phone: Phone, before: Dialect) -> None:
    """The queue and the journal as the older app wrote them; people remember them so, too."""
    with sqlite3.connect(phone.path) as store:
        for mid, table, row_id, op, patch, base, schema in store.execute(
            "SELECT mid, tbl, row_id, op, patch, base, schema FROM outbox"
        ).fetchall():
            try:
                change = {"mid": mid, "table": table, "patch": json.loads(patch), "base": json.loads(base)}
            except ValueError:
                continue  # a damaged line
            if schema != wire.SCHEMA:
                continue  # of an app before that one
            said = before.change({**change, "op": op})
            store.execute(
                "UPDATE outbox SET patch = ?, base = ?, schema = ? WHERE mid = ?",
                (json.dumps(said["patch"]), json.dumps(said["base"]), schema - before.behind, mid),
            )
            _remembered(sim, phone, (table, row_id), change["patch"], said["patch"])
    store.close()


def _remembered(
    sim: Sim, phone: Phone, row: tuple[str, str], ours: dict[str, Any], theirs: dict[str, Any]
) -> None:
    for written in sim.ledger.written:
        if written.phone == phone.name and written.is_of(row, ours):
            written.older = theirs


def _first_release(phone: Phone) -> bytes:
    """The bytes of a store of the first release, with all that is in this one."""
    path = phone.folder / f"{phone.name}-first.db"
    shutil.copyfile(stores.of_first_release(), path)
    store = sqlite3.connect(path, isolation_level=None)
    store.execute("ATTACH ? AS ours", (str(phone.path),))
    for (table,) in store.execute(
        "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name NOT GLOB '*search*'"
        " AND name NOT GLOB '_sqlite*' AND name NOT GLOB 'sqlite_stat*'"
        " AND name IN (SELECT name FROM ours.sqlite_schema)"
    ).fetchall():
        ours = {row[1] for row in store.execute(f"PRAGMA ours.table_info({table})")}
        names = ", ".join(
            row[1] for row in store.execute(f"PRAGMA main.table_info({table})") if row[1] in ours
        )
        store.execute(f"DELETE FROM main.{table}")  # noqa: S608 - names of the stores
        store.execute(f"INSERT INTO main.{table} ({names}) SELECT {names} FROM ours.{table}")  # noqa: S608
    store.execute("INSERT OR REPLACE INTO sync_state (k, v) VALUES ('audited_schema', '0')")
    store.close()
    made = path.read_bytes()
    path.unlink()
    return made


def _torn(phone: Phone, rng: random.Random) -> Copy:
    """The app was killed while its tables were brought to the new release."""
    now = phone.copy()
    return Copy(now.db, now.wal[: rng.randrange(len(now.wal) + 1)])


def _lines(path: Path) -> list[tuple[Any, ...]]:
    store = sqlite3.connect(path)
    try:
        return [tuple(row) for row in store.execute(_WAITING)]
    finally:
        store.close()


def _lines_of(store: bytes, folder: Path) -> list[tuple[Any, ...]]:
    path = folder / "before.db"
    path.write_bytes(store)
    return _lines(path)


def update_app(sim: Sim, phone: Phone, act: Act, rng: random.Random) -> None:
    update(sim, phone, rng)


def update_ahead(sim: Sim, phone: Phone, act: Act, rng: random.Random) -> None:
    """To a release that the server does not know yet."""
    if phone.on and phone.dialect == Dialect(0):
        sim.world.count("fault:update_ahead")
        phone.dialect = Dialect(-1, since=int(phone.db.value("SELECT coalesce(max(mid), 0) FROM outbox")))
        phone.crash()
        for kind in ("edit", "edit_price", "edit_newer", "edit"):
            sim.person.act(phone, kind, rng)


def end_of_news(sim: Sim) -> None:
    """Nobody writes any more what no server of this world will ever know."""
    for phone in sim.phones:
        if phone.on and phone.dialect and phone.dialect.behind < 0:
            newest = int(phone.db.value("SELECT coalesce(max(mid), 0) FROM outbox"))
            phone.dialect = replace(phone.dialect, until=newest)


def update_with_500(sim: Sim, phone: Phone, act: Act, rng: random.Random) -> None:
    """Work of weeks without a line, and then the update."""
    if not phone.on or phone.dialect is None:
        return
    sim.network.trouble("offline", phone.name, 60, act.seed)
    sim.world.count("fault:update_with_500")
    for _ in range(_MANY):
        sim.person.act(phone, rng.choice(("edit_stage", "edit", "add_tag", "add_visit")), rng)
    update(sim, phone, rng)


def downgrade_app(sim: Sim, phone: Phone, act: Act, rng: random.Random) -> None:
    """An older app finds a newer one's store: it says so and touches nothing; the newer one comes back and goes on."""
    if not phone.on:
        return
    phone.stop()
    mark = (
        "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('store', '9999_next', '')"
    )
    with sqlite3.connect(phone.path) as store:
        store.execute(mark)
    store.close()
    before = phone.copy()
    try:
        database.open_store(phone.path)
    except errors.StoreTooNewError:
        sim.world.count("fault:downgrade_app")
    else:
        raise Violation("I1", f"{phone.name}: an older app opened a newer one's store")
    if phone.copy() != before:
        raise Violation("I1", f"{phone.name}: an older app changed a newer one's store")
    with sqlite3.connect(phone.path) as store:
        store.execute("DELETE FROM _sqlite_migrations WHERE name = '9999_next'")
    store.close()
    phone.reopen(phone.copy())
