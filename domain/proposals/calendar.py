"""The calendar behind spoken days: coming weekdays, months, and US holidays."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta

MONTHS = "january february march april may june july august september october november december".split()
WEEKDAYS = "monday tuesday wednesday thursday friday saturday sunday".split()
HOLIDAYS = (
    r"thanksgiving|christmas(?:\s+eve)?|new\s+year'?s?(?:\s+(?:eve|day))?|labor\s+day|memorial\s+day|"
    r"mother'?s\s+day|father'?s\s+day|(?:the\s+)?(?:fourth|4th)\s+of\s+july|july\s+(?:fourth|4th)|easter|halloween|valentine'?s(?:\s+day)?"
)


def coming(weekday: str, today: date) -> date:
    """The next such day after today; today's own name means in a week."""
    ahead = (WEEKDAYS.index(weekday.lower()) - today.weekday()) % 7
    return today + timedelta(days=ahead or 7)


def next_week(weekday: str, today: date) -> date:
    """That day of the week that begins next Monday."""
    monday = today + timedelta(days=7 - today.weekday())
    return monday + timedelta(days=WEEKDAYS.index(weekday.lower()))


def month_number(name: str | int) -> int:
    """1 to 12 from a name, its first letters, or a number."""
    if isinstance(name, int):
        return name
    start = name.lower().rstrip(".")[:3]
    return next(i for i, month in enumerate(MONTHS, start=1) if month.startswith(start))


def add_months(day: date, months: int) -> date:
    """The same day of a later month, or its last."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def month_end(day: date) -> date:
    return day.replace(day=monthrange(day.year, day.month)[1])


def coming_month(name: str | int, today: date) -> date:
    """The first day of the next month of that name; the current one counts as this year's."""
    month = month_number(name)
    return date(today.year + (month < today.month), month, 1)


def coming_day(month: str | int, day: int, today: date, year: int | None = None) -> date | None:
    """That day of the month, this year or the next; None where there is no such day."""
    number = month_number(month)
    for candidate in [year] if year else [today.year, today.year + 1]:
        try:
            found = date(candidate, number, day)
        except ValueError:
            return None
        if found >= today:
            return found
    return None


def coming_nth(day: int, today: date) -> date | None:
    """The next "the 30th"."""
    for months in range(13):
        first = add_months(today.replace(day=1), months)
        if 1 <= day <= monthrange(first.year, first.month)[1] and first.replace(day=day) > today:
            return first.replace(day=day)
    return None


def holiday(name: str, today: date) -> date | None:
    """The next day of that holiday."""
    plain = " ".join(name.lower().replace("'", "").split())
    for year in (today.year, today.year + 1):
        found = _holiday(plain, year)
        if found is not None and found >= today:
            return found
    return None


def _holiday(name: str, year: int) -> date | None:
    fixed = {
        "christmas eve": (12, 24),
        "christmas": (12, 25),
        "new years eve": (12, 31),
        "new year": (1, 1),
        "halloween": (10, 31),
        "valentine": (2, 14),
        "labor": (9, 1),
        "memorial": (5, 31),
        "thanksgiving": (11, 22),
        "mothers": (5, 8),
        "fathers": (6, 15),
    }
    if "july" in name:
        return date(year, 7, 4)
    if name == "easter":
        return _easter(year)
    key = next((key for key in fixed if name.startswith(key)), None)
    if key is None:
        return None
    day = date(year, *fixed[key])
    moves = {
        "labor": -day.weekday() % 7,
        "memorial": -day.weekday(),
        "thanksgiving": (3 - day.weekday()) % 7,
        "mothers": 6 - day.weekday(),
        "fathers": 6 - day.weekday(),
    }
    return day + timedelta(days=moves.get(key, 0))


def _easter(year: int) -> date:
    """Gauss's rule, as published by Meeus/Jones/Butcher."""
    a, b, c = year % 19, year // 100, year % 100
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    m = (32 + 2 * e + 2 * i - h - k) % 7
    n = (a + 11 * h + 22 * m) // 451
    month, day = divmod(h + m - 7 * n + 114, 31)
    return date(year, month, day + 1)
