"""Passwords are hashed, checked a few at a time, and unknown users cost the same."""

from __future__ import annotations

import asyncio

import pytest

from backend.services.passwords import Passwords
from domain import errors

pytestmark = pytest.mark.anyio


async def test_right_password_fits_and_a_wrong_one_does_not() -> None:
    passwords = Passwords()
    stored = await passwords.hash("correct horse")

    assert await passwords.fits("correct horse", stored)
    assert not await passwords.fits("Correct horse", stored)


async def test_profile_is_19_mib_two_passes_one_lane() -> None:
    assert "$argon2id$v=19$m=19456,t=2,p=1$" in await Passwords().hash("x")


async def test_nobody_has_a_password() -> None:
    assert not await Passwords().fits("", None)


async def test_damaged_hash_fits_nothing() -> None:
    assert not await Passwords().fits("x", "not a hash")


async def test_flood_is_turned_away_instead_of_queued_for_ever() -> None:
    passwords = Passwords()

    outcomes = await asyncio.gather(*(passwords.fits("x", None) for _ in range(60)), return_exceptions=True)

    refused = [outcome for outcome in outcomes if isinstance(outcome, errors.TooManyTriesError)]
    assert len(refused) == 60 - 32
    assert all(fault.retry_after for fault in refused)
