"""A CRM's contact becomes a lead: which cell goes where, what makes a row bad, and what stays unknown."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache, partial

import orjson

from backend.services.imports import cells, crms, places, products, words
from backend.services.imports.kinds import Context, ImportKind, MakeRow, Reader, Row, check_text
from domain import errors, ids, phones, scoring, tables
from domain import leads as rules

_WHO = ("id", "external_id", "created_at", "agent_id", "name", "phone", "email")
_WHERE = ("address", "city", "state", "zip", "lat", "lon")
_WHAT = ("kind", "motivation", "timeline_days", "condition", "financing", "price_cents")
_WORDS = ("stage", "stage_reason", "source", "area", "tags")
_CONSENT = ("opted_out", "opted_out_words", "consent_text", "consent_words")
_RULES = ("last_inbound_at", "last_touch_at", "score", "temperature", "answer_due_at")
COLUMNS = (*_WHO, *_WHERE, *_WHAT, *_WORDS, *_CONSENT, *_RULES)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Contact:
    """Who it is, and the points to reach them."""

    name: str
    phone: str | None
    email: str | None


@dataclass(frozen=True, slots=True)
class LeadMaker:
    """Makes rows of COLUMNS out of a recognised file's records."""

    context: Context
    reader: Reader
    product: products.Product

    def __call__(self, row: list[str]) -> Row:
        """Raises: InputError with the reason why the record is no lead."""
        check_text(row)
        tags = cells.tags(self.reader.text(row, "tags"))
        place = places.read(self.context, self.reader, row)
        kind = self._kind(row, tags)
        inbound = self._past(row, "last_inbound_at")
        known = self._known(row, kind, inbound)
        consent = self._consent(row, tags)
        return (
            *self._who(row),
            *(place.address, place.city, place.state, place.zip, place.lat, place.lon),
            *(
                kind,
                known.motivation,
                known.timeline_days,
                known.condition,
                known.financing,
                known.price_cents,
            ),
            *self._words(row),
            _tags(tags, place.approximate),
            *consent,
            *_rules(known, inbound, self._past(row, "last_touch_at"), runs=not consent[0]),
        )

    def _who(self, row: list[str]) -> Row:
        contact = self._contact(row)
        made = self._past(row, "created_at")
        return (
            ids.new_id(),
            self._external_id(row, contact),
            made,
            self._agent(row),
            contact.name,
            contact.phone,
            contact.email,
        )

    def _words(self, row: list[str]) -> Row:
        stage, reason = words.stage(self.reader.text(row, "stage"))
        known = stage or (rules.Stage.NEW if reason else None)
        return known, reason, self.reader.text(row, "source") or None, self.reader.text(row, "area") or None

    def _consent(self, row: list[str], tags: list[str]) -> Row:
        out = self._opted_out(row, tags)
        consent = self.reader.read(row, "consent_text", cells.yes)
        said = f"{self.product.title} export: {self.reader.text(row, 'consent_text')[:80]}"
        return out is not None or None, out, consent, None if consent is None else said

    def _contact(self, row: list[str]) -> _Contact:
        """Raises: InputError where there is neither a name nor a way to reach them."""
        read = self.reader
        both = " ".join(part for word in ("first_name", "last_name") if (part := read.text(row, word)))
        name = both or read.text(row, "name") or read.text(row, "company")
        phone, email = read.read(row, "phone", cells.phone), read.read(row, "email", cells.email)
        if not (name or phone or email):
            raise errors.InputError("neither a name nor a telephone number nor an e-mail address")
        return _Contact(name=name or (phones.pretty(phone) if phone else email), phone=phone, email=email)

    def _external_id(self, row: list[str], contact: _Contact) -> str:
        """The product's own id, else one made of telephone, e-mail or name: the same in every export."""
        own = self.reader.text(row, "id")
        if own:
            return f"{self.product.key}:{own[:200]}"
        found = (
            contact.phone
            or contact.email
            or f"{contact.name.lower()} {self.reader.text(row, 'address').lower()}"
        )
        return f"{self.product.key}:~{hashlib.sha256(found.encode()).hexdigest()[:32]}"

    def _past(self, row: list[str], word: str) -> datetime | None:
        """Raises: InputError for a broken date or one that is still to come."""
        found: datetime | None = self.reader.read(row, word, partial(cells.moment, zone=self.context.zone))
        if found and found > self.context.now + timedelta(days=1):
            raise errors.InputError(f"{word}: {self.reader.text(row, word)[:40]!r} lies in the future")
        return found

    def _agent(self, row: list[str]) -> str | None:
        name = self.reader.text(row, "agent").lower()
        found = self.context.agents.get(name)
        if name and not found:
            self.context.counts["unknown_agent"] += 1
        return found

    def _kind(self, row: list[str], tags: list[str]) -> rules.Kind | None:
        return words.kind((self.reader.text(row, "kind"), *tags, self.reader.text(row, "stage")))

    def _known(self, row: list[str], kind: rules.Kind | None, inbound: datetime | None) -> scoring.Inputs:
        """What the file tells of the score's inputs; the rest stays unknown."""
        read = self.reader
        if kind is None:
            self.context.counts["kind_assumed"] += 1
        days: float | None = read.read(row, "timeline_days", _days)
        return scoring.Inputs(
            kind=kind or rules.Kind.SELLER,
            motivation=read.text(row, "motivation") or None,
            timeline_days=words.timeline_days(read.text(row, "timeline")) if days is None else days,
            condition=read.text(row, "condition") or None,
            price_cents=read.read(row, "price", cells.cents) or None,
            financing=read.text(row, "financing") or None,
            days_since_inbound=None if inbound is None else max(0, (self.context.now - inbound).days),
        )

    def _opted_out(self, row: list[str], tags: list[str]) -> str | None:
        """The words by which the export says that they must not be contacted."""
        text = self.reader.text(row, "opted_out")
        if words.says_opted_out(text):
            return f"{self.product.title} export: opted out = {text[:80]}"
        tag = words.opt_out_tag(tags)
        return f"{self.product.title} export: tag “{tag[:80]}”" if tag else None


