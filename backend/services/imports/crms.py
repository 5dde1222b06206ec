"""The columns of GoHighLevel's, Follow Up Boss' and HubSpot's exports, as tables: our word = their header names, best first."""

from __future__ import annotations

from backend.services.imports import products

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

GOHIGHLEVEL = products.Product(
    key="gohighlevel",
    examples="Contact Id, First Name, Phone, Email, Created, Last Activity, Tags",
    title="GoHighLevel",
    own=frozenset(products.names("Contact Id")),
    signs=frozenset(
        products.names(
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
    columns=products.columns(f"""
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
FOLLOW_UP_BOSS = products.Product(
    key="follow_up_boss",
    examples="Date Added, Name, Stage, Lead Source, Assigned To, Email 1, Phone 1",
    title="Follow Up Boss",
    own=frozenset(products.names("Email 1", "Phone 1")),
    signs=frozenset(
        products.names(
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
    columns=products.columns(f"""
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
HUBSPOT = products.Product(
    key="hubspot",
    examples="Record ID, First Name, Email, Phone Number, Lifecycle Stage, Create Date",
    title="HubSpot",
    own=frozenset(products.names("Record ID", "Record ID - Contact")),
    signs=frozenset(
        products.names(
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
    columns=products.columns(f"""
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
ALL = (GOHIGHLEVEL, FOLLOW_UP_BOSS, HUBSPOT)
