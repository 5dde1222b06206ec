"""How the demo's business behaves: when leads arrive, how ready they are, what houses cost, how people reply."""

from __future__ import annotations

import math
import random
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from backend.services.demo import world
from domain import leads

T = TypeVar("T")
Values = dict[str, Any]


class Dice:
    """Seeded chance: the same seed and the same `now` make the same brokerage to the last id."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)

    def id(self, at: datetime) -> str:
        """A UUIDv7 of that moment."""
        ms = int(at.timestamp() * 1000)
        rand = self.rng.getrandbits(74)
        value = (
            (ms & (1 << 48) - 1) << 80 | 0x7 << 76 | (rand >> 62) << 64 | 0b10 << 62 | rand & (1 << 62) - 1
        )
        return str(uuid.UUID(int=value))

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def pick(self, items: Sequence[T]) -> T:
        return self.rng.choice(items)

    def weighted(self, pairs: Sequence[tuple[str, float]]) -> str:
        return self.rng.choices([name for name, _ in pairs], [weight for _, weight in pairs])[0]

    def lognormal(self, median: float, sigma: float) -> float:
        return median * math.exp(self.rng.gauss(0, sigma))

    def wait(self, mean_days: float) -> timedelta:
        """The time to the next event of a Poisson process."""
        return timedelta(days=self.rng.expovariate(1 / mean_days))


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """A house as it is built; its price follows from area, size, state and month."""

    area: world.Area
    address: str
    lat: float
    lon: float
    sqft: int
    lot_sqft: int
    beds: int
    baths: float
    floors: float
    year_built: int
    condition: int
    grade: int
    waterfront: bool
    view: int

    def price_cents(self, dice: Dice, months_ago: float) -> int:
        """Dollars a square foot × size^.93, for state and age, 0.35 % a month up, 7 % noise; to $1,000."""
        base = self.area.dollars_per_sqft * self.area.sqft * (self.sqft / self.area.sqft) ** 0.93
        quality = (
            1
            + 0.035 * (self.condition - 3)
            + 0.04 * (self.grade - 7)
            + 0.02 * self.view
            + 0.25 * self.waterfront
        )
        dollars = base * quality * 1.0035**-months_ago * dice.lognormal(1, 0.07)
        thousands: int = max(120, round(dollars / 1000))
        return thousands * 100_000

    def values(self, office: world.Office) -> Values:
        return {
            "address": self.address,
            "city": self.area.city,
            "state": office.state,
            "zip": self.area.zip,
            "lat": self.lat,
            "lon": self.lon,
            "beds": float(self.beds),
            "baths": self.baths,
            "sqft": self.sqft,
            "lot_sqft": self.lot_sqft,
            "floors": self.floors,
            "year_built": self.year_built,
            "condition": self.condition,
            "grade": self.grade,
            "waterfront": self.waterfront,
            "view": self.view,
        }


def home(dice: Dice, office: world.Office) -> Home:
    """A house in one of the office's neighbourhoods."""
    rng = dice.rng
    area = dice.pick(office.areas)
    sqft = round(dice.lognormal(area.sqft, 0.24) / 10) * 10
    oldest, newest = area.built
    return Home(
        area=area,
        address=f"{rng.randrange(101, 9900)} {dice.pick(world.STREETS)} {dice.pick(world.STREET_KINDS)}",
        lat=round(area.lat + rng.gauss(0, 0.008), 6),
        lon=round(area.lon + rng.gauss(0, 0.010), 6),
        sqft=sqft,
        lot_sqft=round(dice.lognormal(6_400, 0.35) / 10) * 10,
        beds=min(6, max(1, round(sqft / 620 + rng.gauss(0, 0.5)))),
        baths=min(5.0, max(1.0, round((sqft / 950 + rng.gauss(0, 0.3)) * 4) / 4)),
        floors=rng.choices((1.0, 1.5, 2.0, 3.0), (50, 12, 34, 4))[0],
        year_built=rng.randrange(oldest, newest + 1),
        condition=rng.choices((1, 2, 3, 4, 5), (1, 4, 60, 26, 9))[0],
        grade=rng.choices((5, 6, 7, 8, 9, 10), (3, 12, 44, 27, 10, 4))[0],
        waterfront=dice.chance(0.008),
        view=rng.choices((0, 1, 2, 3, 4), (88, 3, 5, 3, 1))[0],
    )


