"""Searching what this device has."""

from __future__ import annotations

import pytest

from tests.services.conftest import Bench
from tests.views.agent import field

pytestmark = pytest.mark.anyio
FIELD = "What do you look for?"


async def test_words_find_a_lead_and_open_it(bench: Bench) -> None:
    lead_id = bench.lead(name="Rosa Diaz", address="12 Oak Street")

    async with field.opened(bench, "/search") as phone:
        await phone.type(FIELD, "rosa")
        assert phone.sees("Rosa Diaz")
        await phone.tap(f"hit-{lead_id}")

        assert phone.route == f"/search/lead/{lead_id}"


async def test_what_led_somewhere_is_offered_again(bench: Bench) -> None:
    lead_id = bench.lead(name="Rosa Diaz")
    async with field.opened(bench, "/search") as phone:
        await phone.type(FIELD, "rosa")
        await phone.tap(f"hit-{lead_id}")
        await phone.go("/search")
        await phone.type(FIELD, "")

        assert phone.sees("Searched before")
        assert phone.sees("rosa")


async def test_nothing_found_is_said_with_what_to_do(bench: Bench) -> None:
    async with field.opened(bench, "/search") as phone:
        await phone.type(FIELD, "zzzz")

        assert phone.sees("Nothing found for “zzzz”")
        assert phone.sees("Try fewer or other words")
