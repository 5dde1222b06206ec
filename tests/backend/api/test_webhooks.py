"""GoHighLevel's webhooks: signed, fresh, mapped by the source's table; a repeat changes nothing, no person is kept."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

from backend.deps import Deps
from backend.services import sources
from backend.services.gohighlevel import receiving, signature
from backend.storage.sources import Source
from backend.stream import entries
from domain import ids
from tests.backend.events import samples

pytestmark = pytest.mark.anyio

THEIRS = "ve9EPM428h8vShlRW1KT"
CONTACT = "cJAWDskpkJHbRbhAT7bs"
STAGE = "e93ba61a-53b3-45e7-985a-c7732dbcdb69"
KEY = ed25519.Ed25519PrivateKey.generate()
SECRETS = ("Maria", "Lopez", "maria@example.com", "+19095550100", "12 Elm Street", "call me at six")


def pem(key: ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey) -> str:
    made = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return made.decode()


def hook(type: str, **fields: Any) -> dict[str, Any]:
    """The documented envelope."""
    envelope = {
        "type": type,
        "webhookId": ids.new_id(),
        "timestamp": samples.at(seconds=2),
        "locationId": THEIRS,
    }
    return envelope | {name: value for name, value in fields.items() if value is not ...}


def contact(**fields: Any) -> dict[str, Any]:
    person = {
        "firstName": "Maria",
        "lastName": "Lopez",
        "email": SECRETS[2],
        "phone": SECRETS[3],
        "address1": SECRETS[4],
    }
    return hook("ContactCreate", **{"id": CONTACT, "dateAdded": samples.at(seconds=9)} | person | fields)


def inbound(**fields: Any) -> dict[str, Any]:
    said = {
        "contactId": CONTACT,
        "conversationId": "fcanl",
        "messageType": "SMS",
        "status": "delivered",
        "body": SECRETS[5],
    }
    return hook(
        "InboundMessage", **{"dateAdded": samples.at(seconds=5), "direction": "inbound"} | said | fields
    )


def opportunity(type: str = "OpportunityStageUpdate", **fields: Any) -> dict[str, Any]:
    deal = {
        "id": "wWhVu",
        "contactId": CONTACT,
        "monetaryValue": 500_000.55,
        "pipelineId": "VDm7",
        "name": "Maria Lopez",
    }
    return hook(
        type, **deal | {"pipelineStageId": STAGE, "status": "open", "dateAdded": samples.at(days=30)} | fields
    )


def appointment(type: str = "AppointmentCreate", **fields: Any) -> dict[str, Any]:
    meeting = {
        "id": "0007",
        "contactId": CONTACT,
        "calendarId": "BqTw",
        "title": "Maria Lopez",
        "address": SECRETS[4],
    }
    return hook(
        type,
        appointment=meeting | {"appointmentStatus": "confirmed", "dateAdded": samples.at(seconds=4)} | fields,
    )


class Crm:
    """A GoHighLevel account with its source at our side."""

    def __init__(self, client: httpx.AsyncClient, deps: Deps, source: Source) -> None:
        self.client, self.deps, self.source = client, deps, source

    async def call(self, payload: Any, **said: str) -> httpx.Response:
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        headers = said or {signature.CURRENT: base64.b64encode(KEY.sign(body)).decode()}
        return await self.client.post(
            f"/api/webhooks/gohighlevel/{self.source.id}", content=body, headers=headers
        )

    async def events(self) -> list[dict[str, Any]]:
        return await samples.queued(self.deps.valkey)

    async def replay(self, headers: dict[str, str]) -> dict[str, Any]:
        body = {"reason": "unmapped"}
        answer = await self.client.post("/api/admin/dead-letters/replay", json=body, headers=headers)
        return dict(answer.json())

    async def configure(self, **changed: Any) -> None:
        table = {**self.source.config["gohighlevel"], **changed}
        await sources.configure(self.deps, self.source.id, {"gohighlevel": table})


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No sink runs beside these tests: nobody waits for it."""
    monkeypatch.setattr(receiving, "WAIT", 0)


@pytest.fixture
async def crm(client: httpx.AsyncClient, deps: Deps, office: str) -> Crm:
    table = {
        "locations": {THEIRS: office},
        "stages": {STAGE: "offer"},
        "pipelines": {"VDm7": {"side": "buyer", "rate_bp": 300}},
        "calendars": {"BqTw": "showing"},
        "agents": {"YlWd": ids.new_id()},
        "public_key": pem(KEY),
    }
    source, _ = await sources.create(deps, name="CRM", locations=[office], config={"gohighlevel": table})
    return Crm(client, deps, source)


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


