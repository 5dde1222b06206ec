"""Days and spans of time in speech ("next Tuesday", "in two weeks", "the first of April"), from a day on."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from domain.proposals import calendar, numbers

DAYS = {"day": 1, "night": 1, "week": 7, "month": 30, "year": 365}
_ORDINALS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth "
    "fifteenth sixteenth seventeenth eighteenth nineteenth twentieth"
).split()
_DAY_WORDS = {word: n for n, word in enumerate(_ORDINALS, start=1)}
_DAY_WORDS |= {f"twenty{sep}{word}": 20 + n for n, word in enumerate(_ORDINALS[:9], 1) for sep in "- "}
_DAY_WORDS |= {"thirtieth": 30, "thirty-first": 31, "thirty first": 31}

_COUNT = (
    r"(?:\d+|(?:a\s+)?couple(?:\s+of)?|a\s+few|an?(?:other)?|"
    rf"(?:{'|'.join([*numbers.TENS])})(?:[\s-](?:{'|'.join(list(numbers.UNITS)[1:10])}))?|"
    rf"{'|'.join(list(numbers.UNITS)[1:])}|few|half\s+a)"
)
_UNIT = r"(?:business\s+|working\s+)?(?P<unit>day|night|week|month|year)s?(?P<half>\s+and\s+a\s+half)?"
_MONTH = (
    "(?P<month>" + "|".join(calendar.MONTHS) + r"|(?:jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)\b\.?)"
)
_WEEKDAY = "(?P<weekday>" + "|".join(calendar.WEEKDAYS) + ")"
_NTH = r"(?P<nth>\d{1,2}(?:st|nd|rd|th)|" + "|".join(sorted(_DAY_WORDS, key=len, reverse=True)) + ")"


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A day as said."""

    on: date
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Length:
    """A span of time in days, as said."""

    days: int
    start: int
    end: int


def count(words: str) -> int | None:
    """ "a couple of" → 2, "a few" → 3, "ninety" → 90."""
    plain = " ".join(words.lower().split())
    fixed = {"a": 1, "an": 1, "another": 1, "half a": 0}
    if plain in fixed:
        return fixed[plain]
    if "couple" in plain:
        return 2
    if plain in ("few", "a few"):
        return 3
    if plain.isdigit():
        return int(plain)
    value = numbers.evaluate([*plain.replace("-", " ").split()])
    return None if value is None else int(value)


_LENGTH = re.compile(rf"\b(?P<count>{_COUNT})[\s-]+{_UNIT}\b", re.IGNORECASE)


def lengths(text: str) -> list[Length]:
    """Every span of time: days, weeks × 7, months × 30, years × 365."""
    found = []
    for match in _LENGTH.finditer(text):
        days = _days(match)
        if days:
            found.append(Length(days=days, start=match.start(), end=match.end()))
    return found


def _days(match: re.Match[str]) -> int | None:
    amount = count(match["count"])
    unit = DAYS[match["unit"].lower()]
    if match["count"].lower().startswith("half"):
        return unit // 2
    return None if amount is None else amount * unit + _half(match)


def _half(match: re.Match[str]) -> int:
    return DAYS[match["unit"].lower()] // 2 if match["half"] else 0


Reader = Callable[["re.Match[str]", date], date | None]


def _ahead(match: re.Match[str], today: date) -> date | None:
    amount = count(match["count"])
    unit = match["unit"].lower()
    base = today
    if match.groupdict().get("weekday"):
        base = calendar.coming(match["weekday"], today)
    if amount is None or unit == "night":
        return None
    if unit in ("month", "year"):
        return calendar.add_months(base, amount * (12 if unit == "year" else 1)) + timedelta(
            days=_half(match)
        )
    return base + timedelta(days=amount * DAYS[unit] + _half(match))


def _weekday(match: re.Match[str], today: date) -> date | None:
    how = (match["how"] or "").lower()
    if how == "last":
        return None
    if "next" in how or "week" in how:
        return calendar.next_week(match["weekday"], today)
    return calendar.coming(match["weekday"], today)


def _weekend(match: re.Match[str], today: date) -> date | None:
    if match["how"].lower() == "last":
        return None
    following = match["how"].lower() == "next"
    return calendar.next_week("saturday", today) if following else calendar.coming("saturday", today)


def _relative(match: re.Match[str], today: date) -> date | None:
    word = " ".join(match[0].lower().split())
    if "after tomorrow" in word:
        return today + timedelta(days=2)
    return today + timedelta(days="tomorrow" in word)


def _week_part(match: re.Match[str], today: date) -> date | None:
    late = (match["part"] or "").lower()
    monday = today - timedelta(days=today.weekday()) + timedelta(days=7 * (match["which"].lower() == "next"))
    if late in ("end", "later"):
        return calendar.coming("friday", max(today, monday) if late == "end" else today)
    if match["which"].lower() == "next":
        return monday + timedelta(days=2 if late in ("middle", "mid") else 0)
    return None


def _month_part(match: re.Match[str], today: date) -> date | None:
    """ "end of June", "the first week of December", "mid April", "end of the month", "early next month"."""
    part = match["part"].lower()
    if match["month"]:
        first = calendar.coming_month(match["month"], today)
    else:
        first = today.replace(day=1)
        if "next" in match["which"].lower():
            first = calendar.add_months(first, 1)
    if part.startswith(("end", "late")):
        return calendar.month_end(first)
    day = 15 if part.startswith("mid") else 1
    if "week" in part:
        day = {"first": 1, "second": 8, "third": 15, "last": 22}[part.split()[0]]
    found = first.replace(day=day)
    return found if found > today else None


