"""Leads with one number or e-mail are found on the device as on the server, however either is written."""

from __future__ import annotations

import pytest

from domain import duplicates
from storage import database, leads
from tests.storage.conftest import add_lead

WRITTEN = [
    {"phone": "+19095551005"},
    {"phone": "Cell: 909-555-1005"},
    {"phone": "909 555 1006 / 909 555 1005"},
    {"phone": "909-555-1005"},
    {"phone": "+1 909 555 1005 ext. 4"},
    {"phone": "\uff19\uff10\uff19 555 1005"},
    {"phone": "+442079460958"},
    {"phone": "555-555-5555"},
    {"email": "jo@x.com"},
    {"email": " JO@x.com"},
    {"email": "Jo <jo@X.com>"},
    {"email": "jan@x.com,jo@x.com"},
    {"email": "none"},
    {"phone": "+19095551005", "email": "jan@x.com"},
    {},
]


@pytest.mark.parametrize("asked", WRITTEN, ids=str)
def test_those_that_share_a_number_or_an_e_mail_are_found(
    store: database.Database, asked: dict[str, str]
) -> None:
    made = [add_lead(store, **{"phone": None, "email": None, **given}) for given in WRITTEN]
    ways = [set(duplicates.ways({"phone": None, "email": None, **given})) for given in WRITTEN]
    wanted = set(duplicates.ways({"phone": None, "email": None, **asked}))

    found = leads.same_contact(store, phone=asked.get("phone"), email=asked.get("email"))

    assert {lead.id for lead in found} == {row for row, own in zip(made, ways, strict=True) if own & wanted}
