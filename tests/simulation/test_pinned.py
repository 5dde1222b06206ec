"""Runs that found a mistake of the product once: each must stay clean, with the sentence that says what it was."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.simulation import faults, runs

FOUND = {
    (
        91,
        25,
    ): "The answer of a restored server was read with the versions of its former life: the person's own, confirmed"
    " edit vanished from their screen. And what was confirmed while a load was due, and deleted before it began, stayed"
    " on the phone for ever.",
    (
        34,
        25,
    ): "After a failover the journal goes up once more, over newer edits of others: nothing may be lost by it.",
    (
        172,
        25,
    ): "A page that was made before the phone's own deletion arrived after its answer: the row rose from the dead,"
    " and the feed, which leaves out one's own changes, never took it away again.",
    (281, 25): "The same with a note: page and answer about one row crossed on the way.",
    (
        5,
        8,
    ): "A row that a restored server had lost came back with a lower version than the phone remembered, and never"
    " appeared there.",
    (15, 25): "A line of the queue that is no JSON any more stopped the whole queue.",
    (
        107,
        25,
    ): "A location taken away and given back around a restore: its rows came back below the remembered version.",
    (
        571,
        8,
    ): "A copy of a phone was never told what its original wrote, for both bear one device id: until they were compared.",
    (
        1093,
        8,
    ): "A change that went took a number behind others that built on it and still waited: their order turned round.",
    (
        987,
        8,
    ): "The first edit of a row after a restore was answered as if the app had nothing that the database had lost.",
    (
        495,
        8,
    ): "The same, of a phone whose app is ahead of its server.",
    (
        906,
        5,
    ): "Three mishaps of one long upload, with parts taken in between, counted as three refusals of the recording.",
    (
        3665,
        5,
    ): "Rows that a server set back twice did not list were dropped, with the journal that could have sent them again.",
    (
        4018,
        5,
    ): "What was made in a location that went and came back before it was sent was safe, and not shown to its author.",
    (
        4513,
        8,
    ): "A late word about a former sign-in stopped a device whose person had signed in meanwhile.",
    (
        12205,
        5,
    ): "A row with unsent work stayed away when its location came back from another life of the server.",
    (
        11389,
        15,
    ): "A comparison called a row damaged that was ahead by a change whose answer was on its way.",
    (164, 25): "The journal of a row that is gone can't be sent again; everything else must be.",
}


@pytest.mark.parametrize(("seed", "minutes"), FOUND, ids=lambda value: str(value))
def test_what_was_found_once_stays_mended(seed: int, minutes: int) -> None:
    found = runs.failure_of(replace(faults.setup_of(seed), minutes=minutes))
    assert found is None, f"{FOUND[(seed, minutes)]} Now: {found}"
