"""What the words of other CRMs mean here: stages, kinds, opt-outs, timelines; tables, not code."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from domain.leads import Kind, Stage

# Follow Up Boss' own stages, HubSpot's lifecycle stages and lead statuses, and what GoHighLevel users call theirs.
_STAGES: Mapping[Stage, str] = {
    Stage.NEW: "new, new lead, lead, open, subscriber, other, marketing qualified lead, mql, sphere, inquiry",
    Stage.CONTACTED: "contacted, attempted to contact, attempted, in progress, connected, nurture, engaged, "
    "bad timing, working, follow up, responded, unresponsive",
    Stage.QUALIFIED: "qualified, hot prospect, sales qualified lead, sql, hot, hot lead, warm lead, "
    "appointment, appointment set, appointment booked, pre approved, met with customer",
    Stage.AGREEMENT: "agreement, active client, active buyer, active seller, showing, showing homes, listing, "
    "listed, active listing, listing agreement, buyer agreement, signed, opportunity, open deal",
    Stage.OFFER: "offer, submitting offers, offer made, offer submitted, negotiation, negotiating",
    Stage.CONTRACT: "contract, under contract, pending, in escrow, escrow",
    Stage.CLOSED: "closed, past client, customer, won, sold, closed won, evangelist",
    Stage.LOST: "lost, trash, closed lost, abandoned, unqualified, dead, archived, not interested, do not contact",
}
STAGES = {word.strip(): stage for stage, words in _STAGES.items() for word in words.split(",")}

_SELLER = re.compile(
    r"\b(?:sellers?|selling|listing lead|home ?owner|fsbo|expired|vendor|home ?value)\b", re.IGNORECASE
)
_BUYER = re.compile(r"\b(?:buyers?|buying|purchaser|first[- ]time|renter)\b", re.IGNORECASE)
_OPT_OUT_TAG = re.compile(
    r"\b(?:dnc|dnd|do[ -]not[ -](?:call|text|contact|disturb)|unsubscribed?|opt(?:ed)?[ -]?out|stop(?:ped)?)\b",
    re.IGNORECASE,
)
_TIMELINE = re.compile(r"(\d+)(?:\s*(?:-|–|to)\s*(\d+))?\+?\s*(day|week|month|year)", re.IGNORECASE)
MOST_DAYS = 3650
_UNIT_DAYS = {"day": 1, "week": 7, "month": 30, "year": 365}


def stage(text: str) -> tuple[Stage | None, str | None]:
    """The stage, and the product's own word as the reason where ours is another; unknown words are kept."""
    word = " ".join(re.sub(r"[^a-z0-9]+", " ", text.lower()).split())
    if not word:
        return None, None
    found = STAGES.get(word)
    return found, None if found and found.value == word else f"Imported as “{text[:80]}”"


def kind(texts: Iterable[str]) -> Kind | None:
    """Seller or buyer, by the first text that names one of them; None where none does."""
    for text in texts:
        if _SELLER.search(text):
            return Kind.SELLER
        if _BUYER.search(text):
            return Kind.BUYER
    return None


def opt_out_tag(tags: Iterable[str]) -> str | None:
    """The tag that says not to be contacted."""
    return next((tag for tag in tags if _OPT_OUT_TAG.search(tag)), None)


def timeline_days(text: str) -> int | None:
    """`3-6 months` → 180 (the later end); `immediately` → 0; None where it says no time."""
    if match := _TIMELINE.search(text):
        return min(int((match[2] or match[1])[:6]) * _UNIT_DAYS[match[3].lower()], MOST_DAYS)
    return 0 if re.search(r"(?i)\b(?:now|asap|immediate(?:ly)?)\b", text) else None


def says_opted_out(text: str) -> bool:
    """GoHighLevel writes `true`, or the channels that are off; HubSpot and others yes or no."""
    word = text.strip().lower()
    return word not in ("", "false", "no", "n", "0", "off", "none", "inactive", "disabled", "[]", "{}")
