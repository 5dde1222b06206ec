"""Adding the person one just met."""

from __future__ import annotations

import flet as ft
import pytest

from tests.services.conftest import Bench
from tests.views.agent import field

pytestmark = pytest.mark.anyio


async def test_a_name_and_a_phone_make_a_lead_and_open_it(bench: Bench) -> None:
    async with field.opened(bench, "/leads/new") as phone:
        await phone.type("Name", "Rosa Diaz")
        await phone.type("Phone", "512 555 0188")
        await phone.tap("save-lead")

        row = bench.all("leads")[0]
        assert phone.route == f"/leads/lead/{row['id']}"
        assert (row["name"], row["phone"]) == ("Rosa Diaz", "+15125550188")


async def test_consent_is_never_ticked_beforehand(bench: Bench) -> None:
    async with field.opened(bench, "/leads/new") as phone:
        assert [getattr(box, "value", None) for box in phone.all_of(ft.Checkbox)] == [False, False]
        await phone.type("Name", "Rosa Diaz")
        await phone.type("Phone", "512 555 0188")
        await phone.tap("save-lead")

    assert bench.all("leads")[0]["consent_text"] is None


async def test_what_they_agreed_to_is_kept_in_their_words(bench: Bench) -> None:
    async with field.opened(bench, "/leads/new") as phone:
        await phone.type("Name", "Rosa Diaz")
        await phone.type("Phone", "512 555 0188")
        await phone.tap("They agreed to texts")
        await phone.type("What they said about contact", "text me any time")
        await phone.tap("save-lead")

    row = bench.all("leads")[0]
    assert (row["consent_text"], row["consent_words"]) == (1, "text me any time")


async def test_somebody_who_is_here_already_is_shown_while_typing(bench: Bench) -> None:
    lead_id = bench.lead(name="Ann Lee", phone="+15125550147")

    async with field.opened(bench, "/leads/new") as phone:
        await phone.type("Phone", "(512) 555-0147")
        assert phone.sees("This person may be here already")
        await phone.tap(f"known-{lead_id}")

        assert phone.route == f"/leads/lead/{lead_id}"


async def test_a_bad_number_is_said_at_its_field_and_nothing_is_lost(bench: Bench) -> None:
    async with field.opened(bench, "/leads/new") as phone:
        await phone.type("Name", "Rosa Diaz")
        await phone.type("Phone", "12")
        await phone.tap("save-lead")

        box = phone.find("Phone", ft.TextField)[-1]
        assert isinstance(box, ft.TextField)
        assert box.error
        assert box.value == "12"
    assert not bench.all("leads")


async def test_a_seller_or_a_buyer_with_a_note(bench: Bench) -> None:
    async with field.opened(bench, "/nearby/new") as phone:
        await phone.tap("quick-buyer")
        await phone.type("Name", "Rosa Diaz")
        await phone.type("E-mail", "rosa@example.com")
        await phone.type("Note", "met at the open house")
        await phone.tap("save-lead")

        assert phone.route.startswith("/nearby/lead/")
        assert phone.sees("met at the open house")
    assert bench.all("leads")[0]["kind"] == "buyer"