async def test_own_workflows_sign_with_the_secret_and_former_apps_with_rsa(crm: Crm) -> None:
    body = json.dumps(inbound()).encode()
    own = {signature.OWN: signature.own(body, crm.source.webhook_secret)}
    assert (await crm.call(body, **own)).status_code == 202

    key = rsa.generate_private_key(65537, 2048)
    await crm.configure(public_key=pem(key))
    body = json.dumps(inbound()).encode()
    signed = base64.b64encode(key.sign(body, padding.PKCS1v15(), hashes.SHA256())).decode()
    assert (await crm.call(body, **{signature.FORMER: signed})).status_code == 202
    assert (await crm.call(body + b" ", **{signature.FORMER: signed})).status_code == 401


@pytest.mark.parametrize(
    "said",
    [
        {"x-nothing": "x"},
        {signature.CURRENT: ""},
        {signature.CURRENT: "N/A"},
        {signature.CURRENT: base64.b64encode(b"x" * 64).decode()},
        {signature.FORMER: base64.b64encode(b"x" * 512).decode()},
        {signature.OWN: "sha256=" + "0" * 64},
        {signature.OWN: "sha256=ä"},
    ],
)
async def test_what_is_not_signed_or_wrongly_is_refused(crm: Crm, said: dict[str, str]) -> None:
    body = json.dumps(inbound()).encode()
    headers = httpx.Headers([(name, value.encode("latin-1")) for name, value in said.items()])  # type: ignore[arg-type]

    answer = await crm.client.post(
        f"/api/webhooks/gohighlevel/{crm.source.id}", content=body, headers=headers
    )

    assert answer.status_code == 401
    assert not await crm.events()


async def test_a_wrong_signature_is_not_mended_by_another_that_fits(crm: Crm) -> None:
    body = json.dumps(inbound()).encode()
    said = {signature.CURRENT: "wrong", signature.OWN: signature.own(body, crm.source.webhook_secret)}

    assert (await crm.call(body, **said)).status_code == 401


@pytest.mark.parametrize("ago", [{"hours": 25}, {"minutes": -3}, {"days": 4000}])
async def test_stale_webhooks_and_those_from_the_future_are_refused(crm: Crm, ago: dict[str, float]) -> None:
    answer = await crm.call(inbound(timestamp=samples.at(**ago)))

    assert (answer.status_code, answer.json()["where"]) == (422, "timestamp")


async def test_a_message_from_last_hour_that_comes_late_counts_where_it_happened(crm: Crm) -> None:
    late = (datetime.now(UTC) - timedelta(hours=1)).isoformat()

    await crm.call(inbound(dateAdded=late))

    assert datetime.fromisoformat((await crm.events())[0]["occurred_at"]) == datetime.fromisoformat(late)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"[]",
        b"{",
        b"[" * 5000,
        {"type": "InboundMessage"},
        inbound(webhookId=7) | {"timestamp": "soon"},
        inbound(timestamp=5),
        opportunity(monetaryValue=-1),
        opportunity(monetaryValue="NaN"),
        opportunity(monetaryValue=1e300),
        inbound(contactId=...),
        hook("AppointmentCreate"),
        inbound(dateAdded="2026-99-99"),
        inbound(locationId="x\0y"),
    ],
)
async def test_a_payload_that_makes_no_sense_is_refused_by_name(crm: Crm, payload: Any) -> None:
    answer = await crm.call(payload)

    assert answer.status_code == 422
    assert answer.json()["where"]
    assert not await crm.events()


async def test_types_that_tell_us_nothing_are_let_pass(crm: Crm) -> None:
    answer = await crm.call(hook("InvoicePaid"))

    assert (answer.status_code, answer.json()["ignored"]) == (200, True)


async def test_a_revoked_source_and_an_unknown_one_get_the_same_answer(crm: Crm, deps: Deps) -> None:
    await sources.revoke(deps, crm.source.id)
    revoked = await crm.call(inbound())
    body = json.dumps(inbound()).encode()
    unknown = await crm.client.post(f"/api/webhooks/gohighlevel/{ids.new_id()}", content=body)

    assert (revoked.status_code, unknown.status_code) == (401, 401)
    assert revoked.json() == unknown.json()


async def test_when_too_much_waits_they_are_asked_to_send_it_again(crm: Crm, deps: Deps) -> None:
    """By 429: after 503 GoHighLevel may not try again."""
    payload = inbound()
    deps.line.full = True
    answer = await crm.call(payload)
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0

    deps.line.full = False
    assert (await crm.call(payload)).json()["accepted"] == 1
