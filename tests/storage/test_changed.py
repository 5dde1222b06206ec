"""Rows that come as the fields that changed: only upon the version that they begin at."""

from __future__ import annotations

from typing import Any

import pytest

from domain import ids, tables, wire
from storage import batches, changed, compare, cursor, database, events, leads, rebase, rows, search
from tests.storage.conftest import LOCATION, edit
from tests.storage.test_pulled import apply, block, name_of, page


def change(lead_id: str, from_ver: int, ver: int, **values: Any) -> wire.Page:
    one = wire.Change(table="leads", id=lead_id, from_ver=from_ver, ver=ver, values=values)
    return page(changes=[one], cursor="d")


@pytest.fixture
def lead_id(store: database.Database) -> str:
    """At version 3."""
    made = ids.new_id()
    apply(store, page(block((made, 3, {"name": "Third", "tags": ["a"], "phone": "+12065550100"}))))
    return made


def whole(store: database.Database, lead_id: str) -> tuple[int, dict[str, Any]]:
    found = rows.get(store, tables.LEADS, lead_id)
    assert found is not None
    return found


@pytest.mark.parametrize("from_ver", [1, 3])
def test_a_change_leaves_the_other_fields_alone(
    store: database.Database, lead_id: str, from_ver: int
) -> None:
    _, before = whole(store, lead_id)

    applied = apply(store, change(lead_id, from_ver, 5, name="Fifth", tags=["b"], opted_out=True, phone=None))

    after = {**before, "name": "Fifth", "tags": ["b"], "opted_out": True, "phone": None}
    assert (applied.rows, whole(store, lead_id)) == (1, (5, after))
    assert [hit.id for hit in search.find(store, "fifth")] == [lead_id]
    assert search.find(store, "third") == []


def test_a_row_changed_by_pieces_is_the_row_that_came_whole(store: database.Database, lead_id: str) -> None:
    apply(store, change(lead_id, 3, 4, tags=["z", "ä"], opted_out=False, score=7))
    pieces = compare.sums(store, content=True)
    said = {"name": "Third", "tags": ["z", "ä"], "phone": "+12065550100", "opted_out": False, "score": 7}
    with store.write_tx() as tx:
        rows.remove(tx, tables.LEADS, lead_id)
    apply(store, page(block((lead_id, 4, said))))

    assert compare.sums(store, content=True) == pieces


@pytest.mark.parametrize("ver", [2, 3])
def test_what_the_store_knows_already_is_passed_over(
    store: database.Database, lead_id: str, ver: int
) -> None:
    assert apply(store, change(lead_id, 1, ver, name="Older")).rows == 0
    assert (name_of(store, lead_id), cursor.place(store).cursor) == ("Third", "d")


def test_a_change_of_a_later_version_undoes_the_page(store: database.Database, lead_id: str) -> None:
    other = ids.new_id()
    one = wire.Change(table="leads", id=lead_id, from_ver=4, ver=5, values={"name": "Fifth"})

    with pytest.raises(changed.GapError) as gap:
        apply(store, page(block((other, 1, {})), changes=[one], cursor="d"))

    assert (gap.value.table, gap.value.row_id) == ("leads", lead_id)
    assert (name_of(store, lead_id), leads.get(store, other)) == ("Third", None)
    assert cursor.place(store).cursor == "c"


def test_a_change_of_a_row_that_is_not_here_undoes_the_page(store: database.Database) -> None:
    with pytest.raises(changed.GapError):
        apply(store, change(ids.new_id(), 0, 2, name="Nobody"))


def test_unsent_work_stays_upon_a_change(store: database.Database, lead_id: str) -> None:
    edit(store, lambda e: e.patch("leads", lead_id, {"name": "Mine"}))

    apply(store, change(lead_id, 3, 4, name="Theirs", phone="+12065550199"))

    found = leads.get(store, lead_id)
    base = rebase.base_of(store, tables.LEADS, lead_id)
    assert found is not None
    assert (found.name, found.phone) == ("Mine", "+12065550199")
    assert base.values is not None
    assert (base.ver, base.values["name"], base.values["tags"]) == (4, "Theirs", ["a"])
    (line,) = batches.next_batch(store)
    assert (line.mutation.base_ver, line.mutation.base) == (3, {"name": "Third"})


@pytest.mark.parametrize("from_ver", [3, 4])
def test_under_unsent_work_a_change_fits_the_base_or_nothing(
    store: database.Database, lead_id: str, from_ver: int
) -> None:
    edit(store, lambda e: e.delete("leads", lead_id))

    if from_ver == 4:
        with pytest.raises(changed.GapError):
            apply(store, change(lead_id, from_ver, 5, name="Theirs"))
    else:
        assert apply(store, change(lead_id, from_ver, 3, name="Known")).rows == 0
        assert apply(store, change(lead_id, from_ver, 5, name="Theirs")).rows == 1
    assert rebase.base_of(store, tables.LEADS, lead_id).ver == (3 if from_ver == 4 else 5)
    assert leads.get(store, lead_id) is None


def test_a_base_that_the_server_took_away_needs_the_whole_row(store: database.Database, lead_id: str) -> None:
    edit(store, lambda e: e.patch("leads", lead_id, {"name": "Mine"}))
    apply(store, page(removed=[("leads", lead_id)]))

    with pytest.raises(changed.GapError):
        apply(store, change(lead_id, 3, 5, name="Back"))


def test_a_field_that_only_a_newer_server_has_is_kept(store: database.Database, lead_id: str) -> None:
    apply(store, change(lead_id, 3, 4, mood="sunny", name="Fourth"))
    apply(store, change(lead_id, 4, 5, name="Fifth"))

    ver, values = whole(store, lead_id)
    assert (ver, values["mood"], values["name"], values["tags"]) == (5, "sunny", "Fifth", ["a"])


def test_a_change_that_sqlite_refuses_holds_up_no_other(store: database.Database, lead_id: str) -> None:
    other = ids.new_id()
    apply(store, page(block((other, 1, {}))))
    both = [
        wire.Change(table="leads", id=lead_id, from_ver=3, ver=4, values={"score": 1 << 70}),
        wire.Change(table="leads", id=other, from_ver=1, ver=2, values={"score": 5}),
        wire.Change(table="pets", id=other, from_ver=1, ver=2, values={"score": 5}),
    ]

    assert apply(store, page(changes=both)).rows == 1

    assert (whole(store, lead_id)[0], whole(store, other)[0]) == (3, 2)
    assert {"pull.row_refused", "pull.unknown_table"} <= {one.event for one in events.recent(store)}
    assert leads.get(store, other) is not None
    assert whole(store, other)[1]["location_id"] == LOCATION
