"""When and whether a lead may be called or texted (US). Guidance shown to people, not legal advice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from domain import phones, zones


class Channel(StrEnum):
    CALL = "call"
    TEXT = "text"
    EMAIL = "email"
    VISIT = "visit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """From `opens` to `closes` on the local clock; `closes` itself is closed."""

    opens: time
    closes: time

    def within(self, other: Hours) -> Hours | None:
        """The common part, or None."""
        opens, closes = max(self.opens, other.opens), min(self.closes, other.closes)
        return Hours(opens=opens, closes=closes) if opens < closes else None


def _hours(opens: float, closes: float) -> Hours:
    return Hours(opens=_clock(opens), closes=_clock(closes))


def _clock(hour: float) -> time:
    return time(int(hour), round(hour % 1 * 60))


FEDERAL = _hours(8, 21)
DEFAULT = _hours(9, 20)


@dataclass(frozen=True, slots=True, kw_only=True)
class StateHours:
    """A state's own hours where they are narrower than the federal ones; None = not on that day."""

    weekday: Hours = FEDERAL
    saturday: Hours | None = FEDERAL
    sunday: Hours | None = FEDERAL

    def on(self, day: date) -> Hours | None:
        return {5: self.saturday, 6: self.sunday}.get(day.weekday(), self.weekday)


def _all_week(opens: float, closes: float) -> StateHours:
    hours = _hours(opens, closes)
    return StateHours(weekday=hours, saturday=hours, sunday=hours)


