"""The columns of files with closed sales, as tables: King County's, and an MLS' (RESO names and what people call them)."""

from __future__ import annotations

from backend.services.imports import products

_SALE = (("price",), ("price_on",), ("lat", "zip", "address"))
KING_COUNTY = products.Product(
    key="king_county",
    examples="id, date, price, sqft_living, zipcode, lat, long",
    title="King County sales",
    signs=frozenset(
        products.names("id", "date", "price", "sqft_living", "yr_built", "zipcode", "sqft_living15", "grade")
    ),
    columns=products.columns("""
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
MLS = products.Product(
    key="mls",
    examples="ListingKey, ClosePrice, CloseDate, BedroomsTotal, LivingArea, Latitude, Longitude",
    title="MLS sales",
    signs=frozenset(
        products.names(
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
    columns=products.columns("""
id = ListingKey, ListingId, MLS #, MLS Number, MLS, Listing Number, ML Number, MLS ID, ParcelNumber, APN
price = ClosePrice, Sold Price, Sale Price, Selling Price, Closed Price, Price
price_on = CloseDate, Sold Date, Sale Date, Selling Date, Closing Date, Closed Date
status = StandardStatus, MlsStatus, Status
beds = BedroomsTotal, Bedrooms, Beds, BR, Total Bedrooms
baths = BathroomsTotalDecimal, BathroomsTotalInteger, Bathrooms, Baths, BA, Total Baths
sqft = LivingArea, BuildingAreaTotal, SqFt, Square Feet, Living Sq Ft, Sq Ft, Approx SqFt, Square Footage, Approximate Square Footage
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
zip = PostalCode, Zip, Zip Code, ZipCode, ZIP or Postal Code
lat = Latitude, Lat
lon = Longitude, Long, Lon, Lng
"""),
    needs=_SALE,
    needs_words="a close price, a close date, and a place (coordinates, PostalCode or address)",
)
ALL = (KING_COUNTY, MLS)
