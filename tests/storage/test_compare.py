"""A store that differs from the server is told apart, and mended without touching unsent work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from domain import digests, ids, tables, wire
from storage import (
    agreed,
    batches,
    compare,
    cursor,
    database,
    events,
    leads,
    outbox,
    outbox_writes,
    rows,
    scopes,
    search,
)
from tests.storage.conftest import ELSEWHERE, LOCATION, add_lead, edit
from tests.storage.test_pulled import apply, block, page

Server = dict[str, tuple[int, dict[str, Any]]]
"""The leads that the server has: version and values by id."""


@pytest.fixture
def server() -> Server:
    return {ids.new_id(): (number + 1, {"name": f"Lead {number}"}) for number in range(20)}


@pytest.fixture
def equal(store: database.Database, server: Server) -> database.Database:
    """A store that was loaded from the server."""
    apply(store, page(listed(server)))
    return store


def listed(server: Server) -> wire.Block:
    return block(*((row_id, ver, row) for row_id, (ver, row) in server.items()))


def ask(*row_ids: str) -> wire.RowsAsk:
    wanted = sorted({digests.range_of(row_id) for row_id in row_ids})
    return wire.RowsAsk(scope=LOCATION, table="leads", ranges=wanted)


def in_ranges(server: Server, asked: wire.RowsAsk) -> wire.RangeRows:
    some = {row_id: row for row_id, row in server.items() if digests.range_of(row_id) in asked.ranges}
    return wire.RangeRows(block=listed(some))


def sums_of(server: Server) -> Mapping[str, Mapping[str, wire.Sum]]:
    total = digests.total(digests.row_hash(row_id, ver) for row_id, (ver, _) in server.items())
    return {LOCATION: {"leads": (len(server), digests.text(total))}}


def repair(store: database.Database, server: Server, row_id: str, **how: Any) -> compare.Repaired:
    asked = ask(row_id)
    with store.write_tx() as tx:
        return compare.repair(tx, asked, in_ranges(server, asked), **how)


def values(store: database.Database, row_id: str) -> tuple[int, str] | None:
    found = rows.get(store, tables.LEADS, row_id)
    return None if found is None else (found[0], found[1]["name"])


def damage(store: database.Database, sql: str, *params: object) -> None:
    with store.write_tx() as tx:
        tx.execute(sql, params)


def test_a_loaded_store_has_the_server_s_sums(equal: database.Database, server: Server) -> None:
    assert compare.sums(equal) == sums_of(server)
    assert compare.unlike(compare.sums(equal), sums_of(server)) == []
    whole = compare.ranges(equal, LOCATION, "leads")
    assert sum(number for number, _ in whole) == len(server)
    assert compare.ranges(equal, ELSEWHERE, "leads") == ((0, "0" * 16),) * 256


def test_unsent_work_is_no_difference(equal: database.Database, server: Server) -> None:
    first, second, *_ = server
    edit(equal, lambda e: e.patch("leads", first, {"name": "Mine"}))
    edit(equal, lambda e: e.delete("leads", second))
    add_lead(equal, name="New here")

    assert compare.sums(equal) == sums_of(server)


def test_unsent_work_is_no_difference_of_contents_either(equal: database.Database, server: Server) -> None:
    sound = compare.sums(equal, content=True)
    edit(equal, lambda e: e.patch("leads", next(iter(server)), {"name": "Mine"}))

    assert compare.sums(equal, content=True) == sound


def test_a_missing_a_stale_and_an_extra_row_are_mended(equal: database.Database, server: Server) -> None:
    missing, stale, extra, *_ = server
    damage(equal, "DELETE FROM leads WHERE id = ?", missing)
    server[stale] = (99, {"name": "Newer"})
    del server[extra]
    assert compare.unlike(compare.sums(equal), sums_of(server)) == [(LOCATION, "leads")]

    for row_id in (missing, stale, extra):
        repair(equal, server, row_id)

    assert compare.sums(equal) == sums_of(server)
    assert values(equal, stale) == (99, "Newer")
    assert leads.get(equal, extra) is None
    assert [hit.id for hit in search.find(equal, "newer")] == [stale]
    told = [event.detail for event in events.recent(equal) if event.event == "compare.repaired"]
    assert sum(detail["rows"] for detail in told) == 2
    assert sum(detail["removed"] for detail in told) == 1


def test_a_damaged_row_shows_in_its_contents_only_and_is_mended_by_an_audit(
    equal: database.Database, server: Server
) -> None:
    row_id = next(iter(server))
    sound = compare.sums(equal, content=True)
    damage(equal, "UPDATE leads SET name = 'Damaged', price_cents = 7 WHERE id = ?", row_id)

    assert compare.sums(equal) == sums_of(server)
    assert compare.sums(equal, content=True) != sound
    assert repair(equal, server, row_id).rows == 0
    assert repair(equal, server, row_id, force=True).rows == 1
    assert compare.sums(equal, content=True) == sound
    assert repair(equal, server, row_id, force=True) == compare.Repaired()


def test_an_edit_stays_upon_a_row_that_is_mended(equal: database.Database, server: Server) -> None:
    row_id = next(iter(server))
    edit(equal, lambda e: e.patch("leads", row_id, {"phone": "+12065550100"}))
    damage(equal, "UPDATE shadow SET base = json_set(base, '$.name', 'Damaged') WHERE id = ?", row_id)
    assert repair(equal, server, row_id, force=True).rows == 1

    found = leads.get(equal, row_id)
    assert found is not None
    assert (found.name, found.phone) == ("Lead 0", "+12065550100")
    assert outbox.counts(equal).pending == 1


def test_a_row_that_is_ahead_by_a_change_under_way_is_no_damage(
    equal: database.Database, server: Server
) -> None:
    (row_id, *_) = server
    edit(equal, lambda e: e.patch("leads", row_id, {"name": "Sent"}))
    with equal.write_tx() as tx:
        batches.take(tx, now_ms=0)
    server[row_id] = (100, {"name": "Sent"})

    assert repair(equal, server, row_id).rows == 0
    assert values(equal, row_id) == (100, "Sent")


def test_a_base_that_the_server_does_not_list_is_gone_and_the_edit_stays_for_its_word(
    equal: database.Database, server: Server
) -> None:
    row_id = next(iter(server))
    edit(equal, lambda e: e.patch("leads", row_id, {"name": "Mine"}))
    del server[row_id]
    assert repair(equal, server, row_id).removed == 1

    assert leads.get(equal, row_id) is None
    assert outbox.counts(equal).pending == 1
    assert compare.sums(equal) == sums_of(server)


def test_a_row_that_nobody_else_knows_is_never_taken_away(equal: database.Database, server: Server) -> None:
    mine = add_lead(equal, name="New here")
    assert repair(equal, server, mine, older=True).removed == 0

    assert values(equal, mine) == (0, "New here")


def test_our_newer_row_counts_but_not_against_another_incarnation(
    equal: database.Database, server: Server
) -> None:
    row_id = next(iter(server))
    damage(equal, "UPDATE leads SET _ver = 50, name = 'Ours' WHERE id = ?", row_id)
    assert repair(equal, server, row_id, force=True).rows == 0
    assert repair(equal, server, row_id, older=True).rows == 1

    assert values(equal, row_id) == (1, "Lead 0")


def test_a_list_that_came_too_late_changes_nothing(equal: database.Database, server: Server) -> None:
    row_id = next(iter(server))
    asked, before = ask(row_id), compare.mark(equal)
    old = in_ranges(server, asked)
    fresh = next(one for one in iter(ids.new_id, "") if one[-2:] == row_id[-2:])
    apply(equal, page(block((fresh, 1, {"name": "Fresh"})), cursor="d"))
    with equal.write_tx() as tx:
        assert compare.repair(tx, asked, old, since=before).late

    assert values(equal, fresh) == (1, "Fresh")


def test_a_row_outside_the_ranges_is_none_of_its_business(equal: database.Database, server: Server) -> None:
    row_id = next(iter(server))
    others = {one for one in server if one[-2:] != row_id[-2:]}
    asked = ask(row_id)
    stranger = f"{row_id[:-2]}{(asked.ranges[0] + 1) % digests.RANGES:02x}"
    with equal.write_tx() as tx:
        compare.repair(tx, asked, wire.RangeRows(block=block((stranger, 1, {}))))

    assert {row["id"] for row in equal.rows("SELECT id FROM leads")} == others


def test_after_a_lost_feed_the_rows_are_compared_not_loaded(equal: database.Database) -> None:
    with equal.write_tx() as tx:
        scopes.go_on_from_now(tx)
    assert cursor.place(equal).cursor == wire.FROM_NOW
    assert agreed.wanted(equal) is agreed.Want.NEWER
    with equal.write_tx() as tx:
        scopes.meet_again(tx)
        agreed.want(tx, agreed.Want.NEWER)
    assert agreed.wanted(equal) is agreed.Want.ALL

    with equal.write_tx() as tx:
        agreed.remember(tx, now_ms=5, equal=True, rows=20, audited_schema=3)
    assert agreed.wanted(equal) is None
    assert agreed.last(equal) == agreed.Agreed(at_ms=5, equal=True, rows=20, audited_ms=5, audited_schema=3)


def test_a_store_that_was_not_loaded_whole_begins_anew(store: database.Database) -> None:
    with store.write_tx() as tx:
        scopes.go_on_from_now(tx)

    assert cursor.place(store).cursor == ""
    assert agreed.wanted(store) is None


@pytest.mark.parametrize("gone_before", [True, False])
def test_a_row_that_another_life_of_the_server_brings_back_is_taken_at_its_low_version(
    equal: database.Database, server: Server, gone_before: bool
) -> None:
    row_id = list(server)[9]
    edit(equal, lambda e: e.patch("leads", row_id, {"phone": "+12065550100"}))
    del server[row_id]
    if gone_before:
        apply(equal, page(removed=[("leads", row_id)]))
    with equal.write_tx() as tx:
        scopes.meet_again(tx)
    repair(equal, server, row_id, older=True)
    with equal.write_tx() as tx:
        outbox_writes.mark_parked(tx, 1, code="not_found", message="No such row.")
    apply(equal, page(block((row_id, 1, {"name": "Back"})), cursor="d"))

    found = leads.get(equal, row_id)
    assert found is not None
    assert (found.name, found.phone, found.ver) == ("Back", "+12065550100", 1)
