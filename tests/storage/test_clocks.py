"""When a change was made, whatever hands and networks do to the wall clock."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain import ids
from storage import batches, cursor, database, edits, outbox
from tests import fakes
from tests.storage.conftest import lead

NOW = round(fakes.EPOCH.timestamp() * 1000)
DAY = 24 * 3600 * 1000


def meet(store: database.Database, *, server_ms: int, now_ms: int, mono_ms: int) -> None:
    with store.write_tx() as tx:
        cursor.saw_server(tx, server_ms=server_ms, now_ms=now_ms, mono_ms=mono_ms)


def made(store: database.Database, *, now_ms: int, mono_ms: int) -> int:
    """The edit time of a lead that is made now."""
    now = fakes.EPOCH + timedelta(milliseconds=now_ms - NOW)
    with store.write_tx() as tx:
        edits.start(tx, now, mono_ms / 1000).put("leads", ids.new_id(), lead())
    return outbox.listed(store)[-1].mutation.edit_ms


def sent(store: database.Database, *, now_ms: int, mono_ms: int) -> list[int]:
    with store.write_tx() as tx:
        return [line.mutation.edit_ms for line in batches.take(tx, now_ms=now_ms, mono_ms=mono_ms)]


@pytest.mark.parametrize("wrong", [DAY, -DAY, 3650 * DAY])
def test_a_clock_set_wrong_after_the_server_was_met_changes_no_edit_time(
    store: database.Database, wrong: int
) -> None:
    meet(store, server_ms=NOW + 5000, now_ms=NOW, mono_ms=0)

    assert made(store, now_ms=NOW + wrong + 60_000, mono_ms=60_000) == NOW + 65_000


@pytest.mark.parametrize("wrong", [DAY, -DAY])
def test_a_clock_put_right_before_sending_puts_the_edit_right(store: database.Database, wrong: int) -> None:
    assert made(store, now_ms=NOW + wrong, mono_ms=0) == NOW + wrong

    assert sent(store, now_ms=NOW + 60_000, mono_ms=60_000) == [NOW]


def test_what_was_sent_once_keeps_its_time(store: database.Database) -> None:
    made(store, now_ms=NOW, mono_ms=0)
    first = sent(store, now_ms=NOW, mono_ms=0)
    meet(store, server_ms=NOW + DAY, now_ms=NOW, mono_ms=0)

    assert sent(store, now_ms=NOW, mono_ms=0) == first


def test_less_than_a_second_is_the_network(store: database.Database) -> None:
    meet(store, server_ms=NOW, now_ms=NOW, mono_ms=0)
    made(store, now_ms=NOW, mono_ms=0)
    meet(store, server_ms=NOW + 900, now_ms=NOW, mono_ms=0)

    assert sent(store, now_ms=NOW, mono_ms=0) == [NOW]


def test_the_monotonic_clock_of_another_run_says_nothing(store: database.Database) -> None:
    meet(store, server_ms=NOW + DAY, now_ms=NOW, mono_ms=1_000_000)
    made(store, now_ms=NOW, mono_ms=1_000_000)
    again = database.open_store(store.path)

    assert made(again, now_ms=NOW + 1000, mono_ms=0) == NOW + DAY + 1000
    assert sent(again, now_ms=NOW + 1000, mono_ms=0) == [NOW + DAY, NOW + DAY + 1000]
    again.close()
