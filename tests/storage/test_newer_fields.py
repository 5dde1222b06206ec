"""Fields that only a newer release knows survive whatever this one does, and its upgrade touches nothing that waits."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain import ids, tables, wire
from storage import amend, compare, database, migrate, outbox, pushed, rows
from tests.storage.conftest import LOCATION, add_lead, edit
from tests.storage.test_pulled import apply, block, page

EXTRA = {"shoe_size": 43, "hobbies": ["golf", {"level": None}], "nick": "Änn"}
steps = st.lists(
    st.sampled_from(("edit", "pull", "stale", "applied", "merged", "restart", "park", "discard", "repair")),
    max_size=10,
)


def newer(row_id: str, ver: int, **values: Any) -> wire.Block:
    one = block((row_id, ver, values))
    return wire.Block(table="leads", columns=(*one.columns, *EXTRA), rows=[[*one.rows[0], *EXTRA.values()]])


class Device:
    """A store and one row of it, with whatever may happen to the row."""

    def __init__(self, path: Path) -> None:
        self.store = database.open_store(path)
        self.row_id, self.ver = ids.new_id(), 1
        apply(self.store, page(newer(self.row_id, 1)))

    def do(self, step: str, number: int) -> None:
        if step == "edit":
            edit(self.store, lambda e: e.patch("leads", self.row_id, {"name": f"Mine {number}"}))
        elif step in ("pull", "stale"):
            self.ver += step == "pull"
            apply(self.store, page(newer(self.row_id, self.ver, name=f"Theirs {number}")))
        elif step == "restart":
            self.store.close()
            self.store = database.open_store(self.store.path)
        elif step == "repair":
            asked = wire.RowsAsk(scope=LOCATION, table="leads", ranges=range(256))
            found = wire.RangeRows(block=newer(self.row_id, self.ver, name="Repaired"))
            with self.store.write_tx() as tx:
                compare.repair(tx, asked, found, force=True)
        else:
            self._settle(step)

    def _settle(self, step: str) -> None:
        lines = outbox.listed(self.store)
        if step == "discard":
            with self.store.write_tx() as tx:
                for line in lines:
                    amend.take_out(tx, outbox.lines(tx, [line.mutation.mid]))
            return
        results = [self._result(line.mutation.mid, step) for line in lines]
        said = wire.PushAnswer(results=results, server_ms=1, incarnation="i")
        with self.store.write_tx() as tx:
            pushed.apply(tx, [line.mutation for line in lines], said, now_ms=1)

    def _result(self, mid: int, step: str) -> wire.Result:
        if step == "park":
            return wire.Result(mid=mid, status=wire.Status.PARKED, code="forbidden", message="No.")
        self.ver += 1
        if step == "applied":
            return wire.Result(mid=mid, status=wire.Status.APPLIED, ver=self.ver)
        one = newer(self.row_id, self.ver, name="Merged")
        values = dict(zip(one.columns[2:], one.rows[0][2:], strict=True))
        row = wire.Row(table="leads", id=self.row_id, ver=self.ver, values=values)
        return wire.Result(mid=mid, status=wire.Status.MERGED, ver=self.ver, row=row)


@given(drawn=steps)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_they_survive_edits_answers_pages_repairs_and_restarts(tmp_path: Path, drawn: list[str]) -> None:
    device = Device(tmp_path / ids.new_id() / "store.db")
    for number, step in enumerate(drawn):
        device.do(step, number)
        found = rows.get(device.store, tables.LEADS, device.row_id)
        assert found is not None
        assert {name: found[1].get(name) for name in EXTRA} == EXTRA
    device.store.close()


def test_an_upgrade_leaves_what_waits_as_it_is(tmp_path: Path) -> None:
    """From the first release's tables, with a row, a waiting change and a recording in them."""
    path, folder = tmp_path / "store.db", tmp_path / "first"
    folder.mkdir()
    shutil.copy(migrate.FOLDER / "0001_tables.sql", folder)
    older = sqlite3.connect(path, isolation_level=None)
    migrate.apply(older, folder)
    row_id = ids.new_id()
    older.execute(
        "INSERT INTO leads (id, location_id, created_at, kind, name, stage, tags, _ver, extra)"
        " VALUES (?, ?, '2026-11-22T16:00:00.000Z', 'seller', 'Older', 'new', '[\"a\"]', 7, '{\"nick\":\"O\"}')",
        (row_id, LOCATION),
    )
    line = (5, "g", "leads", row_id, "patch", '{"name":"Mine", "gone_field":1}', 7, "{}", 1, 1, 1)
    older.execute(
        "INSERT INTO outbox (mid, grp, tbl, row_id, op, patch, base_ver, base, edit_ms, seen_server_ms, schema)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        line,
    )
    before = older.execute("SELECT patch, base, schema, edit_ms FROM outbox").fetchall()
    older.close()

    store = database.open_store(path)
    assert [tuple(row) for row in store.rows("SELECT patch, base, schema, edit_ms FROM outbox")] == before
    found = rows.get(store, tables.LEADS, row_id)
    assert found is not None
    assert (found[0], found[1]["name"], found[1]["tags"], found[1]["nick"]) == (7, "Older", ["a"], "O")
    assert outbox.listed(store)[0].mutation.schema == 1
    add_lead(store)
    assert outbox.listed(store)[-1].mutation.mid == 6
    store.close()
