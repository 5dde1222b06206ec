"""Pages of the feed: applied whole, once, and never over unsent work."""

from __future__ import annotations

from typing import Any

from domain import ids, tables, wire
from storage import (
    amend,
    batches,
    cursor,
    database,
    events,
    leads,
    outbox,
    outbox_writes,
    pulled,
    rows,
    scopes,
    search,
)
from tests.storage.conftest import LOCATION, add_lead, edit, lead

COLUMNS = ("id", "ver", *tables.LEADS.columns)


def page(*blocks: wire.Block, **values: Any) -> wire.Page:
    known = {
        "cursor": "c",
        "more": False,
        "removed": [],
        "scopes": [LOCATION],
        "server_ms": 1_000,
        "incarnation": "i",
    }
    return wire.Page(blocks=blocks, **{**known, **values})


def block(*found: tuple[str, int, dict[str, Any]]) -> wire.Block:
    made = [
        [
            row_id,
            ver,
            *(lead(created_at="2026-11-22T16:00:00.000Z", **row).get(name) for name in tables.LEADS.columns),
        ]
        for row_id, ver, row in found
    ]
    return wire.Block(table="leads", columns=COLUMNS, rows=made)


def apply(store: database.Database, one: wire.Page) -> pulled.Applied:
    with store.write_tx() as tx:
        return pulled.apply(tx, one, now_ms=400)


def name_of(store: database.Database, lead_id: str) -> str:
    found = leads.get(store, lead_id)
    assert found is not None
    return found.name


def test_an_older_version_never_covers_a_newer_one(store: database.Database) -> None:
    lead_id = ids.new_id()
    for ver, name in ((2, "second"), (1, "first"), (2, "again")):
        apply(store, page(block((lead_id, ver, {"name": name}))))

    assert name_of(store, lead_id) == "second"
    assert [hit.id for hit in search.find(store, "second")] == [lead_id]
    assert search.find(store, "first") == []


def test_a_page_and_its_cursor_and_the_server_s_clock_are_kept_together(store: database.Database) -> None:
    apply(store, page(more=True, done=200, total=1000, demo=True, server_ms=5000))

    place = cursor.place(store)
    assert (place.cursor, place.incarnation, place.demo) == ("c", "i", True)
    assert (place.first_done, place.first_total, place.first_complete) == (200, 1000, False)
    assert (cursor.clock(store).seen_ms, cursor.clock(store).offset_ms) == (5000, 4600)
    apply(store, page(cursor="d", server_ms=4400))
    assert cursor.place(store).first_complete
    assert (cursor.clock(store).seen_ms, cursor.clock(store).offset_ms) == (5000, 4600)


def test_unsent_work_stays_upon_what_comes(store: database.Database) -> None:
    lead_id = ids.new_id()
    apply(store, page(block((lead_id, 1, {"name": "first", "tags": ["a"]}))))
    edit(store, lambda e: e.patch("leads", lead_id, {"name": "mine", "tags": ["a", "mine"]}))
    apply(
        store, page(block((lead_id, 2, {"name": "theirs", "tags": ["a", "theirs"], "phone": "+12065550100"})))
    )

    found = leads.get(store, lead_id)
    assert found is not None
    assert (found.name, found.phone, found.tags) == ("mine", "+12065550100", ("a", "theirs", "mine"))
    (line,) = batches.next_batch(store)
    assert (line.mutation.base_ver, line.mutation.base["name"]) == (1, "first")


def test_an_edit_upon_ones_own_unsent_edit_has_seen_no_more_than_the_first(store: database.Database) -> None:
    lead_id = ids.new_id()
    apply(store, page(block((lead_id, 1, {"name": "first"}))))
    edit(store, lambda e: e.patch("leads", lead_id, {"name": "mine"}))
    apply(store, page(block((lead_id, 2, {"name": "theirs"}))))
    edit(store, lambda e: e.patch("leads", lead_id, {"name": "mine again"}))
    edit(store, lambda e: e.patch("leads", lead_id, {"phone": "+12065550100"}))

    assert [line.mutation.base_ver for line in batches.next_batch(store)] == [1, 1, 2]


def test_a_discarded_change_shows_the_server_s_row_again(store: database.Database) -> None:
    lead_id = ids.new_id()
    apply(store, page(block((lead_id, 1, {"name": "theirs"}))))
    edit(store, lambda e: e.patch("leads", lead_id, {"name": "mine"}))
    with store.write_tx() as tx:
        outbox_writes.mark_parked(tx, 1, code="forbidden", message="No.")
    assert name_of(store, lead_id) == "mine"
    with store.write_tx() as tx:
        amend.take_out(tx, outbox.lines(tx, [1]))

    assert name_of(store, lead_id) == "theirs"
    assert [hit.id for hit in search.find(store, "theirs")] == [lead_id]
    assert store.value("SELECT count(*) FROM shadow") == 0


def test_a_change_on_its_way_can_t_be_discarded(store: database.Database) -> None:
    add_lead(store)
    with store.write_tx() as tx:
        amend.take_out(tx, outbox.lines(tx, [1]))
        amend.send_again(tx, outbox.lines(tx, [1]))

    assert outbox.counts(store).pending == 1


def test_what_a_newer_server_knows_more_is_kept(store: database.Database) -> None:
    lead_id = ids.new_id()
    one = block((lead_id, 1, {}))
    newer = wire.Block(table="leads", columns=(*one.columns, "shoe_size"), rows=[[*one.rows[0], 43]])
    unknown = wire.Block(table="boats", columns=("name",), rows=[[ids.new_id(), 1, "Ada"]])
    apply(store, page(newer, unknown, removed=[("boats", ids.new_id())]))

    found = rows.get(store, tables.LEADS, lead_id)
    assert found is not None
    assert found[1]["shoe_size"] == 43
    assert [event.event for event in events.recent(store)] == ["pull.unknown_table"]


def test_one_row_that_does_not_fit_holds_up_no_other(store: database.Database) -> None:
    good, bad = ids.new_id(), ids.new_id()
    apply(store, page(block((bad, 1, {"name": None}), (good, 1, {"name": "Good"}))))

    assert name_of(store, good) == "Good"
    assert leads.get(store, bad) is None
    (event,) = events.recent(store)
    assert (event.event, event.detail["id"]) == ("pull.row_refused", bad)


def test_a_row_taken_away_goes_from_list_and_search(store: database.Database) -> None:
    lead_id = ids.new_id()
    apply(store, page(block((lead_id, 1, {"name": "Gone"}))))
    apply(store, page(removed=[("leads", lead_id), ("leads", ids.new_id())]))

    assert leads.count(store) == 0
    assert search.find(store, "gone") == []


def test_loading_anew_keeps_everything_on_the_screen_until_it_is_complete(store: database.Database) -> None:
    stays, gone, mine = ids.new_id(), ids.new_id(), add_lead(store, name="Unsent")
    apply(store, page(block((stays, 5, {"name": "Stays"}), (gone, 5, {"name": "Gone"}))))
    with store.write_tx() as tx:
        scopes.start_over(tx)
    assert leads.count(store) == 3
    apply(store, page(block((stays, 2, {"name": "Restored"})), more=True, done=1, total=2))
    assert leads.count(store) == 3
    apply(store, page())

    assert {name_of(store, lead_id) for lead_id in (stays, mine)} == {"Restored", "Unsent"}
    assert leads.get(store, gone) is None
