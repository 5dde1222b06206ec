"""Contacts of three CRMs become leads; a second run changes nothing, and an edit in the app stays."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from backend.deps import Deps
from backend.services import demo, imports
from backend.services.imports import crms, products
from backend.storage import kin
from domain import errors
from tests.backend import importing
from tests.backend.importing import FUB, GHL, HUBSPOT, write
from tests.serving import MakeUser

pytestmark = pytest.mark.anyio

ANA = {
    "Contact Id": "c1",
    "First Name": "Ana",
    "Last Name": "López",
    "Phone": "(206) 555-0101",
    "Email": "Ana@Mail.example",
    "Created": "2026-09-18T21:36:17-07:00",
    "Last Activity": "Sep 19 2026 09:37 PM",
    "Tags": "seller, spring",
}


async def test_a_gohighlevel_export_is_recognised_and_read(deps: Deps, tmp_path: Path) -> None:
    report = await importing.leads(deps, write(tmp_path / "ghl.csv", GHL, ANA))

    [lead] = await importing.rows(deps)
    assert report.started.product == "GoHighLevel"
    assert (lead["name"], lead["phone"], lead["email"]) == ("Ana López", "+12065550101", "ana@mail.example")
    assert (lead["kind"], lead["stage"], lead["tags"]) == ("seller", "new", ["seller", "spring"])
    assert lead["created_at"] == datetime(2026, 9, 19, 4, 36, 17, tzinfo=UTC)
    assert lead["last_touch_at"] == datetime(2026, 9, 19, 21, 37, tzinfo=UTC)
    assert lead["external_id"] == "gohighlevel:c1"


@pytest.mark.parametrize(
    ("header", "product"),
    [
        ("Contact Id,First Name,Last Name,Phone,Email", "GoHighLevel"),
        ("Contact Id,First Name,Last Name,Phone Number,Email", "GoHighLevel"),
        ("Name,Email 1", "Follow Up Boss"),
        ("First Name,Phone 1", "Follow Up Boss"),
        ("Record ID,First Name,Last Name,Email", "HubSpot"),
        ("Record ID - Contact,Email", "HubSpot"),
    ],
)
def test_a_few_columns_are_enough_when_one_is_the_products_own(header: str, product: str) -> None:
    layout = products.recognise(header.split(","), crms.ALL, Path("few.csv"))

    assert (layout.product.title, layout.unused) == (product, ())


@pytest.mark.parametrize(
    "header", ["Contact Id,Colour", "First Name,Last Name,Phone,Email", "Record ID,Size"]
)
def test_a_products_own_column_without_a_person_or_a_person_alone_is_a_wrong_header(header: str) -> None:
    with pytest.raises(errors.ImportFileError, match="of no export that is known"):
        products.recognise(header.split(","), crms.ALL, Path("few.csv"))


async def test_a_follow_up_boss_export_is_recognised_and_read(
    deps: Deps, tmp_path: Path, make_user: MakeUser
) -> None:
    agent = await make_user(locations=("Main office",))
    row = {
        "Date Added": "09/18/2026", "Name": "Ben Novak", "Stage": "Hot Prospect", "Assigned To": agent.name.upper(),
        "Lead Source": "Zillow", "Listing Price": "$450,000", "Phone 1": "not a number", "Phone 2": "206-555-0102",
        "Address 1 - Street": "12 Alder St", "Address 1 - Zip": "98103", "Timeframe": "3-6 Months", "ID": "77",
        "Tags": "Buyer; vip",
    }  # fmt: skip

    report = await importing.leads(deps, write(tmp_path / "fub.csv", FUB, row))

    [lead] = await importing.rows(deps)
    assert report.started.product == "Follow Up Boss"
    assert (lead["stage"], lead["stage_reason"]) == ("qualified", "Imported as “Hot Prospect”")
    assert (lead["price_cents"], lead["timeline_days"], lead["kind"]) == (45_000_000, 180, "buyer")
    assert (lead["phone"], lead["agent_id"]) == ("+12065550102", agent.id)
    assert (lead["city"], lead["state"]) == ("Seattle", "WA")


async def test_a_hubspot_export_is_recognised_and_its_unsubscribed_are_opted_out(
    deps: Deps, tmp_path: Path
) -> None:
    row = {
        "Record ID": "901", "First Name": "Carla", "Email": "carla@mail.example", "Lead Status": "In progress",
        "Create Date": "2026-03-12 09:14", "Unsubscribed from all email": "true",
    }  # fmt: skip

    report = await importing.leads(deps, write(tmp_path / "hubspot.csv", HUBSPOT, row))

    [lead] = await importing.rows(deps)
    assert report.started.product == "HubSpot"
    assert (lead["stage"], lead["opted_out"]) == ("contacted", True)
    assert "HubSpot" in lead["opted_out_words"]


@pytest.mark.parametrize("tag", ["DNC", "do not contact", "Unsubscribed"])
async def test_a_tag_that_says_stop_is_an_opt_out(deps: Deps, tmp_path: Path, tag: str) -> None:
    await importing.leads(deps, write(tmp_path / "a.csv", GHL, ANA | {"Tags": tag}))

    assert (await importing.rows(deps))[0]["opted_out"] is True


async def test_header_names_in_any_case_and_spacing_are_known_and_others_are_named(
    deps: Deps, tmp_path: Path
) -> None:
    header = [*(name.upper().replace(" ", "_") for name in GHL), "Shoe size"]
    row = {name.upper().replace(" ", "_"): value for name, value in ANA.items()}

    report = await importing.leads(deps, write(tmp_path / "a.csv", header, row))

    assert report.inserted == 1
    assert report.started.unused == ("Shoe size",)


async def test_a_zip_code_gives_an_approximate_place_that_says_so(deps: Deps, tmp_path: Path) -> None:
    row = {"Record ID": "1", "First Name": "Eli", "Email": "e@mail.example", "Postal Code": "98103-1234"}

    report = await importing.leads(deps, write(tmp_path / "a.csv", HUBSPOT, row))

    [lead] = await importing.rows(deps)
    assert (lead["lat"], lead["lon"]) == (pytest.approx(47.67, abs=0.02), pytest.approx(-122.34, abs=0.02))
    assert lead["tags"] == ["approximate location (ZIP)"]
    assert any("middle of their ZIP code" in note for note in report.notes)


async def test_a_second_run_changes_nothing(deps: Deps, tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", GHL, ANA, ANA | {"Contact Id": "", "Phone": "206 555 0103", "Email": ""})
    await importing.leads(deps, path)
    before, seen = await importing.changes(deps), await importing.rows(deps)

    report = await importing.leads(deps, path)

    assert (report.inserted, report.updated, report.unchanged) == (0, 0, 2)
    assert await importing.changes(deps) == before
    assert await importing.rows(deps) == seen


async def test_a_newer_export_updates_what_nobody_edited_here(deps: Deps, tmp_path: Path) -> None:
    await importing.leads(deps, write(tmp_path / "a.csv", GHL, ANA))
    async with deps.pool.acquire() as connection:
        await connection.execute("UPDATE leads SET name = 'Ana L. (confirmed)'")

    newer = ANA | {"First Name": "Anna", "Phone": "206-555-0199", "Email": "", "Tags": "seller, autumn"}
    report = await importing.leads(deps, write(tmp_path / "a.csv", GHL, newer))

    [lead] = await importing.rows(deps)
    assert report.updated == 1
    assert lead["name"] == "Ana L. (confirmed)"
    assert (lead["phone"], lead["tags"]) == ("+12065550199", ["autumn", "seller"])
    assert lead["email"] == "ana@mail.example"


async def test_an_export_updates_its_own_earlier_update(deps: Deps, tmp_path: Path) -> None:
    for phone in ("206-555-0101", "206-555-0102", "206-555-0103"):
        await importing.leads(deps, write(tmp_path / "a.csv", GHL, ANA | {"Phone": phone}))

    assert (await importing.rows(deps))[0]["phone"] == "+12065550103"


async def test_an_opt_out_is_never_taken_back_by_an_import(deps: Deps, tmp_path: Path) -> None:
    header = [*GHL, "DND"]
    await importing.leads(deps, write(tmp_path / "a.csv", header, ANA | {"DND": "true"}))
    await importing.leads(deps, write(tmp_path / "a.csv", header, ANA | {"DND": "false"}))

    assert (await importing.rows(deps))[0]["opted_out"] is True


async def test_an_imported_opt_out_reaches_every_lead_with_the_number_and_a_number_that_is_out_is_imported_so(
    deps: Deps, tmp_path: Path
) -> None:
    twin = {**ANA, "Contact Id": "c2", "Phone": "206.555.0101", "Email": "other@mail.example"}
    mailed = {**ANA, "Contact Id": "c3", "Phone": "", "Email": "OTHER@mail.example"}
    others = {**ANA, "Contact Id": "c4", "Phone": "206-555-0102", "Email": "nobody@mail.example"}
    await importing.leads(deps, write(tmp_path / "first.csv", GHL, ANA, mailed, others))
    await importing.leads(deps, write(tmp_path / "second.csv", GHL, {**twin, "Tags": "DNC"}))
    await importing.leads(deps, write(tmp_path / "third.csv", GHL, {**twin, "Contact Id": "c5"}))

    found = {row["external_id"].rpartition(":")[2]: row for row in await importing.rows(deps)}

    assert {name for name, row in found.items() if row["opted_out"]} == {"c1", "c2", "c3", "c5"}
    assert found["c1"]["opted_out_words"] == found["c5"]["opted_out_words"] == kin.EARLIER


async def test_a_lead_deleted_here_does_not_come_back(deps: Deps, tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", GHL, ANA)
    await importing.leads(deps, path)
    async with deps.pool.acquire() as connection:
        await connection.execute("UPDATE leads SET _deleted_at = now()")

    report = await importing.leads(deps, path)

    assert report.unchanged == 1
    assert (await importing.rows(deps))[0]["_deleted_at"] is not None


async def test_leads_of_another_location_stay_apart(deps: Deps, tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", GHL, ANA)

    await imports.run_import_leads(deps, path, "North")
    await imports.run_import_leads(deps, path, "South")

    found = await importing.rows(deps)
    assert len({lead["location_id"] for lead in found}) == len(found) == 2


async def test_a_database_with_the_demo_takes_no_real_leads(deps: Deps, tmp_path: Path) -> None:
    await demo.run_demo(deps, lead_count=10)
    before = await importing.changes(deps)

    with pytest.raises(errors.ImportFileError, match="holds the demo"):
        await importing.leads(deps, write(tmp_path / "a.csv", GHL, ANA))

    assert await importing.changes(deps) == before


async def test_progress_tells_what_was_recognised_how_far_it_is_and_the_end(
    deps: Deps, tmp_path: Path
) -> None:
    told: list[str] = []

    await imports.run_import_leads(
        deps, write(tmp_path / "a.csv", GHL, ANA), progress=lambda line: told.append(str(line))
    )

    assert told[0].startswith("Recognised a GoHighLevel export (utf-8); importing into “Main office”")
    assert told[1].startswith("leads: 1 rows, 0 rejected")
    assert told[2].startswith("Done in")


async def test_an_import_that_was_cut_off_goes_on_without_storing_anything_twice(
    deps: Deps, tmp_path: Path
) -> None:
    people = [ANA | {"Contact Id": f"c{n}", "Phone": f"206-555-{n:04d}"} for n in range(6_000)]
    path = write(tmp_path / "a.csv", GHL, *people)

    def cut(line: object) -> None:
        if str(line).startswith("leads: 5,000"):
            raise ConnectionResetError("cut")

    with pytest.raises(errors.EngineError, match="after 5,000 rows"):
        await imports.run_import_leads(deps, path, progress=cut)
    report = await importing.leads(deps, path)

    assert (report.inserted, report.unchanged) == (1_000, 5_000)
    assert len(await importing.rows(deps)) == 6_000
