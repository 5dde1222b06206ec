"""A row that the device has comes as what changed in it since then; in any doubt it comes whole."""

from __future__ import annotations

import pytest

from backend.deps import Deps
from domain import tables, wire
from tests.backend.sync.conftest import MakeDevice, Stamp
from tests.backend.sync.devices import Device, new_lead
from tests.backend.sync.test_old_apps import talk_of

pytestmark = pytest.mark.anyio
TODAY = {wire.SCHEMA_HEADER: str(wire.SCHEMA)}
BOTH = ("Rancho Cucamonga", "Dallas")


async def patch(device: Device, lead: str, **values: object) -> None:
    (result,) = await device.push(device.mutation("patch", "leads", lead, values, base_ver=99))
    assert result.status in (wire.Status.APPLIED, wire.Status.MERGED), result


def whole_rows(page: wire.Page) -> list[str]:
    return [row[0] for block in page.blocks for row in block.rows]


@pytest.fixture
async def two(make_device: MakeDevice, stamp: Stamp) -> tuple[Device, Device, str]:
    """A phone that has the tables of today, a desk, and a lead that both know."""
    phone, desk = await make_device(locations=BOTH), await make_device("manager", locations=BOTH)
    phone.headers |= TODAY
    lead = await new_lead(desk)
    await stamp()
    await phone.pull()
    await desk.pull()
    return phone, desk, lead


async def test_all_fields_that_changed_since_the_cursor_come_as_they_are_now(
    two: tuple[Device, Device, str], stamp: Stamp
) -> None:
    phone, desk, lead = two
    await patch(desk, lead, name="Bo", tags=["a"])
    await stamp()
    await patch(desk, lead, name="Cy", phone=None, price_on="1980-02-03")
    await stamp()

    page = await phone.page()

    values = {"name": "Cy", "tags": ["a"], "price_on": "1980-02-03"}
    assert list(page.changes) == [wire.Change(table="leads", id=lead, from_ver=1, ver=3, values=values)]
    assert whole_rows(page) == []
    assert not (await phone.page()).changes


async def test_fields_that_the_phone_changed_itself_come_along_for_its_answer_may_be_lost(
    two: tuple[Device, Device, str], stamp: Stamp
) -> None:
    phone, desk, lead = two
    await patch(phone, lead, name="Bo")
    await patch(desk, lead, area="North")
    await stamp()

    (change,) = (await phone.page()).changes

    assert (change.from_ver, change.ver, change.values) == (1, 3, {"name": "Bo", "area": "North"})


async def test_a_change_is_told_from_where_this_page_begins(
    two: tuple[Device, Device, str], stamp: Stamp
) -> None:
    phone, desk, lead = two
    await patch(phone, lead, name="Bo")
    await stamp()
    await phone.page()
    await patch(desk, lead, area="North")
    await stamp()

    (change,) = (await phone.page()).changes

    assert (change.from_ver, change.ver, change.values) == (2, 3, {"area": "North"})


async def test_a_row_made_since_then_comes_whole(two: tuple[Device, Device, str], stamp: Stamp) -> None:
    phone, desk, _ = two
    made = await new_lead(desk)
    await patch(desk, made, name="Bo")
    await stamp()

    page = await phone.page()

    assert (whole_rows(page), list(page.changes)) == ([made], [])


async def test_a_row_that_was_deleted_and_came_back_comes_whole(
    two: tuple[Device, Device, str], stamp: Stamp, deps: Deps
) -> None:
    phone, desk, lead = two
    await patch(desk, lead, name="Bo")
    for at in ("now()", "NULL"):
        await deps.pool.execute(f"UPDATE leads SET _deleted_at = {at} WHERE id = $1", lead)  # noqa: S608
    await stamp()

    page = await phone.page()

    assert (whole_rows(page), list(page.changes)) == ([lead], [])


async def test_a_row_that_moves_comes_whole_only_to_who_did_not_see_it_before(
    two: tuple[Device, Device, str], make_device: MakeDevice, stamp: Stamp, deps: Deps
) -> None:
    phone, desk, _ = two
    other = await make_device(locations=BOTH[1:])
    other.headers |= TODAY
    (there,) = other.locations
    (here,) = set(desk.locations) - {there}
    lead = await new_lead(desk, location_id=here)
    await stamp()
    await other.pull()
    await phone.pull()
    await deps.pool.execute("UPDATE leads SET location_id = $2 WHERE id = $1", lead, there)
    await stamp()

    known, fresh = await phone.page(), await other.page()

    assert ([one.values for one in known.changes], whole_rows(known)) == ([{"location_id": there}], [])
    assert (list(fresh.changes), whole_rows(fresh)) == ([], [lead])


@pytest.mark.parametrize("asks", ["whole", "no schema"])
async def test_who_asks_for_whole_rows_or_names_no_tables_gets_them(
    two: tuple[Device, Device, str], stamp: Stamp, asks: str
) -> None:
    phone, desk, lead = two
    await patch(desk, lead, name="Bo")
    await stamp()
    headers = {name: value for name, value in phone.headers.items() if asks == "whole" or name not in TODAY}

    answer = await phone.client.get(
        "/api/sync/pull", params={"cursor": phone.cursor, "whole": asks == "whole"}, headers=headers
    )

    page = wire.Page.from_json(answer.json())
    assert (whole_rows(page), list(page.changes)) == ([lead], [])


async def test_an_app_of_another_release_gets_whole_rows_in_its_own_words(
    two: tuple[Device, Device, str], stamp: Stamp, deps: Deps
) -> None:
    phone, desk, lead = two
    await patch(desk, lead, name="Bo")
    await stamp()

    for schema, whole in ((3, [lead]), (5, [])):
        talk = await talk_of(deps, phone, schema)
        page = await talk.pull(wire.PullAsk(cursor=phone.cursor, changes=True))
        assert (whole_rows(page), len(page.changes)) == (whole, 1 - len(whole))


async def test_rows_changed_by_pieces_are_the_rows_that_come_whole(
    two: tuple[Device, Device, str], stamp: Stamp, deps: Deps
) -> None:
    """Fields of every type."""
    phone, desk, lead = two
    before = dict(phone.rows)
    await deps.pool.execute(
        "UPDATE leads SET lat = 1.5, timeline_days = 7, opted_out = true, tags = $2, created_at = now(), price_on = '1980-02-03'"
        " WHERE id = $1",
        lead,
        ["ä", "b"],
    )
    await stamp()
    (change,) = (await phone.page()).changes
    whole = await desk.page()

    known = dict(zip(tables.LEADS.columns, before["leads", lead][2:], strict=True))
    assert [[lead, change.ver, *{**known, **change.values}.values()]] == [
        list(row) for block in whole.blocks for row in block.rows
    ]
