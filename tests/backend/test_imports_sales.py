"""Sales of King County and of an MLS become sold properties."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from backend.deps import Deps
from backend.services import imports
from domain import errors
from tests import real_data
from tests.backend import importing
from tests.backend.importing import write

pytestmark = pytest.mark.anyio

KING = tuple(
    "id date price bedrooms bathrooms sqft_living sqft_lot floors waterfront view condition grade sqft_above "
    "sqft_basement yr_built yr_renovated zipcode lat long sqft_living15 sqft_lot15".split()
)
HOUSE = dict(
    zip(
        KING,
        "7129300520,20141013T000000,221900,3,1,1180,5650,1,0,0,3,7,1180,0,1955,0,98178,47.5112,-122.257,1340,5650".split(","),
        strict=True,
    )
)  # fmt: skip
MLS = (
    "ListingKey", "StandardStatus", "ClosePrice", "CloseDate", "BedroomsTotal", "BathroomsTotalDecimal", "LivingArea",
    "LotSizeAcres", "YearBuilt", "StreetNumber", "StreetName", "StreetSuffix", "PostalCode", "Latitude", "Longitude",
    "WaterfrontYN", "ViewYN",
)  # fmt: skip
SALE = {
    "ListingKey": "X1", "StandardStatus": "Closed", "ClosePrice": "$612,500", "CloseDate": "08/14/2026",
    "BedroomsTotal": "4", "BathroomsTotalDecimal": "2.5", "LivingArea": "2,140", "LotSizeAcres": "0.25",
    "YearBuilt": "1998", "StreetNumber": "9871", "StreetName": "Haven", "StreetSuffix": "Ave", "PostalCode": "91730",
    "WaterfrontYN": "N", "ViewYN": "Y",
}  # fmt: skip
REAL = real_data.KING_COUNTY


async def _sold(deps: Deps) -> list[dict[str, Any]]:
    async with deps.pool.acquire() as connection:
        return [dict(row) for row in await connection.fetch("SELECT * FROM properties ORDER BY external_id")]


async def test_a_king_county_sale_becomes_a_sold_property(deps: Deps, tmp_path: Path) -> None:
    report = await imports.run_import_sales(deps, write(tmp_path / "kc.csv", KING, HOUSE))

    [house] = await _sold(deps)
    assert report.started.product == "King County sales"
    assert (house["status"], house["price_cents"], house["price_on"]) == (
        "sold",
        22_190_000,
        date(2014, 10, 13),
    )
    assert (house["lat"], house["lon"], house["city"]) == (47.5112, -122.257, "Seattle")
    assert (house["beds"], house["baths"], house["sqft"], house["year_renovated"]) == (3, 1, 1180, None)
    assert (house["waterfront"], house["external_id"]) == (False, "king_county:7129300520:2014-10-13")


async def test_an_mls_sale_with_reso_names_becomes_a_sold_property(deps: Deps, tmp_path: Path) -> None:
    report = await imports.run_import_sales(deps, write(tmp_path / "mls.csv", MLS, SALE))

    [house] = await _sold(deps)
    assert report.started.product == "MLS sales"
    assert (house["price_cents"], house["price_on"]) == (61_250_000, date(2026, 8, 14))
    assert (house["sqft"], house["lot_sqft"], house["view"]) == (2140, 10_890, 1)
    assert (house["address"], house["city"]) == ("9871 Haven Ave", "Rancho Cucamonga")
    assert house["lat"] == pytest.approx(34.1, abs=0.1)


async def test_the_same_house_sold_twice_is_two_sales_and_a_second_run_changes_nothing(
    deps: Deps, tmp_path: Path
) -> None:
    path = write(tmp_path / "kc.csv", KING, HOUSE, HOUSE | {"date": "20150301T000000", "price": "390000"})
    await imports.run_import_sales(deps, path)
    before = await importing.changes(deps)

    report = await imports.run_import_sales(deps, path)

    assert (report.unchanged, len(await _sold(deps))) == (2, 2)
    assert await importing.changes(deps) == before


async def test_rows_that_are_no_sale_are_rejected_with_the_reason(deps: Deps, tmp_path: Path) -> None:
    path = write(
        tmp_path / "mls.csv",
        MLS,
        SALE,
        SALE | {"StandardStatus": "Active"},
        SALE | {"ClosePrice": ""},
        SALE | {"CloseDate": "soon"},
        SALE | {"Latitude": "91", "Longitude": "0"},
        SALE | {"BedroomsTotal": "many"},
        SALE | {"PostalCode": "", "StreetNumber": "", "StreetName": "", "StreetSuffix": ""},
    )

    report = await imports.run_import_sales(deps, path)

    assert (report.inserted, report.rejected) == (1, 6)
    assert [row["rejected_reason"] for row in importing.rejected(report)] == [
        "no sale: its status is 'Active'",
        "price: empty or 0",
        "price_on: 'soon' is no date",
        "lat: '91' is no coordinate",
        "beds: 'many' is no number",
        "no place: neither coordinates nor a known ZIP code nor an address",
    ]


async def test_leads_given_as_sales_are_a_wrong_header(deps: Deps, tmp_path: Path) -> None:
    path = write(tmp_path / "ghl.csv", importing.GHL, {"First Name": "Ana"})

    with pytest.raises(errors.ImportFileError, match=r"Known are King County sales.*MLS sales"):
        await imports.run_import_sales(deps, path)


async def test_a_new_office_lies_where_its_sales_lie(deps: Deps, tmp_path: Path) -> None:
    await imports.run_import_sales(deps, write(tmp_path / "kc.csv", KING, HOUSE))

    async with deps.pool.acquire() as connection:
        office = await connection.fetchrow("SELECT * FROM locations")
    assert office is not None
    assert (office["name"], office["state"], office["zone"]) == ("Main office", "WA", "America/Los_Angeles")
    assert (office["lat"], office["lon"]) == (47.5112, -122.257)


@pytest.mark.skipif(not REAL.exists(), reason=f"the real sales are not here ({REAL})")
async def test_all_of_king_county_is_imported(deps: Deps) -> None:
    report = await imports.run_import_sales(deps, REAL)

    assert (report.inserted, report.rejected) == (17_356, 0)


_SOLD_LISTS = {
    "redfin": "SALE TYPE,SOLD DATE,ADDRESS,CITY,STATE OR PROVINCE,ZIP OR POSTAL CODE,PRICE,BEDS,BATHS,SQUARE FEET,"
    "YEAR BUILT,STATUS,MLS#,LATITUDE,LONGITUDE\n"
    "PAST SALE,March-1-2026,1 Main St,Seattle,WA,98101,650000,3,2,1800,1990,Sold,N1,47.61,-122.33\n",
    "paragon": "ML Number,Status,Selling Price,Selling Date,Bedrooms,Bathrooms,Approximate Square Footage,Year Built,"
    "Street Number,Street Name,Street Suffix,City,State,Zip Code,Latitude,Longitude\n"
    "N1,Sold,650000,3/1/2026,3,2,1800,1990,1,Main,St,Seattle,WA,98101,47.61,-122.33\n",
}


@pytest.mark.parametrize("vendor", _SOLD_LISTS)
async def test_sold_lists_of_other_vendors_are_read_by_their_own_words(
    deps: Deps, tmp_path: Path, vendor: str
) -> None:
    path = tmp_path / f"{vendor}.csv"
    path.write_text(_SOLD_LISTS[vendor])

    report = await imports.run_import_sales(deps, path)

    [house] = await _sold(deps)
    assert report.rejected == 0
    assert (house["price_cents"], house["price_on"], house["sqft"]) == (65_000_000, date(2026, 3, 1), 1800)
    assert (house["zip"], house["address"], house["external_id"]) == (
        "98101",
        "1 Main St",
        "mls:N1:2026-03-01",
    )
