"""Telephone numbers: to E.164, for people's eyes, and out of speech ("five one two, five five five …")."""

from __future__ import annotations

import re
from dataclasses import dataclass

from domain import errors

_DIGITS = {
    word: str(value)
    for value, words in enumerate(
        ("zero oh o", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    )
    for word in words.split()
}
_TIMES = {"double": 2, "triple": 3}
_WRITTEN = re.compile(
    r"(?<![\w$.])(?:\+\d[\d\s().-]{6,20}\d|(?:1[\s.-]?)?\(?\d{3}\)?[\s.,-]{0,2}\d{3}[\s.,-]{0,2}\d{4})(?![\w]|-\d)"
)
_SPOKEN_WORD = re.compile(r"\b(?:" + "|".join([*_DIGITS, *_TIMES]) + r")\b|\d+", re.IGNORECASE)
_BETWEEN = re.compile(r"[\s,.\-–;]*\Z")
_NANP = re.compile(r"1?([2-9]\d\d)([2-9]\d\d)(\d{4})\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A number in a text: E.164 and the exact words it came from."""

    number: str
    words: str
    start: int
    end: int


def parse(text: str) -> str | None:
    """E.164 (`+15125550147`), or None where it is no number of the US, Canada or with a `+`."""
    stripped = text.strip()
    if re.search(r"[^\d\s().+\-/]", re.sub(r"(?i)\s*(?:ext\.?|x|#)\s*\d+\Z", "", stripped)):
        return None
    digits = re.sub(r"\D", "", re.sub(r"(?i)\s*(?:ext\.?|x|#)\s*\d+\Z", "", stripped))
    if stripped.startswith("+") and not digits.startswith("1"):
        return f"+{digits}" if 8 <= len(digits) <= 15 and digits[0] != "0" else None
    match = _NANP.match(digits)
    return f"+1{''.join(match.groups())}" if match else None


def normalise(text: str) -> str:
    """E.164, or an error that says what is wrong.

    Raises: InputError.
    """
    number = parse(text)
    if number is None:
        raise errors.InputError(
            "This is no telephone number.",
            where="phone",
            hint="Give ten digits, as in 512 555 0147, or + and the country code.",
        )
    return number


def pretty(number: str) -> str:
    """`(512) 555-0147` for the US and Canada, else in groups of three; unknown text stays as it is."""
    match = _NANP.match(number.removeprefix("+")) if number.startswith("+1") else None
    if match:
        return f"({match[1]}) {match[2]}-{match[3]}"
    if not re.fullmatch(r"\+\d{8,15}", number):
        return number
    rest = number[3:]
    return " ".join([number[:3], *(rest[i : i + 3] for i in range(0, len(rest), 3))])


def area_code(number: str | None) -> str | None:
    """The three digits of a US or Canadian number."""
    match = _NANP.match((number or "").removeprefix("+")) if (number or "").startswith("+1") else None
    return match[1] if match else None


def spoken_digits(text: str) -> str:
    """Digits out of words: "five one two" → "512", "double five" → "55", "oh" → "0"; other words are skipped."""
    digits, times = "", 1
    for match in _SPOKEN_WORD.finditer(text):
        word = match[0].lower()
        if word in _TIMES:
            times = _TIMES[word]
            continue
        digits += _DIGITS.get(word, word) * times
        times = 1
    return digits


def find(text: str) -> tuple[Found, ...]:
    """Every number written or spoken in a text, in order."""
    found = [
        Found(number=number, words=match[0], start=match.start(), end=match.end())
        for match in _WRITTEN.finditer(text)
        if (number := parse(match[0].replace(",", " ")))
    ]
    found += [item for item in _spoken(text) if not any(_overlap(item, other) for other in found)]
    return tuple(sorted(found, key=lambda item: item.start))


def _overlap(one: Found, other: Found) -> bool:
    return one.start < other.end and other.start < one.end


def _spoken(text: str) -> list[Found]:
    """Runs of spoken digits with nothing but blanks and commas between them."""
    runs: list[list[re.Match[str]]] = []
    for match in _SPOKEN_WORD.finditer(text):
        if runs and _BETWEEN.match(text[runs[-1][-1].end() : match.start()]):
            runs[-1].append(match)
        else:
            runs.append([match])
    found = []
    for run in runs:
        start, end = run[0].start(), run[-1].end()
        number = parse(spoken_digits(text[start:end]))
        broken = any(len(token[0]) == 4 and token[0].isdigit() for token in run[:-1])
        if number and not broken:
            found.append(Found(number=number, words=text[start:end], start=start, end=end))
    return found