# Known narrower hours for sales calls and texts, as of 2026-11. A brokerage's counsel edits the copy in its settings.
STATES: Mapping[str, StateHours] = {
    **dict.fromkeys(("FL", "MA", "MD", "OK", "WA", "WY"), _all_week(8, 20)),
    **dict.fromkeys(
        ("AL", "LA", "MS"), StateHours(weekday=_hours(8, 20), saturday=_hours(8, 20), sunday=None)
    ),
    "CT": _all_week(9, 20),
    "KY": _all_week(10, 21),
    "MI": _all_week(9, 21),
    "MN": _all_week(9, 21),
    "NM": _all_week(9, 21),
    "NV": _all_week(9, 20),
    "PA": StateHours(sunday=_hours(13.5, 21)),
    "RI": StateHours(weekday=_hours(9, 18), saturday=_hours(10, 17), sunday=None),
    "SD": StateHours(weekday=_hours(9, 21), saturday=_hours(9, 21), sunday=None),
    "TX": StateHours(weekday=_hours(9, 21), saturday=_hours(9, 21), sunday=_hours(12, 21)),
    "UT": StateHours(sunday=None),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class HoursRule:
    """The brokerage's own hours, cut by the state's; never wider than the federal ones."""

    version: str = "2026-11"
    default: Hours = DEFAULT
    states: Mapping[str, StateHours] = field(default_factory=lambda: STATES)

    def on(self, day: date, state: str | None) -> Hours | None:
        own = self.default.within(FEDERAL)
        law = self.states.get(state or "", StateHours()).on(day)
        return own.within(law) if own is not None and law is not None else None


DEFAULT_HOURS = HoursRule()


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What tells a lead's zone: the property's or mail address, and the telephone number."""

    state: str | None = None
    zip: str | None = None
    phone: str | None = None

    def clocks(self) -> tuple[tuple[str, str | None], ...]:
        """(zone, state) pairs that must all be open: the address's, and the area code's where it differs."""
        numbers = phones.numbers(self.phone or "")
        found = [pair for number in numbers or (None,) for pair in self._clocks(phones.area_code(number))]
        return tuple(dict.fromkeys(found)) or tuple((zone, None) for zone in zones.CONTINENTAL)

    def _clocks(self, code: str | None) -> list[tuple[str, str | None]]:
        """By the address and one number's area code."""
        by_phone = zones.of_area_code(code)
        phone_state = zones.AREA_STATES.get(code or "")
        state = (self.state or "").strip().upper() or None
        by_address = zones.of_state(state, self.zip)
        if len(by_address) > 1 and phone_state == state:
            by_address = by_phone
        pairs: list[tuple[str, str | None]] = [(zone, state) for zone in by_address]
        if not pairs or phone_state != state:
            pairs += [(zone, phone_state) for zone in by_phone]
        return pairs

    @property
    def known(self) -> bool:
        return len(self.clocks()) < len(zones.CONTINENTAL)

    @property
    def zone(self) -> ZoneInfo:
        """The lead's own clock, for dates."""
        return ZoneInfo(self.clocks()[0][0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Open or closed now, when that changes (UTC), and on whose clocks."""

    is_open: bool
    closes_at: datetime | None
    opens_at: datetime | None
    minutes_left: float
    zones: tuple[str, ...]
    known: bool

    def text(self) -> str:
        """For people, on the lead's first clock: "open until 20:00", "closed until Mon 09:00"."""
        zone = ZoneInfo(self.zones[0])
        sure = "" if self.known else " (zone unknown: the hours all of them share)"
        if self.is_open and self.closes_at is not None:
            return f"open until {self.closes_at.astimezone(zone):%H:%M}{sure}"
        if self.opens_at is None:
            return f"closed{sure}"
        return f"closed until {self.opens_at.astimezone(zone):%a %H:%M}{sure}"


Span = tuple[datetime, datetime]


def window(place: Place, now: datetime, rule: HoursRule = DEFAULT_HOURS) -> Window:
    """The legal window as it stands at `now`."""
    clocks = place.clocks()
    today = now.astimezone(UTC).date()
    spans = _common([_open_spans(zone, state, today, rule) for zone, state in clocks])
    current = next((span for span in spans if span[0] <= now < span[1]), None)
    coming = next((span for span in spans if span[0] > now), None)
    return Window(
        is_open=current is not None,
        closes_at=current[1] if current else None,
        opens_at=coming[0] if coming and not current else None,
        minutes_left=(current[1] - now).total_seconds() / 60 if current else 0.0,
        zones=tuple(dict.fromkeys(zone for zone, _ in clocks)),
        known=place.known,
    )


def next_open(place: Place, wanted: datetime, rule: HoursRule = DEFAULT_HOURS) -> datetime:
    """`wanted` where it lies in the window, else the next opening."""
    found = window(place, wanted, rule)
    return wanted if found.is_open or found.opens_at is None else found.opens_at


def _open_spans(zone: str, state: str | None, today: date, rule: HoursRule) -> list[Span]:
    spans = []
    for offset in range(-2, 10):
        day = today + timedelta(days=offset)
        hours = rule.on(day, state)
        if hours is not None:
            spans.append((_utc(day, hours.opens, zone), _utc(day, hours.closes, zone)))
    return spans


def _utc(day: date, clock: time, zone: str) -> datetime:
    return datetime.combine(day, clock, ZoneInfo(zone)).astimezone(UTC)


def _common(lists: Sequence[list[Span]]) -> list[Span]:
    """Spans that lie in every list, in order."""
    result = lists[0]
    for other in lists[1:]:
        cut = ((max(a[0], b[0]), min(a[1], b[1])) for a in result for b in other)
        result = sorted(span for span in cut if span[0] < span[1])
    return result


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """May we, why (not), and from when on."""

    allowed: bool
    reason: str
    from_at: datetime | None = None


def may_contact(
    channel: Channel | str,
    place: Place,
    now: datetime,
    *,
    opted_out: bool,
    consent_text: bool | None = None,
    consent_call: bool | None = None,
    rule: HoursRule = DEFAULT_HOURS,
) -> Decision:
    """Asked when a message is written and again when it is sent, on the device and on the server."""
    channel = Channel(channel)
    if opted_out:
        return Decision(allowed=False, reason="opted out: no calls, texts, e-mails or visits")
    if channel is Channel.TEXT and not consent_text:
        return Decision(allowed=False, reason="no consent to texts on record")
    if channel is Channel.CALL and consent_call is False:
        return Decision(allowed=False, reason="consent to calls refused")
    if channel in (Channel.EMAIL, Channel.VISIT):
        return Decision(allowed=True, reason="no legal hours for this channel")
    found = window(place, now, rule)
    if not found.is_open:
        return Decision(allowed=False, reason=found.text(), from_at=found.opens_at)
    unsure = "" if channel is Channel.TEXT or consent_call else "; no consent recorded: dial by hand only"
    return Decision(allowed=True, reason=found.text() + unsure)


def may_confirm_opt_out(confirmations_sent: int) -> bool:
    """One message that confirms the opt-out at most."""
    return confirmations_sent == 0


def opted_out_last(flags: Iterable[bool | int | None]) -> bool:
    """An opt-out always wins, wherever it was recorded."""
    return any(bool(flag) for flag in flags)
