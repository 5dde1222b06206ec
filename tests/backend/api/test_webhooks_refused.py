"""GoHighLevel's webhooks: signed and fresh, or refused; what makes no sense is refused by name."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from backend.deps import Deps
from backend.services import sources
from backend.services.gohighlevel import signature
from domain import ids
from tests.backend.api.highlevel import Crm, hook, inbound, opportunity, pem
from tests.backend.events import samples

pytestmark = pytest.mark.anyio


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
