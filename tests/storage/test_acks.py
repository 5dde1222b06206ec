"""The quick way of confirming comes to the same as the slow one."""

from __future__ import annotations

import contextlib
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain import ids, tables, wire
from domain.wire import Status
from storage import database, outbox, pushed, rebase, rows
from tests.storage.conftest import LOCATION, add_lead, edit, lead
from tests.storage.test_pulled import apply, page

TABLES = ("leads", "shadow", "outbox")

changes = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from(("name", "phone", "tags", "opted_out", "delete"))),
    max_size=12,
)


def work(store: database.Database, drawn: list[tuple[int, str]]) -> None:
    made = [ids.new_id() for _ in range(3)]
    for lead_id in made:
        edit(store, lambda e, lead_id=lead_id: e.put("leads", lead_id, lead(tags=["a"])))  # type: ignore[misc]
    for number, (which, what) in enumerate(drawn):
        if rows.get(store, tables.LEADS, made[which]) is None:
            continue
        if what == "delete":
            edit(store, lambda e, which=which: e.delete("leads", made[which]))  # type: ignore[misc]
            continue
        value: Any = {"tags": [f"t{number}"], "opted_out": True}.get(what, f"{what} {number}")
        patch = {what: value}
        edit(store, lambda e, which=which, patch=patch: e.patch("leads", made[which], patch))  # type: ignore[misc]


def answered(store: database.Database, *, wordy: bool) -> list[list[tuple[Any, ...]]]:
    """Store after each change was applied, and then undone again; said at length, it goes the slow way."""
    sent = [line.mutation for line in outbox.listed(store)]
    vers: dict[str, int] = {}
    results = []
    for mutation in sent:
        ver = vers[mutation.row_id] = vers.get(mutation.row_id, 0) + 1
        words = "done" if wordy else ""
        results.append(wire.Result(mid=mutation.mid, status=Status.APPLIED, ver=ver, message=words))
    said = wire.PushAnswer(results=results, server_ms=1, incarnation="i")
    with contextlib.suppress(ZeroDivisionError), store.write_tx() as tx:
        assert pushed.apply(tx, sent, said, now_ms=1).safe == len(sent)
        found = [list(tx.each(f"SELECT * FROM {name} ORDER BY 1, 2")) for name in TABLES]  # noqa: S608
        raise ZeroDivisionError
    return found


@given(drawn=changes)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_short_answer_leaves_the_store_as_a_long_one_does(
    store: database.Database, drawn: list[tuple[int, str]]
) -> None:
    with store.write_tx() as tx:
        for name in TABLES:
            tx.execute(f"DELETE FROM {name}")  # noqa: S608
    work(store, drawn)

    short, long = answered(store, wordy=False), answered(store, wordy=True)
    assert short == long


def test_a_row_of_which_more_waits_keeps_its_base(store: database.Database) -> None:
    lead_id = add_lead(store)
    edit(store, lambda e: e.patch("leads", lead_id, {"name": "Second"}))
    first = outbox.listed(store)[0].mutation
    said = wire.PushAnswer(
        results=[wire.Result(mid=first.mid, status=Status.APPLIED, ver=4)], server_ms=1, incarnation="i"
    )
    with store.write_tx() as tx:
        pushed.apply(tx, [first], said, now_ms=1)

    base = rebase.base_of(store, tables.LEADS, lead_id)
    assert base.values is not None
    assert (base.ver, base.values["name"]) == (4, "Ann Lee")
    assert rows.get(store, tables.LEADS, lead_id) == (4, {**base.values, "name": "Second"})


def test_a_row_made_in_a_location_that_went_and_came_back_is_shown_when_it_is_safe(
    store: database.Database,
) -> None:
    """Its author lost the location before it was sent, so that it vanished, and has it again now."""
    lead_id = add_lead(store)
    for scopes in ([], [LOCATION]):
        apply(store, page(scopes=scopes))
    assert rows.get(store, tables.LEADS, lead_id) is None

    confirm(store)

    assert rows.get(store, tables.LEADS, lead_id) is not None


def test_a_row_made_in_a_location_that_went_is_not_shown_when_it_is_safe(store: database.Database) -> None:
    lead_id = add_lead(store)
    apply(store, page(scopes=[]))

    confirm(store)

    assert rows.get(store, tables.LEADS, lead_id) is None


def confirm(store: database.Database) -> None:
    sent = [line.mutation for line in outbox.listed(store)]
    results = [wire.Result(mid=one.mid, status=Status.APPLIED, ver=1) for one in sent]
    with store.write_tx() as tx:
        pushed.apply(tx, sent, wire.PushAnswer(results=results, server_ms=1, incarnation="i"), now_ms=1)
