"""Where and who: the street address in a note, and which of the known names it means."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

from domain.proposals import values

# Types that name a street by themselves, and those that are also plain words ("creek", "point").
_SURE = "street|avenue|ave|drive|road|rd|lane|ln|court|boulevard|blvd|circle|terrace|trail|parkway|pkwy|highway|hwy|way|place"
_TYPES = (
    f"{_SURE}|st|dr|ct|cir|pl|ter|trl|loop|cove|hollow|ridge|run|path|pass|crossing|square|point|bend|alley|row|walk|"
    "view|creek|glen|grove|heights|hill|hills|meadow|meadows|plaza|springs"
)
_CAPITAL = "|".join(word.capitalize() for word in _TYPES.split("|"))
_NUMBER = r"(?<![\w$.,:/-])(?:\d{1,2},\d{3}(?![,\d])|\d{1,5}(?:-\d{1,3})?)"
_WORD = r"(?:[A-Z][\w'-]*|[NSEW]\.|\d{1,3}(?:st|nd|rd|th)|of|the|to)"
_UNIT = r"(?:,?\s+(?i:unit|apt\.?|apartment|suite|#)\s?#?\w+)?"
_ADDRESS = re.compile(rf"{_NUMBER}\s+(?:{_WORD}\s+){{1,5}}(?:(?i:{_SURE})|(?:{_CAPITAL}))\b{_UNIT}")
_SAID = r"(?!(?:a|an|and|at|in|on|for|from|with|by|the|is|are|was|days?|weeks?|months?|years?|bed\w*|bath\w*|sq\w*|acres?|thousand|million|cash|firm|net|house|wants?|she|he|they|k)\b)[a-z][\w'-]*"
_LOWER = re.compile(rf"{_NUMBER}\s+(?:{_SAID}\s+){{1,3}}?(?:{_SURE})\b{_UNIT}", re.IGNORECASE)
_FARM = re.compile(rf"{_NUMBER}\s+(?:farm\s+to\s+market|ranch|county)\s+(?:road|rd)\s+\d+\b", re.IGNORECASE)
_AFTER_PLACE = re.compile(
    r"\b(?:at|outside(?:\s+of)?|by|on|visited|toured|house\s+at|property\s+at|inside)\s+(?P<address>\d{2,6}\s+[A-Z][\w'-]+(?:\s+[A-Z][\w'-]+){0,2})"
)
_TITLE = r"(?:Mrs?|Ms|Miss|Dr)\.?\s+"


def address(text: str) -> values.Proposal | None:
    """The first street address."""
    found = [(m.start(), m.end(), 0.85) for m in (_FARM.search(text), _ADDRESS.search(text)) if m]
    lower = _LOWER.search(text)
    if lower and not found:
        found = [(lower.start(), lower.end(), 0.7)]
    if not found:
        placed = _AFTER_PLACE.search(text)
        found = [(*placed.span("address"), 0.65)] if placed else []
    if not found:
        return None
    start, end, sure = min(found, key=lambda item: (item[0], -item[1]))
    words = text[start:end].rstrip(" .,")
    return values.Proposal(
        field=values.Field.ADDRESS,
        value=_tidy(words),
        display=_tidy(words),
        words=words,
        start=start,
        end=start + len(words),
        confidence=sure,
    )


def _tidy(words: str) -> str:
    """As it is written on a letter: no comma in the house number, capital letters."""
    number, _, name = words.partition(" ")
    plain = name if any(c.isupper() for c in name) else name.title()
    return f"{number.replace(',', '')} {plain}"


_NICKNAMES = {
    "rob": "robert",
    "bob": "robert",
    "bill": "william",
    "will": "william",
    "greg": "gregory",
    "pat": "patricia",
    "liz": "elizabeth",
    "beth": "elizabeth",
    "mike": "michael",
    "jim": "james",
    "tom": "thomas",
    "dave": "david",
    "kate": "katherine",
    "sue": "susan",
    "joe": "joseph",
    "tony": "anthony",
    "ken": "kenneth",
    "dan": "daniel",
    "steve": "steven",
    "chris": "christopher",
    "matt": "matthew",
    "jen": "jennifer",
    "rick": "richard",
    "dick": "richard",
    "ed": "edward",
    "sam": "samuel",
    "alex": "alexander",
    "andy": "andrew",
    "tim": "timothy",
    "debbie": "deborah",
    "maggie": "margaret",
    "peggy": "margaret",
    "larry": "lawrence",
    "jeff": "jeffrey",
}


def name(text: str, known: Sequence[str]) -> values.Proposal | None:
    """The known name the note means: in full, else by an unambiguous part of it; misspellings are close enough."""
    words = list(re.finditer(r"[^\W\d_][\w'’-]*", text))
    scored = [hit for person in known if person.strip() and (hit := _best(person, words)) is not None]
    if not scored:
        return None
    scored.sort(key=lambda hit: -hit[0])
    best = scored[0]
    margin = 0.15 if best[2] is best[3] else 0.02  # one word alone must not be like anybody else's
    if len(scored) > 1 and scored[1][0] >= best[0] - margin:
        return None
    start, end = best[2].start(), best[3].end()
    return values.Proposal(
        field=values.Field.NAME,
        value=best[1],
        display=best[1],
        words=text[start:end],
        start=start,
        end=end,
        confidence=round(min(0.95, best[0] * 0.95), 2),
    )


Hit = tuple[float, str, "re.Match[str]", "re.Match[str]"]


def _best(person: str, words: list[re.Match[str]]) -> Hit | None:
    """The best place of a name: both parts together, the surname, or the first name."""
    parts = person.lower().split()
    best: Hit | None = None
    for i, word in enumerate(words):
        if not word[0][0].isupper():  # speech engines write names with a capital
            continue
        first, last = _like(word[0], parts[0]), _like(word[0], parts[-1])
        tries: list[Hit] = []
        if i + 1 < len(words) and len(parts) > 1:
            following = words[i + 1]
            plain = (first + _like(following[0], parts[-1])) / 2
            turned = (last + _like(following[0], parts[0])) / 2
            if min(first, _like(following[0], parts[-1])) >= 0.6:
                tries.append((plain, person, word, following))
            if min(last, _like(following[0], parts[0])) >= 0.6:
                tries.append((turned, person, word, following))
        tries.append((0.88 * last if last >= 0.85 else 0.0, person, word, word))
        tries.append((0.84 * first if first >= 0.9 else 0.0, person, word, word))
        best = max([*tries, *([best] if best else [])], key=lambda hit: hit[0], default=best)
    return best if best and best[0] >= 0.74 else None


def _like(word: str, part: str) -> float:
    """1 for the same name or its short form; below .6 is not looked at closely and counts as 0."""
    plain = word.lower()
    plain = plain.removesuffix("'s").removesuffix("'")
    if plain == part or _NICKNAMES.get(plain, plain) == _NICKNAMES.get(part, part):
        return 1.0
    both = len(plain) + len(part)
    shared = sum(min(plain.count(letter), part.count(letter)) for letter in set(plain))
    return SequenceMatcher(None, plain, part).ratio() if 2 * shared >= 0.6 * both else 0.0
