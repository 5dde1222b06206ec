"""Numbers, money, distances and times as people read them; what is not known is said, never guessed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo

NOTHING = "—"
_MILE_M = 1609.344


def money(cents: int | None, *, exact: bool = False) -> str:
    """`64000000` → `$640k`; `exact` → `$640,000` (and cents where there are any)."""
    if cents is None:
        return NOTHING
    sign, cents = ("−", -cents) if cents < 0 else ("", cents)
    dollars = cents / 100
    if exact:
        return f"{sign}${dollars:,.0f}" if cents % 100 == 0 else f"{sign}${dollars:,.2f}"
    return sign + _short(dollars)


def _short(dollars: float) -> str:
    for limit, unit in ((999_950_000, "B"), (999_500, "M"), (1_000, "k")):
        if dollars >= limit:
            scaled = dollars / {"B": 1e9, "M": 1e6, "k": 1e3}[unit]
            digits = 2 if scaled < 10 else 1 if scaled < 100 and unit != "k" else 0
            return (
                f"${scaled:.{digits}f}".rstrip("0").rstrip(".") + unit if digits else f"${scaled:.0f}{unit}"
            )
    return f"${dollars:,.0f}"


def number(value: float | None, digits: int = 0) -> str:
    return NOTHING if value is None else f"{value:z,.{digits}f}"


def percent(share: float | None, digits: int = 0) -> str:
    """`0.61` → `61 %`."""
    return NOTHING if share is None else f"{share * 100:z.{digits}f} %"


def change(now: float | None, before: float | None) -> str:
    """`+8 %` against `before`, a zero never has a sign; nothing when there is nothing to compare with."""
    if now is None or not before:
        return ""
    share = (now - before) / abs(before)
    whole = f"{abs(share) * 100:.0f}"
    if whole == "0":
        return "under 1 %" if share else "0 %"
    return f"{'+' if share > 0 else '−'}{whole} %"


def miles(value: float | None) -> str:
    if value is None:
        return NOTHING
    return f"{value:.1f} mi" if value < 10 else f"{value:.0f} mi"


def metres_as_miles(value: float | None) -> str:
    return miles(None if value is None else value / _MILE_M)


def minutes(value: float | None) -> str:
    """An estimate of a drive: `≈ 4 min`."""
    if value is None:
        return NOTHING
    if value < 60:
        return f"≈ {max(1, round(value))} min"
    return f"≈ {int(value // 60)} h {round(value % 60):02d}"


def seconds(value: float | None) -> str:
    """A stretch of time: `0:38`."""
    if value is None:
        return NOTHING
    whole = int(value)
    return f"{whole // 60}:{whole % 60:02d}"


def clock(moment: datetime | None, zone: tzinfo | None = None) -> str:
    """`10:42` in `zone`, else in the moment's own; UTC is nobody's wall clock, so it becomes the device's."""
    return NOTHING if moment is None else _local(moment, zone).strftime("%H:%M")


def _local(moment: datetime, zone: tzinfo | None) -> datetime:
    if zone is None and moment.tzinfo is not UTC:
        return moment
    return moment.astimezone(zone)


def day(moment: datetime | None, now: datetime, zone: tzinfo | None = None) -> str:
    """`today`, `yesterday`, `tomorrow`, `Fri 14 Nov`; with the year where it is another one."""
    if moment is None:
        return NOTHING
    zone = zone or _zone_of(now)
    local, today = moment.astimezone(zone), now.astimezone(zone)
    days = (local.date() - today.date()).days
    near = {0: "today", -1: "yesterday", 1: "tomorrow"}.get(days)
    if near:
        return near
    if local.year == today.year:
        return f"{local:%a} {local.day} {local:%b}"
    return f"{local.day} {local:%b %Y}"


def _zone_of(now: datetime) -> tzinfo | None:
    """The zone that `now` is told in; UTC is nobody's wall clock."""
    return None if now.tzinfo is UTC else now.tzinfo


def moment(value: datetime | None, now: datetime, zone: tzinfo | None = None) -> str:
    """`today 10:42`, `Fri 14 Nov 09:00`; on the wall clock of `now` where no zone is given."""
    zone = zone or _zone_of(now)
    return NOTHING if value is None else f"{day(value, now, zone)} {clock(value, zone)}"


def ago(value: datetime | None, now: datetime) -> str:
    """`just now`, `4 min ago`, `3 h ago`, `12 d ago`."""
    if value is None:
        return NOTHING
    passed = now - value
    if passed < timedelta(minutes=1):
        return "just now"
    return f"{stretch(passed)} ago"


def left(value: datetime | None, now: datetime) -> str:
    """`12 min left`, `3 h late`."""
    if value is None:
        return NOTHING
    return f"{stretch(value - now)} left" if value >= now else f"{stretch(now - value)} late"


def soon(value: datetime, now: datetime, zone: tzinfo | None = None) -> str:
    """When something comes: `now`, `in 20 s`, `at 13:27`."""
    seconds_ = round((value - now).total_seconds())
    if seconds_ <= 0:
        return "now"
    return f"in {seconds_} s" if seconds_ < 100 else f"at {clock(value, zone)}"


def stretch(span: timedelta) -> str:
    """`4 min`, `3 h`, `12 d`."""
    total = int(span.total_seconds() // 60)
    if total < 60:
        return f"{max(total, 1)} min"
    if total < 48 * 60:
        return f"{total // 60} h"
    return f"{total // (24 * 60)} d"


def phone(digits: str | None) -> str:
    """`+12065550142` → `(206) 555-0142`; anything else as it is."""
    if not digits:
        return NOTHING
    bare = "".join(sign for sign in digits if sign.isdigit())
    bare = bare[1:] if len(bare) == 11 and bare.startswith("1") else bare
    return f"({bare[:3]}) {bare[3:6]}-{bare[6:]}" if len(bare) == 10 else digits


def size(octets: int) -> str:
    """`1258291` → `1.2 MB`."""
    if octets < 1000:
        return f"{octets} B"
    power = 1 if octets < 999_500 else 2 if octets < 999_500_000 else 3
    value = octets / 1000**power
    unit = ("kB", "MB", "GB")[power - 1]
    return f"{value:.1f} {unit}" if value < 10 else f"{value:.0f} {unit}"
