"""Twenty thousand invented leads, the same in every run: names, streets, phones, what they said; about 606 bytes of JSON each."""

from __future__ import annotations

import json
import random
import string
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from domain import leads as rules
from domain import values
from services import lead_changes

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
AGENTS = tuple(str(uuid.UUID(int=0x018F0000000070008000000000000B00 + n)) for n in range(12))

_FIRST = (
    "James Maria Robert Linda Michael Patricia David Jennifer William Elena Richard Susan Joseph Karen Thomas Nancy "
    "Carlos Rosa Daniel Lisa Matthew Betty Anthony Sandra Mark Ashley Luis Kim Steven Emily Paul Donna Andrew Michelle "
    "Joshua Carol Kenneth Amanda Kevin Melissa Brian Deborah George Stephanie Timothy Rebecca Ronald Sharon Jason Laura"
).split()
_LAST = (
    "Smith Johnson Williams Brown Jones Garcia Miller Davis Rodriguez Martinez Hernandez Lopez Gonzalez Wilson Anderson "
    "Thomas Taylor Moore Jackson Martin Lee Perez Thompson White Harris Sanchez Clark Ramirez Lewis Robinson Walker Young "
    "Allen King Wright Scott Torres Nguyen Hill Flores Green Adams Nelson Baker Hall Rivera Campbell Mitchell Carter "
    "Roberts Gomez Phillips Evans Turner Diaz Parker Cruz Edwards Collins Reyes Stewart Morris Morales Murphy Cook Rogers"
).split()
_STREETS = (
    "Archibald Haven Etiwanda Milliken Carnelian Sapphire Beryl Hellman Baseline Foothill Church Arrow Wilson Banyan "
    "Lemon Highland Vineyard Rochester Day Creek Terra Vista Victoria Park Hermosa Ramona Turner Center Amethyst Jasper"
).split()
_KINDS_OF_STREET = ("Ave", "St", "Dr", "Ct", "Ln", "Blvd", "Way", "Pl")
_TOWNS = (
    ("Rancho Cucamonga", "91730", 34.106, -117.593),
    ("Rancho Cucamonga", "91701", 34.138, -117.599),
    ("Rancho Cucamonga", "91737", 34.155, -117.571),
    ("Rancho Cucamonga", "91739", 34.126, -117.527),
    ("Ontario", "91764", 34.074, -117.605),
    ("Fontana", "92336", 34.139, -117.458),
    ("Upland", "91784", 34.137, -117.659),
)
_SOURCES = (
    "Zillow",
    "Facebook",
    "Referral",
    "Open house",
    "Website",
    "Door knock",
    "Expired listing",
    "Google",
)
_WHY = (
    "Job in another town", "Third child on the way", "Inherited from the mother", "Divorce", "Retires in June",
    "Landlord sells", "Near the grandchildren", "Payments are behind", "Outgrew the condo", "Tired of tenants",
    "Wants a garden", "Commute is too long", "Moves in with parents", "Lost the job", "Married last month",
    "Sick of the HOA", "Empty nest", "Needs a home office", "School district", "Buys for the daughter",
)  # fmt: skip
_DETAIL = (
    "call after {} pm", "{} bedrooms at least", "wife decides", "asks for {} %", "has a tenant until {}/{}", "no stairs",
    "saw {} houses already", "roof is {} years old", "two dogs", "brother is an agent", "owes {}k", "wants cash offer",
    "prefers text", "in Phoenix until {}/{}", "open on price", "will not go below {}k", "kitchen redone in 20{}",
    "speaks Spanish", "lockbox {}{}", "waits for rates",
)  # fmt: skip
_CONDITIONS = ("excellent", "good", "needs paint", "needs a roof", "needs work", "as it stands")
_FINANCING = ("pre-approved", "cash", "needs a lender", "FHA", "VA")
_LETTERS = string.ascii_letters + string.digits
_TAGS = ("past client", "investor", "first-time buyer", "absentee owner", "expired", "spanish", "newsletter")
_STAGES = ("new", "contacted", "contacted", "qualified", "qualified", "agreement")


def invented(count: int, location_id: str, *, seed: int = 7) -> Iterator[dict[str, Any]]:
    """Leads as on the wire, the fields that are empty left out; ids in the order of `created_at`."""
    rng = random.Random(seed)
    step = timedelta(days=700) / max(count, 1)
    for number in range(count):
        yield _lead(rng, number, NOW - timedelta(days=700) + number * step, location_id)


