"""The whole invented brokerage: offices, people, a year of leads and sales, in a few seconds of arithmetic."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import orjson

from backend.services.demo import history, model, rows, world
from backend.services.demo.model import Dice, Values
from backend.services.demo.story import Story
from domain import leads

WAITING_MINUTES = (1, 3, 4, 8, 17)
_SINCE = timedelta(days=world.DAYS + 30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Staff:
    id: str
    email: str
    name: str
    role: str
    offices: tuple[str, ...]


@dataclass(slots=True)
class Brokerage:
    """Ready to be stored. `checksum` is equal for equal seeds and moments."""

    locations: list[Values] = field(default_factory=list)
    staff: list[Staff] = field(default_factory=list)
    tables: rows.Tables = field(default_factory=rows.Tables)
    pasts: list[history.Past] = field(default_factory=list)

    def checksum(self) -> str:
        content = orjson.dumps([self.locations, self.staff, self.tables], default=str)
        return hashlib.sha256(content).hexdigest()


def moment_of(opened: datetime) -> datetime:
    """When a brokerage was made whose offices opened then."""
    return opened + _SINCE


def make(now: datetime, tell: Callable[[str], object], *, lead_count: int = world.LEADS) -> Brokerage:
    """The year that ends `now`."""
    dice = Dice(world.SEED)
    opened = now - _SINCE
    made = Brokerage()
    for office in world.OFFICES:
        made.locations.append(_location(dice, office, opened))
    made.staff = list(_staff(dice, opened))
    for office, place in zip(world.OFFICES, made.locations, strict=True):
        tell(f"Inventing {office.name} …")
        _fill_office(
            dice,
            made,
            office=office,
            location_id=str(place["id"]),
            now=now,
            count=round(lead_count * office.share),
        )
    return made


def _location(dice: Dice, office: world.Office, opened: datetime) -> Values:
    return {
        "id": dice.id(opened),
        "created_at": opened,
        "name": f"{office.name} (demo)",
        "state": office.state,
        "zone": office.zone,
        "lat": office.lat,
        "lon": office.lon,
        "demo": True,
    }


def _staff(dice: Dice, opened: datetime) -> Iterator[Staff]:
    every = tuple(office.name for office in world.OFFICES)
    for office in world.OFFICES:
        for login, name in office.agents:
            yield Staff(
                id=dice.id(opened),
                email=f"{login}@demo.example",
                name=name,
                role="agent",
                offices=(office.name,),
            )
    for (login, name), role in ((world.MANAGER, "manager"), (world.ADMIN, "admin")):
        yield Staff(id=dice.id(opened), email=f"{login}@demo.example", name=name, role=role, offices=every)


def _fill_office(
    dice: Dice, made: Brokerage, *, office: world.Office, location_id: str, now: datetime, count: int
) -> None:
    zone = ZoneInfo(office.zone)
    agents = [person for person in made.staff if person.role == "agent" and office.name in person.offices]
    stories = []
    for number, at in enumerate(model.arrivals(dice, now, count, zone)):
        agent = agents[number % len(agents)]
        story = Story(
            dice=dice,
            now=now,
            zone=zone,
            person=model.person(dice, office, (now - at).days / 30),
            lead_id=dice.id(at),
            location_id=location_id,
            agent_id=agent.id,
            agent_name=agent.name,
            arrived=at,
        )
        story.play()
        stories.append(story)
    for number, story in enumerate(stories):
        made.tables.leads.append(_lead_row(story, office, number))
    _write_now(stories, made.tables.leads[-len(stories) :], now)
    office_leads = made.tables.leads[-len(stories) :]
    pasts = [
        history.past(story, row, _add_rows(made.tables, story, office, dice))
        for story, row in zip(stories, office_leads, strict=True)
    ]
    made.pasts += pasts
    made.tables.kpi_snapshots += history.snapshots(pasts, location_id, now)
    _add_sales(dice, made.tables, office, location_id, now)


def _lead_row(story: Story, office: world.Office, number: int) -> Values:
    code = office.area_codes[number // 100]
    first, last = story.person.name.lower().replace("í", "i").split()
    return rows.lead(
        story, f"+1{code}55501{number % 100:02d}", f"{first}.{last}.{number}@mail.example", office
    )


def _write_now(stories: list[Story], lead_rows: list[Values], now: datetime) -> None:
    """A few of the best open leads wrote minutes ago and wait for their answer."""
    pairs = [
        (row, story)
        for row, story in zip(lead_rows, stories, strict=True)
        if leads.is_open(story.stage) and not story.opted_out_words
    ]
    pairs.sort(key=lambda pair: (-float(pair[0]["score"]), pair[0]["id"]))
    for (row, story), minutes in zip(pairs, WAITING_MINUTES, strict=False):
        story.write_now(now - timedelta(minutes=minutes))
        row |= rows.follow_rules(row, story)


def _add_rows(tables: rows.Tables, story: Story, office: world.Office, dice: Dice) -> Values | None:
    """All but the lead itself; answers with the deal, if there is one."""
    house = rows.subject(story, office)
    deal = rows.deal(story, house)
    tables.interactions += story.interactions
    for table, row in (
        (tables.properties, house),
        (tables.deals, deal),
        (tables.tasks, rows.task(story, dice)),
        (tables.tasks, rows.done_task(story, dice)),
        (tables.notes, rows.note(story, dice)),
    ):
        if row is not None:
            table.append(row)
    return deal


def _add_sales(
    dice: Dice, tables: rows.Tables, office: world.Office, location_id: str, now: datetime
) -> None:
    days = [
        (now - at).days for at in model.arrivals(dice, now, world.COMPS_PER_OFFICE, ZoneInfo(office.zone))
    ]
    for back in days:
        house = model.home(dice, office)
        price = house.price_cents(dice, back / 30)
        tables.properties.append(
            rows.sale(
                dice, location_id, house.values(office), price_cents=price, at=now - timedelta(days=back)
            )
        )