def _days(text: str) -> int:
    """Days, as a bare number or with a unit. Raises: InputError."""
    found = words.timeline_days(text)
    days = cells.whole(text) if found is None else found
    if not 0 <= days <= words.MOST_DAYS:
        raise errors.InputError(f"{text[:40]!r} is no time of 0 to {words.MOST_DAYS} days")
    return days


def _rules(known: scoring.Inputs, inbound: datetime | None, touch: datetime | None, *, runs: bool) -> Row:
    """Times, score, temperature and answer clock, as the product's own rules make them."""
    score = round(_score(known).value, 1)
    warmth = rules.temperature(score)
    waits = runs and inbound is not None and (touch is None or touch < inbound)
    due = rules.answer_due(warmth, inbound) if waits and inbound else None
    return inbound, touch, score, warmth.value, due


@lru_cache(maxsize=4096)
def _score(known: scoring.Inputs) -> scoring.Score:
    return scoring.lead_score(known)


def _tags(tags: list[str], approximate: bool) -> str | None:
    found = [*tags, places.APPROXIMATE_TAG] if approximate else tags
    return orjson.dumps(found).decode() if found else None


def _maker(context: Context, layout: products.Layout) -> MakeRow:
    make: Callable[[list[str]], Row] = LeadMaker(context, Reader(layout.places), layout.product)
    return make


KIND = ImportKind(
    name="leads",
    table=tables.LEADS,
    columns=COLUMNS,
    insert_only=frozenset({"id", "created_at", "score", "temperature", "answer_due_at"}),
    defaults={"kind": "'seller'", "stage": "'new'", "created_at": "now()"},
    products=crms.ALL,
    maker=_maker,
    words={
        "kind_assumed": "leads say neither seller nor buyer: taken as sellers",
        "approximate": "rows have no coordinates: put in the middle of their ZIP code, and tagged so",
        "unknown_agent": "leads name an agent who has no account here: not assigned",
    },
)
