"""A GoHighLevel account beside the tests: what it sends, and how it signs."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from backend.deps import Deps
from backend.services import sources
from backend.services.gohighlevel import signature
from backend.storage.sources import Source
from domain import ids
from tests.backend.events import samples

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