def arrivals(dice: Dice, now: datetime, count: int, zone: ZoneInfo) -> list[datetime]:
    """Moments of a Poisson process with season, weekdays and hours over the year that ends now, given their number."""
    days = [now - timedelta(days=back) for back in range(world.DAYS)]
    weights = [world.MONTHS[day.month - 1] * world.WEEKDAYS[day.weekday()] for day in days]
    found: list[datetime] = []
    while len(found) < count:
        day = dice.rng.choices(days, weights)[0].astimezone(zone)
        hour = dice.rng.choices(range(24), world.HOURS)[0]
        at = day.replace(
            hour=hour, minute=dice.rng.randrange(60), second=dice.rng.randrange(60), microsecond=0
        )
        if now - timedelta(days=world.DAYS) <= at <= now - timedelta(minutes=3):
            found.append(at.astimezone(now.tzinfo))
    return sorted(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who a lead is behind the figures: how ready they are decides how they reply and how far they get."""

    kind: leads.Kind
    source: world.Source
    readiness: float
    home: Home
    price_cents: int
    name: str
    answers: Mapping[str, str]
    facts: Values

    @property
    def first(self) -> str:
        return self.name.split()[0]

    @property
    def street(self) -> str:
        return self.home.address.split(" ", 1)[1]


def person(dice: Dice, office: world.Office, months_ago: float) -> Person:
    source = dice.rng.choices(world.SOURCES, [s.weight for s in world.SOURCES])[0]
    kind = leads.Kind.SELLER if dice.chance(source.seller) else leads.Kind.BUYER
    spread = 6.0
    readiness = dice.rng.betavariate(source.readiness * spread, (1 - source.readiness) * spread)
    place = home(dice, office)
    worth = place.price_cents(dice, months_ago)
    days = max(7, round(dice.lognormal(25 + 190 * (1 - readiness) ** 2, 0.45)))
    facts: Values = {"timeline_days": days, "area": place.area.city}
    if kind is leads.Kind.SELLER:
        price = round(worth * (1 + 0.16 * (1 - readiness) * dice.rng.random()) / 500_000) * 500_000
        facts |= {"motivation": _reason(dice, readiness), "condition": dice.weighted(world.CONDITIONS)}
        answers = {"motivation": facts["motivation"], "condition": facts["condition"]}
    else:
        price = round(worth / 2_500_000) * 2_500_000
        facts |= {"financing": _money(dice, readiness)}
        answers = {"financing": facts["financing"], "area": place.area.city}
    amount = f"${price // 100:,}"
    answers |= {"timeline": f"{days} days", "price" if kind is leads.Kind.SELLER else "budget": amount}
    return Person(
        kind=kind,
        source=source,
        readiness=readiness,
        home=place,
        price_cents=price,
        name=f"{dice.pick(world.FIRST_NAMES)} {dice.pick(world.LAST_NAMES)}",
        answers=answers,
        facts=facts,
    )


def _reason(dice: Dice, readiness: float) -> str:
    """The readier, the rarer mere curiosity."""
    reason = dice.weighted(world.SELLER_REASONS)
    return (
        dice.weighted(world.SELLER_REASONS[:-1]) if reason == "curious" and dice.chance(readiness) else reason
    )


def _money(dice: Dice, readiness: float) -> str:
    return dice.weighted(
        [
            (name, weight * (2.2 * readiness if place < 2 else 1))
            for place, (name, weight) in enumerate(world.BUYER_MONEY)
        ]
    )
