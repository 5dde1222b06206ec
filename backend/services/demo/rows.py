"""A played story as rows: the lead with its score by the product's own rules, its house, deal, tasks and notes."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from decimal import Decimal

from backend.services.demo import words, world
from backend.services.demo.model import Dice, Values
from backend.services.demo.story import Story
from domain import commission, leads, scoring
from domain.leads import Stage

_DEAL_FROM = {Stage.QUALIFIED, Stage.AGREEMENT, Stage.OFFER, Stage.CONTRACT, Stage.CLOSED}
_DAYS_TO_CLOSE = {
    Stage.NEW: 150,
    Stage.CONTACTED: 130,
    Stage.QUALIFIED: 105,
    Stage.AGREEMENT: 75,
    Stage.OFFER: 45,
    Stage.CONTRACT: 22,
}
_ADDRESS = frozenset({"address", "city", "state", "zip", "lat", "lon"})
_STATUS = {Stage.AGREEMENT: "listed", Stage.OFFER: "listed", Stage.CONTRACT: "pending", Stage.CLOSED: "sold"}


@dataclass(slots=True)
class Tables:
    """Rows by table, in the order they are stored."""

    leads: list[Values] = field(default_factory=list)
    properties: list[Values] = field(default_factory=list)
    deals: list[Values] = field(default_factory=list)
    tasks: list[Values] = field(default_factory=list)
    notes: list[Values] = field(default_factory=list)
    interactions: list[Values] = field(default_factory=list)
    kpi_snapshots: list[Values] = field(default_factory=list)

    def count(self) -> int:
        return sum(map(len, self.by_name().values()))

    def by_name(self) -> dict[str, list[Values]]:
        return {item.name: getattr(self, item.name) for item in fields(self)}


def lead(story: Story, phone: str, email: str, office: world.Office) -> Values:
    """The lead as the product would know it: only what was said is filled in."""
    person, said = story.person, story.answered
    row: Values = {
        "id": story.lead_id,
        "location_id": story.location_id,
        "created_at": story.arrived,
        "agent_id": story.agent_id if story.human else None,
        "kind": person.kind.value,
        "name": person.name,
        "phone": phone,
        "email": email if story.dice.chance(0.8) else None,
        **{name: value for name, value in person.home.values(office).items() if name in _ADDRESS},
        "source": person.source.name,
        **_known_facts(story),
        "answers": dict(said) or None,
        "answer_quality": round(min(1.0, 0.45 + 0.55 * person.readiness), 2) if said else None,
        "pcs": _pcs(story),
        "tags": sorted(
            {person.source.name.lower()} | ({"vip"} if person.price_cents > 120_000_000 else set())
        ),
        "opted_out": True if story.opted_out_words else None,
        "opted_out_at": story.opted_out_at,
        "opted_out_words": story.opted_out_words,
        **_consent(story),
    }
    return row | follow_rules(row, story)


def _known_facts(story: Story) -> Values:
    """Facts and price only after the question about them was answered."""
    person, said = story.person, story.answered
    asked = {
        "timeline_days": "timeline",
        "motivation": "motivation",
        "condition": "condition",
        "financing": "financing",
    }
    facts: Values = {
        name: person.facts.get(name) if question in said else None for name, question in asked.items()
    }
    facts["area"] = person.facts["area"] if "area" in said else None
    priced = "price" in said or "budget" in said
    facts["price_cents"] = person.price_cents if priced else None
    facts["price_on"] = story.arrived.date() if priced else None
    return facts


def _consent(story: Story) -> Values:
    if story.person.source.channel not in ("web", "text") or not story.dice.chance(0.85):
        return {"consent_text": None, "consent_call": None, "consent_words": None, "consent_at": None}
    return {
        "consent_text": True,
        "consent_call": True,
        "consent_words": "I agree to calls and texts about my request (web form, box ticked by hand).",
        "consent_at": story.arrived,
    }


def _pcs(story: Story) -> float | None:
    """The bot's reading of commitment, out of what was observed."""
    waited = sorted(story.latencies)[len(story.latencies) // 2] if story.latencies else None
    known = scoring.Inputs(
        kind=story.person.kind,
        reply_speed=None if waited is None else max(0.0, 1 - waited / 240),
        length=0.3 + 0.6 * story.person.readiness if story.answered else None,
        question_depth=0.25 + 0.6 * story.person.readiness if story.answered else None,
        objections=story.person.readiness if story.stage not in (Stage.NEW, Stage.CONTACTED) else None,
        call_acceptance=sum(story.calls) / len(story.calls) if story.calls else None,
    )
    value = scoring.lead_score(known).pcs
    return None if value is None else round(value, 1)


def follow_rules(row: Values, story: Story) -> Values:
    """Stage, times, score, temperature and answer clock, as the app's own rules make them."""
    times = {"last_inbound_at": story.last_inbound, "last_touch_at": story.last_touch}
    score = round(scoring.lead_score(scoring.inputs({**row, **times}, story.now)).value, 1)
    warmth = leads.temperature(score)
    waits = story.last_touch is None or story.last_touch < story.last_inbound
    runs = waits and not story.opted_out_words and leads.is_open(story.stage)
    return {
        **times,
        "stage": story.stage.value,
        "stage_reason": story.stage_reason,
        "score": score,
        "temperature": warmth.value,
        "answer_due_at": leads.answer_due(warmth, story.last_inbound) if runs else None,
    }


def subject(story: Story, office: world.Office) -> Values | None:
    """The seller's own house."""
    if story.person.kind is not leads.Kind.SELLER:
        return None
    return {
        "id": story.dice.id(story.arrived),
        "location_id": story.location_id,
        "created_at": story.arrived,
        "lead_id": story.lead_id,
        "status": _STATUS.get(story.stage, "owned"),
        "source": "demo",
        **story.person.home.values(office),
        "price_cents": story.person.price_cents if story.stage in _STATUS else None,
        "price_on": story.stage_since.date() if story.stage in _STATUS else None,
    }


def deal(story: Story, house: Values | None) -> Values | None:
    """A deal from qualification on (and of some earlier hopes), its commission by the domain's rules."""
    began = story.qualified_at or story.stage_since
    hoped = story.dice.chance({Stage.NEW: 0.5, Stage.CONTACTED: 0.08}.get(story.stage, 0.0))
    lost = story.stage is Stage.LOST and story.qualified_at is not None
    if story.stage not in _DEAL_FROM and not hoped and not lost:
        return None
    terms = _terms(story)
    paid = commission.statement(terms)
    waits = _DAYS_TO_CLOSE.get(story.stage)
    expected = (
        None
        if waits is None
        else max(story.stage_since + timedelta(days=waits), story.now + timedelta(days=3))
    )
    return {
        "id": story.dice.id(began),
        "location_id": story.location_id,
        "created_at": began,
        "lead_id": story.lead_id,
        "agent_id": story.agent_id,
        "property_id": house["id"] if house else None,
        "source": story.person.source.name,
        "stage": story.stage.value,
        "stage_reason": story.stage_reason,
        "side_held": terms.side_held.value,
        "who_pays": terms.who_pays.value,
        "price_cents": terms.price_cents,
        "listing_rate_bp": int(terms.listing_rate * 10_000),
        "buyer_rate_bp": int(terms.buyer_rate * 10_000),
        "gross_cents": paid.gross_cents,
        "net_cents": paid.company_cents,
        "expected_close_on": expected.date() if expected else None,
        "closed_on": story.closed_at.astimezone(story.zone).date() if story.closed_at else None,
    }


def _terms(story: Story) -> commission.Terms:
    sells = story.person.kind is leads.Kind.SELLER
    both = sells and story.dice.chance(0.05)
    side = commission.Side.BOTH if both else commission.Side.LISTING if sells else commission.Side.BUYER
    return commission.Terms(
        price_cents=story.person.price_cents,
        side_held=side,
        listing_rate=Decimal(story.dice.pick((250, 250, 275, 300))) / 10_000,
        buyer_rate=Decimal(story.dice.pick((200, 250, 250, 275))) / 10_000,
        who_pays=commission.Payer.SELLER if sells or story.dice.chance(0.7) else commission.Payer.BUYER,
        referral_rate=Decimal("0.25") if story.person.source.name == "Referral" else Decimal(0),
        agent_share=Decimal("0.75"),
    )


def task(story: Story, dice: Dice) -> Values | None:
    """What the agent planned next: most of it due around today."""
    if not story.human or not leads.is_open(story.stage) or story.opted_out_words:
        return None
    likely = {Stage.CONTACTED: 0.16, Stage.QUALIFIED: 0.7, Stage.AGREEMENT: 0.85}.get(story.stage, 0.95)
    if not dice.chance(likely):
        return None
    kind = dice.pick(tuple(words.TASKS))
    local = (
        story.now + timedelta(days=dice.rng.choice((-3, -2, -1, 0, 0, 0, 0, 1, 1, 2, 3, 5, 7)))
    ).astimezone(story.zone)
    due = local.replace(
        hour=dice.rng.randrange(9, 19), minute=dice.pick((0, 15, 30, 45)), second=0, microsecond=0
    )
    made = min(story.now, due) - timedelta(days=dice.rng.random() * 4)
    return _task_row(story, kind, made=made, due=due.astimezone(story.now.tzinfo), done=None)


def done_task(story: Story, dice: Dice) -> Values | None:
    """One that was done on time some weeks ago."""
    if not story.last_touch or not dice.chance(0.25):
        return None
    made = story.last_touch - timedelta(days=2)
    return _task_row(
        story, dice.pick(("call", "text", "email")), made=made, due=story.last_touch, done=story.last_touch
    )


def _task_row(story: Story, kind: str, *, made: datetime, due: datetime, done: datetime | None) -> Values:
    title = words.TASKS[kind].format(first=story.person.name, street=story.person.street)
    return {
        "id": story.dice.id(made),
        "location_id": story.location_id,
        "created_at": made,
        "lead_id": story.lead_id,
        "agent_id": story.agent_id,
        "title": title,
        "kind": kind,
        "due_at": due,
        "done_at": done,
        "text": None,
    }


def note(story: Story, dice: Dice) -> Values | None:
    """What the agent dictated after a meeting."""
    if story.qualified_at is None or not dice.chance(0.35):
        return None
    at = story.qualified_at + timedelta(minutes=20)
    person = story.person
    text = dice.pick(words.NOTES).format(
        first=person.first,
        street=person.street,
        price=f"${person.price_cents // 100:,}",
        days=person.facts["timeline_days"],
    )
    return {
        "id": dice.id(at),
        "location_id": story.location_id,
        "created_at": min(at, story.now),
        "agent_id": story.agent_id,
        "lead_id": story.lead_id,
        "state": "saved",
        "text": text,
        "transcript": text,
        "engine": "demo",
    }


def sale(dice: Dice, location_id: str, house: Values, *, price_cents: int, at: datetime) -> Values:
    """A comparable sale of the past year."""
    return {
        "id": dice.id(at),
        "location_id": location_id,
        "created_at": at,
        "lead_id": None,
        "status": "sold",
        "source": "demo",
        **house,
        "price_cents": price_cents,
        "price_on": at.date(),
    }
