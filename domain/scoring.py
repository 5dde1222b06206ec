"""The cold-start lead score with its reasons: named terms whose points add up to it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from domain import facts, leads

VERSION = "cold-start-2026-11"
NEUTRAL = 0.5
FRS_SHARE, PCS_SHARE = 0.6, 0.4
HALF_LIFE_DAYS = 21.0

SELLER_WEIGHTS = {"motivation": 0.35, "timeline": 0.30, "condition": 0.20, "price": 0.15}
BUYER_WEIGHTS = {"financing": 0.40, "urgency": 0.35, "preferences": 0.25}
PCS_WEIGHTS = {
    "reply_speed": 0.20,
    "length": 0.15,
    "question_depth": 0.20,
    "objections": 0.25,
    "call_acceptance": 0.20,
}
LABELS = {
    "motivation": "Motivation",
    "timeline": "Timeline",
    "condition": "Condition",
    "price": "Price against comparable sales",
    "financing": "Financing",
    "urgency": "Timeline",
    "preferences": "Clear wishes",
    "reply_speed": "Reply speed",
    "length": "Length of messages",
    "question_depth": "Questions asked",
    "objections": "Objections resolved",
    "call_acceptance": "Calls taken",
    "frs": "Financial readiness",
    "pcs": "Commitment",
    "recency": "Time since last word",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What is known of a lead, in plain fields; None = unknown. The five of PCS are 0 to 1.

    `frs` and `pcs` (0 to 100) are readings by a bot: each counts whole where none of its parts is known.
    """

    kind: leads.Kind
    motivation: str | None = None
    timeline_days: float | None = None
    condition: str | None = None
    price_cents: int | None = None
    comps_mid_cents: int | None = None
    financing: str | None = None
    preferences: float | None = None
    reply_speed: float | None = None
    length: float | None = None
    question_depth: float | None = None
    objections: float | None = None
    call_acceptance: float | None = None
    frs: float | None = None
    pcs: float | None = None
    days_since_inbound: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One reason: what it gave or took, in points of the score."""

    name: str
    label: str
    points: float
    known: bool
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """0 to 100, with the terms that add up to it. `frs`/`pcs` are None where nothing at all is known."""

    value: float
    frs: float | None
    pcs: float | None
    terms: tuple[Term, ...]
    version: str = VERSION

    @property
    def unknown(self) -> tuple[str, ...]:
        """Names of the inputs that nobody knows yet; each counted as neutral."""
        return tuple(term.name for term in self.terms if not term.known)


def inputs(row: Mapping[str, object], now: datetime, *, comps_mid_cents: int | None = None) -> Inputs:
    """Inputs from a lead as stored (plain fields by name); odd or missing values count as unknown."""
    kind = leads.Kind(str(row.get("kind") or leads.Kind.SELLER))
    inbound = facts.moment(row.get("last_inbound_at"))
    given = leads.answers_given(_answers(row.get("answers")))
    return Inputs(
        kind=kind,
        motivation=facts.text(row.get("motivation")),
        timeline_days=facts.number(row.get("timeline_days")),
        condition=facts.text(row.get("condition")),
        price_cents=facts.whole(row.get("price_cents")),
        comps_mid_cents=comps_mid_cents,
        financing=facts.text(row.get("financing")),
        preferences=min(given, 4) / 4 if given else None,
        frs=facts.number(row.get("frs")),
        pcs=facts.number(row.get("pcs")),
        days_since_inbound=None if inbound is None else max(0.0, (now - inbound).total_seconds() / 86400),
    )


def _answers(value: object) -> leads.Answers:
    return value if isinstance(value, str | Mapping | list | tuple) else None


def lead_score(known: Inputs) -> Score:
    """S = 0.6·FRS + 0.4·PCS·½^(days since inbound / 21), with its reasons."""
    weights = SELLER_WEIGHTS if known.kind == leads.Kind.SELLER else BUYER_WEIGHTS
    frs, frs_terms = _part("frs", FRS_SHARE, weights, _readiness(known), known.frs)
    pcs, pcs_terms = _part("pcs", PCS_SHARE, PCS_WEIGHTS, _commitment(known), known.pcs)
    decay, fading = _recency(known.days_since_inbound, pcs)
    terms = (*frs_terms, *pcs_terms, fading)
    return Score(
        value=100 * (FRS_SHARE * frs + PCS_SHARE * pcs * decay),
        frs=100 * frs if any(term.known for term in frs_terms) else None,
        pcs=100 * pcs if any(term.known for term in pcs_terms) else None,
        terms=terms,
    )


def frs(known: Inputs) -> float:
    """Financial readiness 0 to 100; unknown parts count as neutral."""
    value = lead_score(known).frs
    return 100 * NEUTRAL if value is None else value


def pcs(known: Inputs) -> float:
    """Psychological commitment 0 to 100; unknown parts count as neutral."""
    value = lead_score(known).pcs
    return 100 * NEUTRAL if value is None else value


def _part(
    name: str,
    share: float,
    weights: Mapping[str, float],
    parts: Mapping[str, tuple[float | None, str]],
    reading: float | None,
) -> tuple[float, list[Term]]:
    """The part's value 0 to 1, and its terms: one a component, or one for a bot's reading alone."""
    if reading is not None and all(value is None for value, _ in parts.values()):
        value = min(max(reading / 100, 0.0), 1.0)
        return value, [_term(name, share * value, f"{reading:.0f} of 100, read by a bot")]
    terms, total = [], 0.0
    for key, weight in weights.items():
        fact, detail = parts[key]
        fraction = NEUTRAL if fact is None else fact
        total += weight * fraction
        terms.append(_term(key, share * weight * fraction, detail, known=fact is not None))
    return total, terms


def _term(name: str, fraction: float, detail: str, *, known: bool = True) -> Term:
    note = detail if known else "unknown: counted as neutral"
    return Term(name=name, label=LABELS[name], points=100 * fraction, known=known, detail=note)


def _recency(days: float | None, pcs_value: float) -> tuple[float, Term]:
    """The decay factor and the points it takes; nobody ever wrote = one half-life."""
    decay = 0.5 ** ((HALF_LIFE_DAYS if days is None else max(0.0, days)) / HALF_LIFE_DAYS)
    lost = -PCS_SHARE * pcs_value * (1 - decay)
    detail = "" if days is None else f"{days:.0f} days since their last word"
    return decay, _term("recency", lost, detail, known=days is not None)


def _readiness(known: Inputs) -> Mapping[str, tuple[float | None, str]]:
    horizon = timeline_factor(known.timeline_days)
    days = "" if known.timeline_days is None else f"{known.timeline_days:.0f} days"
    if known.kind == leads.Kind.BUYER:
        return {
            "financing": (facts.financing(known.financing), known.financing or ""),
            "urgency": (horizon, days),
            "preferences": (_unit(known.preferences), f"{100 * (known.preferences or 0):.0f} % filled in"),
        }
    return {
        "motivation": (facts.motivation(known.motivation), known.motivation or ""),
        "timeline": (horizon, days),
        "condition": (facts.condition(known.condition), known.condition or ""),
        "price": (
            price_realism(known.price_cents, known.comps_mid_cents),
            "asking price against the middle of comparable sales",
        ),
    }


def _commitment(known: Inputs) -> Mapping[str, tuple[float | None, str]]:
    values = {name: _unit(getattr(known, name)) for name in PCS_WEIGHTS}
    return {name: (value, f"{100 * (value or 0):.0f} of 100") for name, value in values.items()}


def _unit(value: float | None) -> float | None:
    return None if value is None else min(max(value, 0.0), 1.0)


def timeline_factor(days: float | None) -> float | None:
    """e^(−max(0, days − 30) / 90); None = unknown."""
    return None if days is None else math.exp(-max(0.0, days - 30) / 90)


def price_realism(ask_cents: int | None, mid_cents: int | None) -> float | None:
    """1 at or below the middle of the comparable sales, 0 from 20 % above it on; None = unknown."""
    if ask_cents is None or not mid_cents:
        return None
    return 1 - min(max((ask_cents - mid_cents) / (0.2 * mid_cents), 0.0), 1.0)
