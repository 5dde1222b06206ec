"""Numbers in speech: numerals, spelled numbers, and the trade's short forms ("two eighty", "a million two")."""

from __future__ import annotations

import re
from dataclasses import dataclass

UNITS = {
    word: value
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
        "sixteen seventeen eighteen nineteen".split()
    )
}
TENS = {
    word: 10 * value
    for value, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), start=2)
}
TENS["fourty"] = 40
_SCALES = {
    "thousand": 1e3,
    "grand": 1e3,
    "k": 1e3,
    "million": 1e6,
    "mil": 1e6,
    "mill": 1e6,
    "m": 1e6,
}
_WORDS = [*UNITS, *TENS, "hundred", "half", "oh", "point", *(s for s in _SCALES if len(s) > 1)]
_TOKEN = re.compile(
    rf"(?P<sign>\$\s?)?(?P<digits>(?:\d{{1,3}}(?:,\d{{3}})+|\d+)(?:\.\d+)?)(?:\s?(?P<suffix>[kKmM])(?![a-zA-Z']))?(?![\d])"
    rf"|\b(?P<word>{'|'.join(_WORDS)})\b",
    re.IGNORECASE,
)
_GLUE = re.compile(r"(?:[\s-]+|\s+and\s+(?:a\s+)?|\s+an?\s+)\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A number as said. `scaled`: with its thousands or millions; `money`: with a $ before it."""

    value: float
    start: int
    end: int
    scaled: bool
    money: bool
    spelled: bool
    decimals: int = 0


def find(text: str) -> list[Number]:
    """Every number of the text, in order; runs that make no number ("five one two") are left out."""
    found = []
    for run in _runs(text):
        found += _read_run(run)
    return found


Run = list["re.Match[str]"]


def _runs(text: str) -> list[Run]:
    """Tokens that stand next to each other; two numerals in a row never make one number."""
    runs: list[Run] = []
    for token in _TOKEN.finditer(text):
        if runs and _joins(runs[-1][-1], token, text):
            runs[-1].append(token)
        else:
            runs.append([token])
    return runs


def _joins(last: re.Match[str], token: re.Match[str], text: str) -> bool:
    between = text[last.end() : token.start()]
    if not _GLUE.match(between) or last["suffix"]:
        return False
    if token["digits"]:
        return False
    word = token["word"].lower()
    if last["digits"]:
        return word in _SCALES or word == "hundred"
    if between.strip().lower() in ("a", "an"):
        return last["word"].lower() == "half"
    if "and" in between.lower():
        return last["word"].lower() == "hundred" or last["word"].lower() in _SCALES
    return True


def _read_run(run: Run) -> list[Number]:
    value = evaluate([_part(token) for token in run])
    if value is None:
        return []
    first = run[0]
    words = {(token["word"] or token["suffix"] or "").lower() for token in run}
    digits = (first["digits"] or "").replace(",", "")
    return [
        Number(
            value=value,
            start=first.start(),
            end=run[-1].end(),
            scaled=bool(words & _SCALES.keys()) or value >= 20_000,
            money=bool(first["sign"]),
            spelled=first["digits"] is None,
            decimals=len(digits.partition(".")[2]) if len(run) == 1 and not first["suffix"] else 0,
        )
    ]


Part = float | str


def _part(token: re.Match[str]) -> Part:
    if not token["digits"]:
        return str(token["word"]).lower()
    value = float(token["digits"].replace(",", ""))
    return value * _SCALES.get((token["suffix"] or "").lower(), 1)


def evaluate(parts: list[Part]) -> float | None:
    """The value of words and numerals in a row; None where they make no number."""
    total, group, scale = 0.0, list[Part](), 0.0
    for part in parts:
        if isinstance(part, str) and part in _SCALES:
            small = _small(group) if group else 1.0
            if small is None:
                return None
            scale = _SCALES[part]
            total, group = total + small * scale, []
        else:
            group.append(part)
    if not group:
        return total
    rest = _small(group)
    if rest is None:
        return None
    # "a million two" is 1.2 million, "one million fifty" 1.05; "two thousand five" is 2,500 hardly ever said.
    if scale == 1e6 and rest < 10:
        return total + rest * 1e5
    if scale == 1e6 and rest < 1000:
        return total + rest * 1e3
    return total + rest


def _small(group: list[Part]) -> float | None:
    """A number below a thousand, with the elided hundred ("two eighty") and tenth ("four eighty nine nine")."""
    if group == ["half"]:
        return 0.5
    if "point" in group:
        return _pointed(group)
    value = _plain(group)
    return _in_two(group) if value is None else value


def _in_two(group: list[Part]) -> float | None:
    """ "Two eighty nine nine fifty" is 289,950, and "four ninety nine nine hundred" 499,900."""
    for place in range(2, len(group) - 1):
        thousands, rest = _plain(group[:place]), _plain(group[place:])
        if (
            thousands
            and rest
            and 100 <= thousands < 1000
            and 100 <= rest < 1000
            and thousands == int(thousands)
        ):
            return thousands + rest / 1000
    return None


def _plain(group: list[Part]) -> float | None:
    value = 0.0
    open_slots = 1000.0  # only words smaller than this may still follow
    for part in group:
        step = _step(value, open_slots, part)
        if step is None:
            return None
        value, open_slots = step
    return value


def _step(value: float, slot: float, part: Part) -> tuple[float, float] | None:
    if isinstance(part, float):
        return (part, 0.0) if value == 0 else None
    if part == "hundred":
        if value == 0 or value >= 100:
            return None if value else (100.0, 100.0)
        return value * 100, 100.0
    if part == "oh":
        return (value * 100, 10.0) if 0 < value < 10 else None
    size = float(TENS.get(part, UNITS.get(part, -1)))
    if size < 0:
        return None
    return _add(value, slot, size)


def _add(value: float, slot: float, size: float) -> tuple[float, float] | None:
    """Adds a unit, teen or ten where it fits: into its slot, after an elided hundred, or as a tenth."""
    after = 10.0 if size >= 20 else 1.0
    if value == 0 or size < slot <= 100:
        return value + size, after
    if 0 < value < 10 and size >= 10:
        return value * 100 + size, after
    if value >= 100 and 0 < size < 10 and slot == 1.0:
        return value + size / 10, 0.0
    return None


def _pointed(group: list[Part]) -> float | None:
    place = group.index("point")
    whole = _small(group[:place]) if place else 0.0
    digits = ""
    for part in group[place + 1 :]:
        size = 0 if part == "oh" else TENS.get(str(part), UNITS.get(str(part), -1))
        if size < 0:
            return None
        digits += str(size)
    return None if whole is None or not digits else whole + float(f"0.{digits}")
