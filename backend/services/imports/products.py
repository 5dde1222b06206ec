"""Whose export a CSV file is, by its column names; each product's columns are a table here, not code."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from domain import errors

Columns = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """`columns`: our word → its header names, best first. `signs` are headers by which it is known."""

    key: str
    title: str
    signs: frozenset[str]
    columns: Columns
    needs: tuple[tuple[str, ...], ...]
    needs_words: str
    least_signs: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A recognised header: for each of our words the places of its columns, and what stays unused."""

    product: Product
    places: Mapping[str, tuple[int, ...]]
    unused: tuple[str, ...]


def plain(header: str) -> str:
    """Letters and digits only, lower case: "Email 1 - Type" and "email1_type" are one."""
    return re.sub(r"[^a-z0-9]", "", header.lower())


def _names(*headers: str) -> tuple[str, ...]:
    return tuple(plain(header) for header in headers)


def _words(spec: str) -> Columns:
    """`word = Header, Other header` lines."""
    pairs = (line.split("=", 1) for line in spec.splitlines() if line.strip())
    return {word.strip(): _names(*headers.split(",")) for word, headers in pairs}


_PERSON = (("name", "first_name", "last_name", "company", "phone", "email"),)
_PERSON_WORDS = "a column with a name, a telephone number or an e-mail address"
_COMMON = """
motivation = Motivation, Motivation for selling, Reason for selling, Selling reason
timeline_days = Timeline days
condition = Property condition, Condition, House condition
financing = Financing, Financing status, Pre-approval, Pre-approved
area = Area, Preferred area, Desired area, Preferred location
lat = Latitude, Lat
lon = Longitude, Long, Lon, Lng
"""