def json_bytes(lead: Mapping[str, Any]) -> int:
    """Size of a lead as plain JSON without blanks."""
    return len(json.dumps(lead, separators=(",", ":"), ensure_ascii=False).encode())


def changes(*, seed: int = 11) -> Iterator[dict[str, Any]]:
    """What a person types into a lead in an afternoon on the road, without end: one field each time, two with a price (its date)."""
    rng = random.Random(seed)
    while True:
        kind = rng.random()
        if kind < 0.40:
            yield {"stage": rng.choice(("contacted", "qualified", "agreement", "offer"))}
        elif kind < 0.60:
            yield {"phone": _phone(rng)}
        elif kind < 0.80:
            yield {"motivation": _motivation(rng)}
        elif kind < 0.90:
            yield {"timeline_days": rng.choice((14, 21, 45, 75, 120, 270))}
        else:
            yield {"price_cents": rng.randrange(3_500, 14_000) * 10_000}


def _lead(rng: random.Random, number: int, made: datetime, location_id: str) -> dict[str, Any]:
    first, last = rng.choice(_FIRST), rng.choice(_LAST)
    city, zip_code, lat, lon = rng.choice(_TOWNS)
    lead: dict[str, Any] = {
        "id": _id(rng, made),
        "location_id": location_id,
        "created_at": values.time_text(made),
        "agent_id": rng.choice(AGENTS),
        "kind": "seller" if rng.random() < 0.6 else "buyer",
        "name": f"{first} {last}",
        "phone": _phone(rng),
        "address": f"{rng.randrange(100, 13_000)} {rng.choice(_STREETS)} {rng.choice(_KINDS_OF_STREET)}",
        "city": city,
        "state": "CA",
        "zip": zip_code,
        "lat": round(lat + rng.gauss(0, 0.012), 6),
        "lon": round(lon + rng.gauss(0, 0.012), 6),
        "stage": rng.choice(_STAGES),
        "source": rng.choice(_SOURCES),
        "external_id": "".join(rng.choices(_LETTERS, k=20)),
    }
    if rng.random() < 0.5:
        lead["email"] = f"{first.lower()}.{last.lower()}{number % 1000}@example.com"
    lead |= _answers(rng, lead["kind"], made)
    if rng.random() < 0.4:
        lead["tags"] = sorted(rng.sample(_TAGS, rng.choice((1, 1, 2))))
    if rng.random() < 0.4:
        touched = made + timedelta(minutes=rng.randrange(3, 60 * 24 * 20))
        lead["last_touch_at"] = values.time_text(touched)
    score = round(lead_changes.score_of(lead, NOW).value, 1)
    return {**lead, "score": score, "temperature": rules.temperature(score).value}


def _answers(rng: random.Random, kind: str, made: datetime) -> dict[str, Any]:
    said: dict[str, Any] = {}
    if rng.random() < 0.64:
        said["motivation"] = _motivation(rng)
    if rng.random() < 0.5:
        said["timeline_days"] = rng.choice((14, 30, 60, 90, 180, 365))
    if rng.random() < 0.54:
        said["condition" if kind == "seller" else "financing"] = rng.choice(
            _CONDITIONS if kind == "seller" else _FINANCING
        )
    if rng.random() < 0.5:
        said["price_cents"] = rng.randrange(3_500, 14_000) * 10_000
        said["price_on"] = made.date().isoformat()
    return said


def _motivation(rng: random.Random) -> str:
    details = (text.format(rng.randrange(1, 13), rng.randrange(1, 29)) for text in rng.sample(_DETAIL, 2))
    return ", ".join((rng.choice(_WHY), *details))


def _phone(rng: random.Random) -> str:
    return f"+1909{rng.randrange(200, 999)}{rng.randrange(10_000):04d}"


def _id(rng: random.Random, made: datetime) -> str:
    """A UUIDv7 of that moment, as the app makes them."""
    value = round(made.timestamp() * 1000) << 80 | 0x7 << 76 | rng.getrandbits(12) << 64
    return str(uuid.UUID(int=value | 0b10 << 62 | rng.getrandbits(62)))