def _month_day(match: re.Match[str], today: date) -> date | None:
    words = match["nth"].lower()
    day = int(re.sub(r"\D", "", words)) if words[0].isdigit() else _DAY_WORDS[words]
    year = match.groupdict().get("year")
    return calendar.coming_day(match["month"], day, today, int(year) if year else None)


def _day_only(match: re.Match[str], today: date) -> date | None:
    words = match["nth"].lower()
    return calendar.coming_nth(_DAY_WORDS.get(words) or int(re.sub(r"\D", "", words)), today)


def _month_only(match: re.Match[str], today: date) -> date | None:
    first = calendar.coming_month(match["month"], today)
    return calendar.add_months(first, 12) if match["later"] and first.year == today.year else first


def _slashed(match: re.Match[str], today: date) -> date | None:
    year = int(match["year"]) if match["year"] else None
    year = year + 2000 if year is not None and year < 100 else year
    return calendar.coming_day(int(match["m"]), int(match["d"]), today, year)


def _holiday(match: re.Match[str], today: date) -> date | None:
    return calendar.holiday(match["holiday"], today)


# Tried in this order; what an earlier one took is no longer looked at.
_READERS: tuple[tuple[str, Reader], ...] = (
    (rf"\b{_WEEKDAY}\s+(?:of\s+)?next\s+week\b", lambda m, d: calendar.next_week(m["weekday"], d)),
    (rf"\b(?P<count>{_COUNT})[\s-]+{_UNIT}\s+from\s+(?:today|now|(?:this\s+|next\s+)?{_WEEKDAY})\b", _ahead),
    (rf"\bin\s+(?:about\s+|another\s+|like\s+)?(?P<count>{_COUNT})[\s-]+{_UNIT}(?:'s?\s+time)?\b", _ahead),
    (
        rf"\b(?P<part>end|late|middle|mid|early|beginning|start|(?:first|second|third|last)\s+week)[\s-]+"
        rf"(?:of\s+|in\s+)?(?:(?P<which>(?:the|this|next)\s+month|next\s+month)|{_MONTH})\b",
        _month_part,
    ),
    (rf"\b(?:the\s+)?{_NTH}\s+of\s+{_MONTH}\b", _month_day),
    (
        rf"\b{_MONTH}\s+(?:the\s+)?(?P<nth>\d{{1,2}}(?:st|nd|rd|th)?\b|{'|'.join(sorted(_DAY_WORDS, key=len, reverse=True))})"
        r"(?:,?\s+(?P<year>20\d\d))?",
        _month_day,
    ),
    (
        r"\b(?:(?P<part>end|later|middle|mid|early|beginning)\s+(?:of\s+)?)?(?P<which>this|the|next)\s+week\b(?!\s+of)",
        _week_part,
    ),
    (
        rf"\b(?:(?P<how>this\s+coming|this|next|coming|last|a\s+week\s+(?:from|on))\s+)?{_WEEKDAY}s?\b",
        _weekday,
    ),
    (r"\b(?P<how>this|the|next|last|over\s+the)\s+weekend\b", _weekend),
    (
        r"\b(?:the\s+)?day\s+after\s+tomorrow\b|\btomorrow\b|\btoday\b|\btonight\b|\bthis\s+(?:afternoon|evening|morning)\b",
        _relative,
    ),
    (rf"\b(?P<holiday>{calendar.HOLIDAYS})\b", _holiday),
    (r"\b(?P<m>\d{1,2})/(?P<d>\d{1,2})(?:/(?P<year>\d{2,4}))?\b", _slashed),
    (r"\bthe\s+(?P<nth>\d{1,2}(?:st|nd|rd|th))\b(?!\s+(?:street|st|ave|avenue|floor|grade|time))", _day_only),
    (
        r"\b(?:on|by|before|after|until|till)\s+the\s+(?P<nth>"
        + "|".join(sorted(_DAY_WORDS, key=len, reverse=True))
        + r")\b"
        r"(?!\s+(?:street|st|ave|avenue|floor|grade|time|of|one|house|day|week|month))",
        _day_only,
    ),
    (
        rf"\b(?:in|by|until|till|before|after|around|come|for|of|is)\s+{_MONTH}(?!\s+\d)(?P<later>\s+(?:of\s+)?next\s+year)?\b",
        _month_only,
    ),
    (
        r"\b(?P<part>)(?P<month>)(?P<which>next\s+month)\b",
        lambda m, d: calendar.add_months(d.replace(day=1), 1),
    ),
)
_COMPILED = tuple((re.compile(pattern, re.IGNORECASE), reader) for pattern, reader in _READERS)


def days(text: str, today: date) -> list[Day]:
    """Every day said, in order."""
    found: list[Day] = []
    for pattern, reader in _COMPILED:
        for match in pattern.finditer(text):
            if any(match.start() < day.end and day.start < match.end() for day in found):
                continue
            on = reader(match, today)
            if on is not None:
                found.append(Day(on=on, start=match.start(), end=match.end()))
    return sorted(found, key=lambda day: day.start)
