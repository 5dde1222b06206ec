"""An empty store is filled without its indexes, and has them all again whatever happens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from domain import ids
from storage import cursor, database, indexes, leads, search
from tests.storage.conftest import add_lead
from tests.storage.test_pulled import apply, block, page

TOTAL = indexes.WORTH_IT + 1


def load(store: database.Database, pages: int = 3) -> Iterator[int]:
    """Page by page; says how many rows are there."""
    for number in range(pages):
        some = sorted(ids.new_id() for _ in range(20))
        last = number == pages - 1
        one = block(*((row_id, 1, {"name": f"Lead {number}", "phone": "+12065550100"}) for row_id in some))
        apply(store, page(one, more=not last, done=20 * number, total=TOTAL, cursor=f"c{number}"))
        yield leads.count(store)


def names(store: database.Database) -> set[str]:
    return {row["name"] for row in store.rows("SELECT name FROM sqlite_schema WHERE type = 'index'")}


def test_rows_are_listed_and_found_while_the_rest_comes(store: database.Database) -> None:
    whole = names(store)
    pages = load(store)
    assert next(pages) == 20
    assert "leads_by_phone" not in names(store)
    assert len(search.find(store, "lead 0", limit=100)) == 20
    lead_id = add_lead(store, name="Mine")
    assert [hit.id for hit in search.find(store, "mine")] == [lead_id]
    assert len(leads.same_contact(store, phone="+12065550100", email=None, except_id="")) > 0

    assert list(pages) == [41, 61]
    assert names(store) == whole
    assert indexes.missing(store) == []
    assert len(search.find(store, "lead", limit=100)) == 60


def test_a_load_that_was_killed_has_its_indexes_when_the_store_is_opened(tmp_path: Path) -> None:
    store = database.open_store(tmp_path / "store.db")
    whole, pages = names(store), load(store)
    next(pages)
    assert names(store) < whole
    again = database.open_store(store.path)  # the other one is as good as dead

    assert names(again) == whole
    assert leads.count(again) == 20
    assert cursor.place(again).cursor == "c0"
    assert list(pages) == [40, 60]
    assert names(again) == whole
    again.close()
    store.close()


@pytest.mark.parametrize("total", [TOTAL, 10])
def test_a_store_with_rows_or_a_short_load_keeps_its_indexes(store: database.Database, total: int) -> None:
    whole = names(store)
    if total == TOTAL:
        add_lead(store)
    apply(store, page(block((ids.new_id(), 1, {})), more=True, done=1, total=total))

    assert names(store) == whole


def test_a_second_load_keeps_them_too(store: database.Database) -> None:
    whole = names(store)
    assert list(load(store))[-1] == 60
    apply(store, page(block((ids.new_id(), 1, {})), more=True, done=1, total=TOTAL))

    assert names(store) == whole
