"""What older apps say becomes what today's tables hold, and rows become what older apps read."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import errors, tables, wire
from domain.wire.lenses import CHAIN, Add, Chain, Convert, Lens, Remove, Rename, UnmappableError

PLANTED = Chain(
    current=5,
    lenses=(
        Lens(
            schema=5, table="leads", steps=(Convert("beds", newer=float, older=int), Remove("fax", shown=""))
        ),
        Lens(schema=4, table="leads", steps=(Rename("tel", "phone"), Add("kind", "seller"))),
        Lens(schema=5, table="tasks", steps=(Rename("what", "title"),)),
    ),
)


def mutation(schema: int, patch: dict[str, Any], *, op: str = "patch", table: str = "leads") -> wire.Mutation:
    return wire.Mutation(
        mid=1,
        group="",
        table=table,
        row_id="018f0000-0000-7000-8000-000000000001",
        op=wire.Op(op),
        patch=patch,
        base_ver=1,
        base=patch,
        edit_ms=1,
        seen_server_ms=0,
        schema=schema,
    )


@pytest.mark.parametrize(
    ("schema", "said", "meant"),
    [
        (3, {"tel": "1", "beds": 2, "fax": "9"}, {"phone": "1", "beds": 2.0}),
        (4, {"phone": "1", "beds": 2, "fax": "9"}, {"phone": "1", "beds": 2.0}),
        (5, {"phone": "1", "beds": 2.5}, {"phone": "1", "beds": 2.5}),
        (3, {"tel": None, "beds": None}, {"phone": None, "beds": None}),
        (3, {"name": "Ann"}, {"name": "Ann"}),
    ],
)
def test_an_edit_of_an_older_app_touches_what_it_knew_and_nothing_else(
    schema: int, said: dict[str, Any], meant: dict[str, Any]
) -> None:
    raised = PLANTED.raised(mutation(schema, said))

    assert (raised.patch, raised.base) == (meant, meant)


def test_a_new_row_of_an_older_app_gets_the_defaults_of_fields_that_came_later() -> None:
    assert PLANTED.raised(mutation(3, {"tel": "1"}, op="put")).patch == {"phone": "1", "kind": "seller"}
    assert PLANTED.raised(mutation(3, {"tel": "1"}, op="patch")).patch == {"phone": "1"}
    assert PLANTED.raised(mutation(4, {"kind": "buyer"}, op="put")).patch == {"kind": "buyer"}


def test_other_tables_are_left_alone() -> None:
    assert PLANTED.raised(mutation(3, {"what": "Call"}, table="tasks")).patch == {"title": "Call"}
    assert PLANTED.raised(mutation(3, {"tel": "1"}, table="notes")).patch == {"tel": "1"}


def test_what_cannot_be_said_today_is_told_apart() -> None:
    with pytest.raises(UnmappableError) as fault:
        PLANTED.raised(mutation(4, {"beds": "many"}))
    assert fault.value.code == "schema"


def test_a_newer_app_is_taken_by_its_word_as_far_as_it_is_known() -> None:
    known = mutation(6, {"name": "Ann"})

    assert PLANTED.raised(known) is known
    with pytest.raises(UnmappableError) as fault:
        PLANTED.raised(mutation(6, {"name": "Ann", "mood": "good"}))
    assert fault.value.code == "unknown_field"
    assert "mood" in fault.value.message


def test_a_row_goes_down_as_the_older_app_reads_it() -> None:
    row = wire.Row(table="leads", id="x", ver=1, values={"phone": "1", "kind": "seller", "beds": 2.0})
    block = wire.Block(
        table="leads", columns=("id", "ver", *row.values), rows=[["x", 1, *row.values.values()]]
    )

    assert PLANTED.row(row, 3).values == {"tel": "1", "beds": 2, "fax": ""}
    assert PLANTED.row(row, 4).values == {"phone": "1", "kind": "seller", "beds": 2, "fax": ""}
    assert PLANTED.row(row, 5) is row
    lowered = PLANTED.block(block, 3)
    assert (lowered.columns, lowered.rows) == (("id", "ver", "tel", "beds", "fax"), [["x", 1, "1", 2, ""]])
    assert PLANTED.block(block, 5) is block


def test_an_empty_block_goes_down_with_the_older_header() -> None:
    block = wire.Block(table="leads", columns=("id", "ver", "phone"), rows=[])

    assert PLANTED.block(block, 3).columns == ("id", "ver", "tel", "fax")


@given(
    st.fixed_dictionaries(
        {}, optional={"phone": st.text(), "name": st.text(), "beds": st.integers(0, 99).map(float)}
    ),
    st.integers(3, 5),
)
def test_what_goes_down_and_comes_back_up_is_what_it_was(values: dict[str, Any], schema: int) -> None:
    down = PLANTED.row(wire.Row(table="leads", id="x", ver=1, values=values), schema).values

    assert PLANTED.raised(mutation(schema, dict(down))).patch == values


@pytest.mark.parametrize(("schema", "may"), [(2, False), (3, True), (4, True), (5, True), (6, False)])
def test_two_releases_back_may_pull_and_older_or_newer_ones_are_told_why_not(schema: int, may: bool) -> None:
    if may:
        PLANTED.check(schema)
        return
    with pytest.raises(errors.VersionMismatchError) as fault:
        PLANTED.check(schema)
    assert ("server" if schema > 5 else "Update the app") in fault.value.hint


def test_this_release_has_a_lens_for_each_schema_within_reach() -> None:
    """The first schema has none; whoever raises SCHEMA adds one, or proves here that no field changed its name."""
    assert CHAIN.current == wire.SCHEMA
    assert {lens.schema for lens in CHAIN.lenses} >= set(range(2, wire.SCHEMA + 1)) - set(
        range(wire.SCHEMA - 1)
    )


def test_the_fields_of_a_schema_stay_what_they_are() -> None:
    """Two sides of one schema leave out the columns. Whoever changes domain/tables.py raises `wire.SCHEMA`, and this."""
    every = ";".join(",".join((table.name, *table.columns)) for table in tables.ALL)

    assert (wire.SCHEMA, hashlib.sha256(every.encode()).hexdigest()[:12]) == (1, "02b6421c2a3b")
