"""One pass over a transcript: each reader proposes, and takes its words away from the next."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from domain import optouts, phones
from domain.proposals import condition, motivation, people, price, values, when


def propose(text: str, now: datetime, *, names: Sequence[str] = ()) -> tuple[values.Proposal, ...]:
    """Proposed changes in the order of the words; `now` on the speaker's clock, `names` of leads that may be meant."""
    plain = text.replace("’", "'").replace("‑", "-").replace("–", "-")
    found = [*_phone(plain), *_opted_out(plain)]
    place = people.address(plain)
    found += [place] if place else []
    taken = [(item.start, item.end) for item in found]
    timed = when.find(plain, now.date(), taken)
    found += timed
    taken += [(item.start, item.end) for item in timed]
    readers = (
        price.find(plain, taken),
        motivation.find(plain),
        condition.find(plain),
        people.name(plain, names),
    )
    found += [item for item in readers if item is not None]
    return tuple(sorted(found, key=lambda item: item.start))


def _phone(text: str) -> list[values.Proposal]:
    return [
        values.Proposal(
            field=values.Field.PHONE,
            value=item.number,
            display=phones.pretty(item.number),
            words=item.words,
            start=item.start,
            end=item.end,
            confidence=0.9,
        )
        for item in phones.find(text)[-1:]
    ]


def _opted_out(text: str) -> list[values.Proposal]:
    found = optouts.in_note(text)
    if found is None:
        return []
    return [
        values.Proposal(
            field=values.Field.OPTED_OUT,
            value=True,
            display="Asked for no more contact",
            words=found.words,
            start=found.start,
            end=found.end,
            confidence=0.95,
        )
    ]
