"""Leads as screens show them: frozen values, plain numbers and words, nothing formatted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from domain import contact, scoring
from services import sync_words
from services.conflicts import ConflictItem, Pair
from services.notes.values import NoteItem
from services.tasks import TaskItem


class Sort(StrEnum):
    SCORE = "score"
    NAME = "name"
    NEWEST = "newest"
    LAST_TOUCH = "last_touch"
    ANSWER_DUE = "answer_due"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """None or empty = not filtered. `words` match name, phone, e-mail and address."""

    words: str = ""
    kind: str = ""
    temperature: str = ""
    stage: str = ""
    source: str = ""
    location_id: str = ""
    agent_id: str = ""
    mine: bool = False
    open_only: bool = False
    late_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadItem:
    """A lead in a list."""

    id: str
    name: str
    kind: str
    stage: str
    temperature: str
    score: float | None
    phone: str
    email: str
    address: str
    price_cents: int | None
    agent_id: str
    agent_name: str
    source: str
    opted_out: bool
    qualified: bool
    last_touch_at: datetime | None
    answer_due_at: datetime | None
    created_at: datetime
    sync: sync_words.SyncWord


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadList:
    """One page; `total` counts all that the filter lets through."""

    items: tuple[LeadItem, ...]
    total: int
    offset: int
    as_of: datetime | None

    @property
    def more(self) -> bool:
        return self.offset + len(self.items) < self.total


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadFacts:
    """What is stored of a lead; None or empty = unknown."""

    id: str
    location_id: str
    location_name: str
    created_at: datetime
    agent_id: str
    agent_name: str
    kind: str
    name: str
    phone: str
    email: str
    address: str
    city: str
    state: str
    zip: str
    lat: float | None
    lon: float | None
    stage: str
    stage_reason: str
    source: str
    motivation: str
    timeline_days: int | None
    condition: str
    financing: str
    area: str
    price_cents: int | None
    price_on: date | None
    tags: tuple[str, ...]
    opted_out: bool
    opted_out_at: datetime | None
    opted_out_words: str
    consent_text: bool | None
    consent_call: bool | None
    consent_words: str
    consent_at: datetime | None
    last_inbound_at: datetime | None
    last_touch_at: datetime | None
    answer_due_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Qualification:
    """The four questions with their answers; None = not answered yet."""

    questions: tuple[tuple[str, str | None], ...]
    quality: float | None
    is_qualified: bool

    @property
    def answered(self) -> int:
        return sum(answer is not None for _, answer in self.questions)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactState:
    """May we call or text now, in words; `window` is the legal window of the lead's own clock."""

    call: contact.Decision
    text: contact.Decision
    window: contact.Window

    @property
    def window_text(self) -> str:
        return self.window.text()


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineItem:
    """Something that happened. `who`: an agent's or bot's name, empty for the lead."""

    id: str
    kind: str
    direction: str
    channel: str
    at: datetime
    body: str
    outcome: str
    seconds: int | None
    who: str
    sync: sync_words.SyncWord


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """One page, newest first; pass `next_before` on for the older ones."""

    items: tuple[TimelineItem, ...]
    next_before: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PropertyItem:
    """A property of the lead."""

    id: str
    status: str
    address: str
    price_cents: int | None
    price_on: date | None
    beds: float | None
    baths: float | None
    sqft: int | None
    year_built: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DealItem:
    """A deal of the lead. Money is for managers to edit."""

    id: str
    stage: str
    side_held: str
    price_cents: int | None
    gross_cents: int | None
    net_cents: int | None
    chance: float
    chance_is_default: bool
    expected_close_on: date | None
    closed_on: date | None
    can_edit: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CompItem:
    """A comparable sale, its price brought to today and to the subject, and its weight."""

    id: str
    address: str
    km: float
    sold_on: date
    price_cents: int
    adjusted_cents: int
    adjustments: tuple[tuple[str, int], ...]
    weight: float
    sqft: int | None
    beds: float | None
    baths: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CompsView:
    """An estimate, not an appraisal. `value_cents` None = no estimate; `why_not` says why."""

    value_cents: int | None
    low_cents: int | None
    high_cents: int | None
    confidence: str
    method: str
    searched: str
    source: str
    as_of: date | None
    items: tuple[CompItem, ...]
    why_not: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadView:
    """One lead with all that its screen shows."""

    facts: LeadFacts
    score: scoring.Score
    temperature: str
    qualification: Qualification
    contact: ContactState
    timeline: Timeline
    tasks: tuple[TaskItem, ...]
    notes: tuple[NoteItem, ...]
    properties: tuple[PropertyItem, ...]
    deals: tuple[DealItem, ...]
    conflicts: tuple[ConflictItem, ...]
    decided: tuple[ConflictItem, ...]
    lost: tuple[ConflictItem, ...]
    pairs: tuple[Pair, ...]
    sync: sync_words.SyncWord
    mine: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicate:
    """A lead that may be the same person, and by what."""

    id: str
    name: str
    phone: str
    email: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLead:
    """What quick add asks for; only the name is needed, and phone, e-mail or address to find them again."""

    name: str
    kind: str = "seller"
    phone: str = ""
    email: str = ""
    address: str = ""
    city: str = ""
    state: str = ""
    zip: str = ""
    lat: float | None = None
    lon: float | None = None
    source: str = ""
    consent_text: bool = False
    consent_call: bool = False
    consent_words: str = ""
    location_id: str = ""
    note: str = ""