GOHIGHLEVEL = Product(
    key="gohighlevel",
    title="GoHighLevel",
    signs=frozenset(
        _names(
            "Contact Id",
            "Business Name",
            "Created",
            "Last Activity",
            "DND",
            "Contact Type",
            "Opportunities",
            "Contact Source",
            "Additional Emails",
            "Additional Phones",
            "Pipeline Stage",
        )
    ),
    columns=_words(f"""
id = Contact Id
first_name = First Name
last_name = Last Name
name = Name, Full Name, Contact Name
company = Business Name, Company Name
phone = Phone, Phone Number, Mobile
email = Email, Email Address
address = Street Address, Address, Address 1, Full Address
city = City
state = State
zip = Postal Code, Zip, Zip Code
created_at = Created, Created On, Created At, Date Added
last_touch_at = Last Activity, Last Activity Date
last_inbound_at = Last Inbound Message, Last Reply
stage = Pipeline Stage, Stage, Opportunity Stage
source = Contact Source, Source, Lead Source
agent = Assigned To, Assigned User
kind = Contact Type, Type, Lead Type
tags = Tags
opted_out = DND, Do Not Disturb, Unsubscribed
consent_text = SMS Consent, Text Consent
price = Price, Asking Price, Property Value, Budget
{_COMMON}"""),
    needs=_PERSON,
    needs_words=_PERSON_WORDS,
)
FOLLOW_UP_BOSS = Product(
    key="follow_up_boss",
    title="Follow Up Boss",
    signs=frozenset(
        _names(
            "Date Added",
            "Lead Source",
            "Is Contacted",
            "Email 1",
            "Email 1 - Type",
            "Phone 1",
            "Phone 1 - Type",
            "Address 1 - Street",
            "Property MLS Number",
            "Listing Price",
            "Deal Stage",
            "Timeframe",
            "Campaign Source",
            "Assigned To",
            "Property Postal Code",
        )
    ),
    columns=_words(f"""
id = ID, Person ID, Lead ID
first_name = First Name
last_name = Last Name
name = Name, Full Name
company = Company
phone = Phone 1, Phone, Phone 2, Phone 3
email = Email 1, Email, Email 2, Email 3
address = Property Address, Address 1 - Street, Address, Street
city = Property City, Address 1 - City, City
state = Property State, Address 1 - State, State
zip = Property Postal Code, Address 1 - Zip, Zip, Postal Code
created_at = Date Added, Created
last_touch_at = Last Activity, Last Communication, Last Contacted
last_inbound_at = Last Received Text, Last Received Email, Last Incoming Call
stage = Stage
source = Lead Source, Source
agent = Assigned To
kind = Type, Lead Type, Contact Type
tags = Tags
opted_out = Unsubscribed, Do Not Contact, DNC
price = Listing Price, Property Price, Price, Budget
timeline = Timeframe
{_COMMON}"""),
    needs=_PERSON,
    needs_words=_PERSON_WORDS,
)
HUBSPOT = Product(
    key="hubspot",
    title="HubSpot",
    signs=frozenset(
        _names(
            "Record ID",
            "Lifecycle Stage",
            "Lead Status",
            "Contact owner",
            "HubSpot owner",
            "Create Date",
            "Last Activity Date",
            "Phone Number",
            "State/Region",
            "Country/Region",
            "Original Source",
            "Unsubscribed from all email",
            "Marketing contact status",
            "Associated Company",
            "Mobile Phone Number",
        )
    ),
    columns=_words(f"""
id = Record ID, Record ID - Contact, Contact ID, VID
first_name = First Name
last_name = Last Name
name = Full Name, Name
company = Company Name, Company, Associated Company
phone = Phone Number, Mobile Phone Number, Phone, Mobile phone
email = Email, Email Address
address = Street Address, Address
city = City
state = State/Region, State, State/Region Code
zip = Postal Code, Zip
created_at = Create Date, Created
last_touch_at = Last Contacted, Last Activity Date, Last Engagement Date
last_inbound_at = Recent Sales Email Replied Date, Time of last inbound, Recent conversion date
stage = Lead Status, Lifecycle Stage
source = Original Source, Original Traffic Source, Lead Source, Latest Source
agent = Contact owner, HubSpot owner
kind = Contact Type, Lead Type, Type, Buyer or Seller
tags = Tags
opted_out = Unsubscribed from all email, Do not contact, Opted out
price = Price, Budget, Asking Price
timeline = Timeframe, Timeline
{_COMMON}"""),
    needs=_PERSON,
    needs_words=_PERSON_WORDS,
)
CRMS = (GOHIGHLEVEL, FOLLOW_UP_BOSS, HUBSPOT)

_SALE = (("price",), ("price_on",), ("lat", "zip", "address"))
KING_COUNTY = Product(
    key="king_county",
    title="King County sales",
    signs=frozenset(
        _names("id", "date", "price", "sqft_living", "yr_built", "zipcode", "sqft_living15", "grade")
    ),
    columns=_words("""
id = id
price_on = date
price = price
beds = bedrooms
baths = bathrooms
sqft = sqft_living
lot_sqft = sqft_lot
floors = floors
waterfront = waterfront
view = view
condition = condition
grade = grade
year_built = yr_built
year_renovated = yr_renovated
zip = zipcode
lat = lat
lon = long
"""),
    needs=_SALE,
    needs_words="a price, a date of sale, and a place (coordinates, ZIP code or address)",
    least_signs=4,
)
MLS = Product(
    key="mls",
    title="MLS sales",
    signs=frozenset(
        _names(
            "ClosePrice",
            "CloseDate",
            "ListingKey",
            "ListingId",
            "MLS #",
            "MLS Number",
            "Sold Price",
            "Sold Date",
            "Sale Price",
            "Sale Date",
            "Selling Price",
            "Selling Date",
            "BedroomsTotal",
            "LivingArea",
            "StandardStatus",
            "UnparsedAddress",
            "Close Price",
            "Close Date",
            "Closing Date",
            "Sold Price Date",
        )
    ),
    columns=_words("""
id = ListingKey, ListingId, MLS #, MLS Number, MLS, Listing Number, ParcelNumber, APN
price = ClosePrice, Sold Price, Sale Price, Selling Price, Closed Price
price_on = CloseDate, Sold Date, Sale Date, Selling Date, Closing Date, Closed Date
status = StandardStatus, MlsStatus, Status
beds = BedroomsTotal, Bedrooms, Beds, BR, Total Bedrooms
baths = BathroomsTotalDecimal, BathroomsTotalInteger, Bathrooms, Baths, BA, Total Baths
sqft = LivingArea, BuildingAreaTotal, SqFt, Square Feet, Living Sq Ft, Sq Ft, Approx SqFt
lot_sqft = LotSizeSquareFeet, Lot SqFt, Lot Sq Ft, Lot Size SqFt
lot_acres = LotSizeAcres, Acres, Lot Acres
floors = StoriesTotal, Stories, Floors
year_built = YearBuilt, Yr Built
year_renovated = YearBuiltEffective, Year Renovated
waterfront = WaterfrontYN, Waterfront
view = ViewYN, View
address = UnparsedAddress, Address, Full Address, Street Address
number = StreetNumber, StreetNumberNumeric
street = StreetName
suffix = StreetSuffix
city = City, PostalCity
state = StateOrProvince, State
zip = PostalCode, Zip, Zip Code, ZipCode
lat = Latitude, Lat
lon = Longitude, Long, Lon, Lng
"""),
    needs=_SALE,
    needs_words="a close price, a close date, and a place (coordinates, PostalCode or address)",
)
SALES = (KING_COUNTY, MLS)


