"""GoHighLevel's webhooks: mapped by the source's table; a repeat changes nothing, no person is kept."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from backend.deps import Deps
from backend.stream import entries
from domain import ids
from tests.backend.api.highlevel import (
    CONTACT,
    SECRETS,
    THEIRS,
    Crm,
    appointment,
    contact,
    inbound,
    opportunity,
)
from tests.backend.events import samples

pytestmark = pytest.mark.anyio


async def test_a_contact_becomes_a_form_of_a_lead_that_is_always_the_same(crm: Crm, office: str) -> None:
    payload = contact()

    answer = await crm.call(payload)
    await crm.call(inbound())

    assert (answer.status_code, answer.json()["accepted"]) == (202, 1)
    form, message = await crm.events()
    assert form["event_type"] == "form"
    assert form["location_id"] == office
    assert datetime.fromisoformat(form["occurred_at"]) == datetime.fromisoformat(payload["dateAdded"])
    assert message["lead_id"] == form["lead_id"]


async def test_a_contact_that_is_ours_is_our_lead(crm: Crm, deps: Deps, office: str) -> None:
    lead = ids.new_id()
    await deps.pool.execute(
        "INSERT INTO leads (id, location_id, kind, name, stage, external_id) VALUES ($1, $2, 'buyer', 'x', 'new', $3)",
        lead,
        office,
        CONTACT,
    )

    await crm.call(inbound())

    assert [one["lead_id"] for one in await crm.events()] == [lead]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, {"event_type": "message", "channel": "sms", "success": True}),
        ({"messageType": "Email", "status": ...}, {"event_type": "message", "channel": "email"}),
        ({"messageType": "CALL", "status": "completed", "callDuration": 120}, {"event_type": "call", "channel": "phone", "props": {"seconds": 120.0}}),
        ({"messageType": "CALL", "status": "voicemail"}, {"event_type": "call", "success": False}),
        ({"messageType": "Carrier Pigeon", "status": "sent"}, {"channel": "other"}),
    ],
)  # fmt: skip
async def test_messages_and_calls_keep_channel_and_outcome(crm: Crm, fields: Any, expected: Any) -> None:
    await crm.call(inbound(**fields))

    (event,) = await crm.events()
    assert {name: event.get(name) for name in expected} == expected
    assert event["direction"] == "inbound"
    assert event["conversation_id"]


async def test_an_opportunity_is_a_state_of_a_deal_and_a_change_of_stage(crm: Crm) -> None:
    payload = opportunity(assignedTo="YlWd")

    await crm.call(payload)

    stage, deal = sorted(await crm.events(), key=lambda one: one["stream"], reverse=True)
    assert (deal["stage"], deal["side_held"], deal["price_cents"], deal["rate_bp"]) == (
        "offer",
        "buyer",
        50_000_055,
        300,
    )
    assert (stage["event_type"], stage["stage"], stage["deal_id"]) == (
        "stage_changed",
        "offer",
        deal["deal_id"],
    )
    assert deal["agent_id"] == stage["agent_id"]
    assert {datetime.fromisoformat(one["occurred_at"]) for one in (stage, deal)} == {
        datetime.fromisoformat(payload["timestamp"])
    }


@pytest.mark.parametrize(
    ("status", "stage"), [("won", "closed"), ("lost", "lost"), ("abandoned", "lost"), ("open", "offer")]
)
async def test_the_status_decides_before_the_stage(crm: Crm, status: str, stage: str) -> None:
    await crm.call(opportunity("OpportunityStatusUpdate", status=status))

    assert {one["stage"] for one in await crm.events()} == {stage}


async def test_an_opportunity_without_a_contact_is_a_deal_only(crm: Crm) -> None:
    await crm.call(opportunity(contactId=...))

    assert [one["stream"] for one in await crm.events()] == ["commission_events"]


async def test_an_appointment_is_a_note_until_they_met(crm: Crm) -> None:
    start = samples.at(hours=1)

    await crm.call(appointment())
    await crm.call(appointment("AppointmentUpdate", appointmentStatus="showed", startTime=start))
    await crm.call(appointment("AppointmentUpdate", appointmentStatus="noshow", startTime=start))

    planned, met, missed = await crm.events()
    assert [one["event_type"] for one in (planned, met, missed)] == ["note", "showing", "showing"]
    assert [one.get("success") for one in (planned, met, missed)] == [None, True, False]
    assert datetime.fromisoformat(met["occurred_at"]) == datetime.fromisoformat(start)


async def test_nothing_about_a_person_is_kept_anywhere(crm: Crm, deps: Deps) -> None:
    for payload in (
        contact(),
        inbound(),
        opportunity(),
        appointment(),
        opportunity(pipelineStageId="unknown"),
    ):
        await crm.call(payload)

    kept = repr(await crm.events()) + repr(await deps.valkey.xrange(entries.DEAD))
    assert "unknown" in kept
    assert not [one for one in SECRETS if one in kept]


async def test_a_repeat_changes_nothing_even_where_it_was_forgotten(crm: Crm, deps: Deps) -> None:
    payload = opportunity()

    await crm.call(payload)
    again = await crm.call(payload)
    assert again.json()["repeated"] is True
    for mark in await deps.valkey.keys("bi:webhook:*"):
        await deps.valkey.delete(mark)
    await crm.call(payload)

    found = await crm.events()
    assert len(found) == 4
    assert len({one["event_id"] for one in found}) == 2
    assert len({one["occurred_at"] for one in found}) == 1


async def test_an_unknown_stage_is_refused_with_the_way_to_map_it_and_kept_once(crm: Crm, deps: Deps) -> None:
    payload = opportunity(pipelineStageId="someday")

    for _ in range(3):
        answer = await crm.call(payload)

    assert (answer.status_code, answer.json()["code"]) == (422, "unmapped")
    assert "config.gohighlevel.stages: {'someday': one of our stages}" in answer.json()["hint"]
    assert not await crm.events()
    assert await deps.valkey.xlen(entries.DEAD) == 1


async def test_what_was_kept_is_replayed_once_the_table_knows_it(crm: Crm, admin: dict[str, str]) -> None:
    await crm.call(opportunity(pipelineStageId="someday"))

    still = await crm.replay(admin)
    await crm.configure(stages={"someday": "contract"})
    done = await crm.replay(admin)

    assert (still["sent"], still["failed"]) == (0, {"unmapped": 1})
    assert (done["sent"], done["failed"]) == (1, {})
    assert {one["stage"] for one in await crm.events()} == {"contract"}


@pytest.mark.parametrize("location", ["another", ""])
async def test_their_location_must_be_in_the_table(crm: Crm, location: str) -> None:
    answer = await crm.call(inbound(locationId=location))

    assert (answer.status_code, answer.json()["where"]) == (422, "locationId")


async def test_a_source_of_one_location_needs_no_table_of_locations(crm: Crm, office: str) -> None:
    await crm.configure(locations={})

    await crm.call(inbound())

    assert [one["location_id"] for one in await crm.events()] == [office]


async def test_the_table_may_not_lead_out_of_the_sources_locations(
    crm: Crm, elsewhere: str, admin: dict[str, str]
) -> None:
    answer = await crm.client.patch(
        f"/api/admin/sources/{crm.source.id}",
        json={"config": {"gohighlevel": {"locations": {THEIRS: elsewhere}}}},
        headers=admin,
    )

    assert answer.status_code == 422
    assert answer.json()["where"] == f"config.gohighlevel.locations.{THEIRS}"
