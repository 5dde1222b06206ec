"""Telephone numbers: to E.164, for people's eyes, and out of speech ("five one two, five five five …")."""

from __future__ import annotations

import re
from dataclasses import dataclass

from domain import errors, plain

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
_NANP = re.compile(r"1?([2-9][0-9]{2})([2-9][0-9]{2})([0-9]{4})\Z")
_USUAL = re.compile(r"\+1[2-9][0-9]{2}[2-9][0-9]{6}\Z")
_FOREIGN = re.compile(r"[1-9][0-9]{7,14}\Z")
# From here on as migration 020 has it: the database finds by these what the device and the server compare.
_EXTENSION = re.compile(r" *(?:ext\.?|x|#) *[0-9]+\Z", re.IGNORECASE)
_NO_PART = re.compile(r"[^0-9 ().+/-]")
_PIECE = re.compile(r"\+?[0-9 ()./-]+")
_WITHIN = re.compile(
    r"(?<![0-9])1?[ ./-]*\(?([2-9][0-9]{2})\)?[ ./-]*([2-9][0-9]{2})[ ./-]*([0-9]{4})(?![0-9])"
)
_NOBODYS = re.compile(r"\+1([0-9])\1{9}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A number in a text: E.164 and the exact words it came from."""

    number: str
    words: str
    start: int
    end: int


def parse(text: str) -> str | None:
    """E.164 (`+15125550147`), or None where it is no number of the US, Canada or with a `+`."""
    return _parse(plain.text(text))


def _parse(text: str) -> str | None:
    stripped = text.strip(" ")
    bare = _EXTENSION.sub("", stripped)
    if _NO_PART.search(bare):
        return None
    digits = re.sub("[^0-9]", "", bare)
    if stripped.startswith("+") and not digits.startswith("1"):
        return f"+{digits}" if _FOREIGN.match(digits) else None
    match = _NANP.match(digits)
    return f"+1{''.join(match.groups())}" if match else None


def numbers(field: str) -> tuple[str, ...]:
    """All that a telephone field says, as E.164: "Cell: 909 555 1005", "909-555-1006 / 909-555-1007".

    What stands for no number (555-555-5555) is left out: it would make one person of all who have none.
    """
    if _USUAL.match(field):
        found = [field]
    else:
        text = plain.clipped(field)
        whole = _parse(text)
        found = [whole] if whole else [one for piece in _PIECE.findall(text) for one in _of_piece(piece)]
    return tuple(dict.fromkeys(one for one in found if not _NOBODYS.match(one)))


def _of_piece(piece: str) -> list[str]:
    whole = _parse(piece)
    return [whole] if whole else [f"+1{''.join(match.groups())}" for match in _WITHIN.finditer(piece)]


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


def prefix(field: str) -> str:
    """What tells a field's area code, so that it is worked out once for many: its beginning, where it is E.164."""
    return field[:5] if field.startswith("+1") and len(field) == len("+15125550147") else field


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