def recognise(header: Sequence[str], products: Sequence[Product], path: Path) -> Layout:
    """The product whose header this is. Raises: ImportFileError naming what was found and what is needed."""
    names = [plain(name) for name in header]
    found = frozenset(names)
    best = max(products, key=lambda product: _fit(product, found))
    layout = _layout(best, header, names)
    known = len(best.signs & found) >= best.least_signs
    if not known or not all(any(word in layout.places for word in group) for group in best.needs):
        raise _unknown(header, products, path)
    return layout


def _fit(product: Product, found: frozenset[str]) -> tuple[int, int]:
    columns = {name for names in product.columns.values() for name in names}
    return len(product.signs & found), len(columns & found)


def _layout(product: Product, header: Sequence[str], names: Sequence[str]) -> Layout:
    first = {name: place for place, name in reversed(list(enumerate(names)))}
    places = {
        word: found
        for word, wanted in product.columns.items()
        if (found := tuple(first[name] for name in wanted if name in first))
    }
    used = {place for found in places.values() for place in found}
    unused = tuple(name for place, name in enumerate(header) if place not in used and name.strip())
    return Layout(product=product, places=places, unused=unused)


def _unknown(header: Sequence[str], products: Sequence[Product], path: Path) -> errors.ImportFileError:
    shown = ", ".join(name.strip()[:40] for name in header[:30]) or "none"
    wanted = "; ".join(
        f"{product.title}: {product.needs_words}, and columns such as {_examples(product)}"
        for product in products
    )
    return errors.ImportFileError(
        f"This header is of no export that is known; nothing was imported. Columns found: {shown}.",
        where=f"{path}:1",
        hint=f"Known are {wanted}. Export again with the header row, or rename the columns.",
    )


def _examples(product: Product) -> str:
    return ", ".join(_EXAMPLES[product.key])


_EXAMPLES = {
    "gohighlevel": ("Contact Id", "First Name", "Phone", "Email", "Created", "Last Activity", "Tags"),
    "follow_up_boss": ("Date Added", "Name", "Stage", "Lead Source", "Assigned To", "Email 1", "Phone 1"),
    "hubspot": ("Record ID", "First Name", "Email", "Phone Number", "Lifecycle Stage", "Create Date"),
    "king_county": ("id", "date", "price", "sqft_living", "zipcode", "lat", "long"),
    "mls": ("ListingKey", "ClosePrice", "CloseDate", "BedroomsTotal", "LivingArea", "Latitude", "Longitude"),
}
