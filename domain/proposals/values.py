"""What a proposal is: a field, its value, and the span of the text that says so."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


class Field(StrEnum):
    """The lead's field, by its stored name; `follow_up_on` and `opted_out` become a task and a block."""

    PRICE = "price_cents"
    TIMELINE = "timeline_days"
    MOTIVATION = "motivation"
    CONDITION = "condition"
    FOLLOW_UP = "follow_up_on"
    PHONE = "phone"
    OPTED_OUT = "opted_out"
    ADDRESS = "address"
    NAME = "name"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """`value` as stored (cents, days, ISO date, E.164, True), `display` for people, `words` = text[start:end]."""

    field: Field
    value: int | str | bool
    display: str
    words: str
    start: int
    end: int
    confidence: float


def worded(field: Field, name: str, match: re.Match[str], confidence: float) -> Proposal:
    """A proposal of a class of words, such as a reason or a condition."""
    return Proposal(
        field=field,
        value=name,
        display=name.capitalize(),
        words=match[0],
        start=match.start(),
        end=match.end(),
        confidence=confidence,
    )


Span = tuple[int, int]


def overlaps(one: Span, other: Span) -> bool:
    return one[0] < other[1] and other[0] < one[1]


_SENTENCE_END = re.compile(r"(?<!\bMr)(?<!\bMs)(?<!\bDr)(?<!\bSt)(?<!\bMrs)[.!?](?=\s|$)|\n|;")


def sentences(text: str) -> list[Span]:
    """Spans of the sentences, without a decimal point being taken for an end."""
    spans, start = [], 0
    for match in _SENTENCE_END.finditer(text):
        spans.append((start, match.start()))
        start = match.end()
    spans.append((start, len(text)))
    return [span for span in spans if text[span[0] : span[1]].strip()]


def sentence_of(spans: list[Span], place: int) -> Span:
    """The sentence that holds a place."""
    return next((span for span in spans if span[0] <= place <= span[1]), spans[-1])
