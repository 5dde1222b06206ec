"""What a cell says: telephone, e-mail, date, money, number, yes or no; each with an error in plain words."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, tzinfo
from functools import lru_cache

from domain import errors, phones

_MONTHS = {
    name: number
    for number, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), start=1)
}
_CLOCK = r"(?:[ T,]+(?:at )?(\d{1,2}):(\d\d)(?::(\d\d))?(?:\.\d+)? ?([AaPp])?\.?[Mm]?\.?)?"
_MDY = re.compile(rf"(\d{{1,2}})[/.-](\d{{1,2}})[/.-](\d{{4}}){_CLOCK}")
_NAMED = re.compile(rf"([A-Za-z]{{3}})[a-z]*\.?[ -](\d{{1,2}})(?:st|nd|rd|th)?,?[ -](\d{{4}}){_CLOCK}")
_NUMBER = re.compile(r"[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d*)?(?:[eE][-+]?\d+)?")
_EMAIL = re.compile(r"[^@\s\"(),:;<>\[\]\\]+@[^@\s.]+(?:\.[^@\s.]+)+")
_YES = frozenset({"true", "yes", "y", "1", "on", "t", "enabled", "active"})
_NO = frozenset({"false", "no", "n", "0", "off", "f", "disabled", "inactive", "none"})
EARLIEST = 1900
MOST_CENTS = 10**15


def _bad(what: str, text: str, hint: str = "") -> errors.InputError:
    return errors.InputError(f"{text[:60]!r} is no {what}", hint=hint)


def phone(text: str) -> str:
    """E.164. Raises: InputError."""
    number = phones.parse(_undone(text))
    if number is None:
        raise _bad("telephone number", text)
    return number


def _undone(text: str) -> str:
    """Undo what a spreadsheet did to the digits: `'5551234567`, `15551234567.0`."""
    return text.lstrip("'").removesuffix(".0")


def email(text: str) -> str:
    """Lower case. Raises: InputError."""
    found = text.lower().removeprefix("mailto:")
    if len(found) > 254 or not _EMAIL.fullmatch(found):
        raise _bad("e-mail address", text)
    return found


@lru_cache(maxsize=8192)
def moment(text: str, zone: tzinfo) -> datetime:
    """Aware UTC; a time without a zone is local time of the office. Raises: InputError."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = _american(text)
    if not EARLIEST <= found.year <= 2200:
        raise _bad("date between 1900 and 2200", text)
    return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)


def _american(text: str) -> datetime:
    if match := _MDY.fullmatch(text):
        month, day, year = int(match[1]), int(match[2]), int(match[3])
    elif match := _NAMED.fullmatch(text):
        month, day, year = _MONTHS.get(match[1].lower(), 0), int(match[2]), int(match[3])
    else:
        raise _bad("date", text)
    hour = int(match[4] or 0)
    if match[7]:
        hour = hour % 12 + (12 if match[7] in "pP" else 0)
    try:
        return datetime(year, month, day, hour, int(match[5] or 0), int(match[6] or 0))  # noqa: DTZ001 (its zone is the office's)
    except ValueError as fault:
        raise _bad("date", text) from fault


@lru_cache(maxsize=8192)
def day(text: str) -> date:
    """A calendar day, whatever clock time stands behind it. Raises: InputError."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = _american(text)
    if not EARLIEST <= found.year <= 2200:
        raise _bad("date between 1900 and 2200", text)
    return found.date()


def number(text: str) -> float:
    """Raises: InputError."""
    if not _NUMBER.fullmatch(text) or not any(character.isdigit() for character in text):
        raise _bad("number", text)
    found = float(text.replace(",", ""))
    if abs(found) > 1e15:
        raise _bad("number of a sensible size", text)
    return found


def whole(text: str) -> int:
    """Raises: InputError."""
    return round(number(text))


def cents(text: str) -> int:
    """Dollars as `$450,000`, `450000.00` or `450k`. Raises: InputError."""
    bare = text.replace("$", "").replace("USD", "").strip()
    scale = {"k": 100_000, "m": 100_000_000}.get(bare[-1:].lower(), 0)
    found = round(number(bare[:-1].strip() if scale else bare) * (scale or 100))
    if not 0 <= found <= MOST_CENTS:
        raise _bad("price", text)
    return found


def yes(text: str) -> bool:
    """Raises: InputError."""
    word = text.lower()
    if word in _YES or word in _NO:
        return word in _YES
    raise _bad("yes or no", text)


def zip_code(text: str) -> str:
    """Five digits where it is an American one (a lost leading zero comes back), else as it stands."""
    bare = text.lstrip("'").removesuffix(".0").strip()
    match = re.fullmatch(r"(\d{3,5})(?:-?\d{4})?", bare)
    return match[1].zfill(5) if match else bare


def coordinate(text: str, limit: float) -> float:
    """Raises: InputError beyond ± limit."""
    found = number(text)
    if abs(found) > limit:
        raise _bad("coordinate", text)
    return found


def tags(text: str) -> list[str]:
    """`a, b; c` or `["a", "b"]` as a sorted list without repeats."""
    parts = re.split(r"[,;|]", text.strip("[]"))
    return sorted({part.strip().strip("\"'") for part in parts} - {""})
