"""A row of a sales file becomes a sold property: the comparable sales that prices are judged by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial

from backend.services.imports import cells, closings, places, products
from backend.services.imports.kinds import Context, ImportKind, MakeRow, Reader, Row, check_text
from domain import errors, ids, tables

SQFT_PER_ACRE = 43_560
COLUMNS = (
    "id", "external_id", "created_at", "status", "source", "address", "city", "state", "zip", "lat", "lon",
    "price_cents", "price_on", "beds", "baths", "sqft", "lot_sqft", "floors", "year_built", "year_renovated",
    "condition", "grade", "waterfront", "view",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SaleMaker:
    """Makes rows of COLUMNS out of a recognised file's records."""

    context: Context
    reader: Reader
    product: products.Product

    def __call__(self, row: list[str]) -> Row:
        """Raises: InputError with the reason why the record is no sale."""
        check_text(row)
        self._check_status(row)
        price, sold_on = self._price(row), self._sold_on(row)
        place = places.read(self.context, self.reader, row)
        address = place.address or self._street(row)
        if place.lat is None and not address:
            raise errors.InputError("no place: neither coordinates nor a known ZIP code nor an address")
        whole = partial(self._amount, row, parse=cells.whole)
        number = partial(self._amount, row, parse=cells.number)
        return (
            ids.new_id(),
            self._external_id(row, sold_on, address, place),
            self.context.now,
            "sold",
            self.product.title,
            address,
            place.city,
            place.state,
            place.zip,
            place.lat,
            place.lon,
            price,
            sold_on,
            number("beds"),
            number("baths"),
            whole("sqft"),
            whole("lot_sqft") or self._acres(row),
            number("floors"),
            self._year(row, "year_built"),
            self._year(row, "year_renovated"),
            whole("condition"),
            whole("grade"),
            self.reader.read(row, "waterfront", cells.yes),
            self._view(row),
        )

    def _check_status(self, row: list[str]) -> None:
        status = self.reader.text(row, "status")
        if status and status.lower() not in ("closed", "sold", "s", "c", "cls", "sld"):
            raise errors.InputError(f"no sale: its status is {status[:40]!r}")

    def _price(self, row: list[str]) -> int:
        price: int = self.reader.read(row, "price", cells.cents) or 0
        if price <= 0:
            raise errors.InputError("price: empty or 0")
        return price

    def _sold_on(self, row: list[str]) -> date:
        sold_on: date | None = self.reader.read(row, "price_on", cells.day)
        if sold_on is None:
            raise errors.InputError("date of sale: empty")
        if sold_on > (self.context.now + timedelta(days=1)).date():
            raise errors.InputError(f"date of sale: {sold_on} lies in the future")
        return sold_on

    def _amount(self, row: list[str], word: str, *, parse: partial[float] | type | object) -> float | None:
        """Raises: InputError for what is no number of 0 or more."""
        found: float | None = self.reader.read(row, word, parse)  # type: ignore[arg-type]
        if found is not None and found < 0:
            raise errors.InputError(f"{word}: below 0")
        return found

    def _year(self, row: list[str], word: str) -> int | None:
        """0 means never. Raises: InputError."""
        year: int | None = self.reader.read(row, word, cells.whole) or None
        if year is not None and not 1600 <= year <= self.context.now.year + 5:
            raise errors.InputError(f"{word}: {year} is no year of a house")
        return year

    def _view(self, row: list[str]) -> int | None:
        """King County grades the view 0 to 4; an MLS says yes or no."""
        found: int | None = self.reader.read(row, "view", _view)
        return found

    def _acres(self, row: list[str]) -> int | None:
        acres: float | None = self.reader.read(row, "lot_acres", cells.number)
        return None if acres is None else round(acres * SQFT_PER_ACRE)

    def _street(self, row: list[str]) -> str | None:
        parts = (self.reader.text(row, word) for word in ("number", "street", "suffix"))
        return " ".join(part for part in parts if part) or None

    def _external_id(self, row: list[str], sold_on: date, address: str | None, place: places.Place) -> str:
        """A house may be sold again: its id and the date are one sale."""
        own = self.reader.text(row, "id") or f"~{address or ''} {place.zip or ''} {place.lat} {place.lon}"
        return f"{self.product.key}:{own[:200]}:{sold_on}"


def _view(text: str) -> int:
    try:
        return cells.whole(text)
    except errors.InputError:
        return int(cells.yes(text))


def _maker(context: Context, layout: products.Layout) -> MakeRow:
    return SaleMaker(context, Reader(layout.places), layout.product)


KIND = ImportKind(
    name="sales",
    table=tables.PROPERTIES,
    columns=COLUMNS,
    insert_only=frozenset({"id", "created_at"}),
    defaults={},
    products=closings.ALL,
    maker=_maker,
    words={"approximate": "sales have no coordinates: put in the middle of their ZIP code"},
)
