"""The price that a person would take or pay, out of all the numbers of a note."""

from __future__ import annotations

import re
from dataclasses import dataclass

from domain.proposals import numbers, phrases, values

# Said before the number, nearest one governs. "wants to … for", "take", "asking", "down to".
_STRONG = phrases.compiled(
    r"""
        asking( price)?
        asks?
        wants?( (at least|to (get|net|see|list (it )?(at|for)|clear|sell (it )?(at|for))))?
        (would|will|'d|'ll|might|could) (probably |maybe |even |happily )?(take|accept|do|sell (it )?for|go|settle for|consider|let it go (for|at))
        takes?
        accepts?
        settle for
        price(d)?( (is|of|at|to|around|down to))?
        list(ed|ing)? (it )?(at|for|price( is)?)
        (dropp?(ed|ing)?|came?|come|coming|went|go|going|knock(ed)?|lower(ed)?|reduc(ed|e)|cut|bring|brought|raised?|bumped|moved?) (it |the price |his price |her price |their price )?(all the way )?(down |up )?to
        budget( is)?
        approved (for|up to)
        up to
        (max(imum)?|top(s)?|ceiling|limit)( (is|out at))?
        (she|he|they)('s|'re| is| are| was)? (said|says|mentioned|mentions|thinking|hoping for|looking for|needs?|firm (at|on))
        mentioned
        thinking
        hoping (for|to get)
        expects?
        expecting
        needs?
        (walk away|happy|thrilled|glad|good|fine|ok(ay)?) (with|at)
        (would not|will not|wouldn'?t|won'?t|not) (take|accept|go|sell (it )?for) (a \w+ |anything )?(less than|below|under|lower than)
        part with (it |this one )?(for|at)
        number (is|was)
        bottom line( is)?
        walk( away)? with
        be at
        open to
        list(ed|ing)?(?= (around|about|near|close))
        looking (for|to (get|net|list at)|at getting)
        let (it|the house) go (for|at)
        firm (at|on)
        sell (it )?(for|at)
        net(s|ting)?
        offers? (at|of|us)
        spend
    """
)
_FILL = (
    r"(?:\s*,?\s*(?:about|around|roughly|maybe|like|at\s+least|over|under|close\s+to|near|somewhere|in\s+the|is|of|at|for|a|an|cool|"
    r"even|just|only|anything|something|probably|or|to|on|it|them|me|us|that|up|as\s+low\s+as|no\s+less\s+than|not\s+less\s+than|"
    r"north\s+of|high|low|mid|the|lot|with|now|get|net|he|she|they|would|be|was|still|list|sell|house|place)\b)*[\s,:]*\Z"
)
_AFTER_STRONG = re.compile(_FILL, re.IGNORECASE)
_NOT_ASKED = phrases.compiled(
    r"""
        originally
        original( (price|ask|number))?
        was asking
        used to
        before (it )?was
        instead of
        down from
        dropped from
        up from
        from
        paid
        bought (it|this|the \w+)?\s*(for|at)
        owes?
        owed
        owing
        mortgage
        loan
        payoff
        balance
        lien
        repairs?
        fix(ing)?
        estimate[ds]?
        quote[ds]?
        bids?
        rehab
        reno\w*
        rent(s|ed|ing|al)?
        taxes
        tax
        hoa
        insurance
        deductible
        zillow
        zestimate
        redfin
        apprais\w+
        assess\w+
        comps?
        neighbou?rs?
        next door
        down the street
        sold (for|at)
        deposit
        earnest
        down payment
        commission
        credit
        allowance
        equity
        salary
        makes
        income
        worth
        cost[s]?
        spent
        put(ting)? down
        roof
        closing costs
        offered (him|her|them)
        (another|other) (offer|agent|buyer|investor)\w*
        turned down
        rejected
        refused
        monthly
        a month
        won'?t (take|accept|do|go)
        wouldn'?t (take|accept|do|go)
        not (take|accept|going to take)
        too (low|high)
        we offered
        i (offered|said|told|suggested|think)
    """
)
_UNITS_AFTER = re.compile(
    r"-\d|[\s-]*(?:st|nd|rd|th|bed(?:room)?s?|bath(?:room)?s?|half\s+bath|sq(?:uare)?\b|sqft|feet|foot|ft\b|acres?|lots?\b|percent|%|days?|weeks?|months?|years?|yrs?|hours?|minutes?|mins?"
    r"|o'clock|[ap]\.?m\b|a\s+month|/\s?mo|per\s+month|monthly|kids?|children|people|offers?|units?|cars?|car\s+garage|stor(?:y|ies)|times|miles?|blocks?|bedroom|in\s+the\s+morning|degrees|properties|houses|homes|doors|tenants"
    r"|(?-i:(?:[A-Z]\w+\s+){1,3}(?:[Ss]treet|[Aa]venue|[Dd]rive|[Rr]oad|[Ll]ane|[Cc]ourt|[Bb]oulevard|[Ww]ay|[Cc]ircle|[Pp]lace|[Tt]errace|[Tt]rail|[Pp]arkway)\b))",
    re.IGNORECASE,
)
_UNITS_BEFORE = re.compile(
    r"(?:unit|apt|apartment|suite|number|#|lot|highway|hwy|route|road|interstate|in|since|back\s+in|built\s+in|from|zip(?:\s+code)?|at\s+(?=\d{1,2}:)|:|\d-)\s*\Z",
    re.IGNORECASE,
)
_CORRECTED = re.compile(
    r"\b(?:i\s+mean|i\s+meant|no\s+wait|wait|scratch\s+that|make\s+that|correction|sorry|rather|actually|maybe|or\s+maybe)\W*\Z",
    re.IGNORECASE,
)
_ALONE_AFTER = re.compile(
    r"\s*(?:even|firm|flat|net|cash|as[\s-]is|or\s+best\s+offer|obo|tops|max|bucks|dollars|and\s+it'?s\s+\w+|is\s+(?:his|her|their|the)\s+(?:number|price|ask|bottom\s+line|floor|max\w*|budget|limit)"
    r"|(?:would|will)\s+(?:do\s+it|work|get\s+it\s+done|make\s+(?:him|her|them)\s+happy)|(?:all\s+)?in\s+cash)\b",
    re.IGNORECASE,
)
_PAYOFF = re.compile(r"\b(?:payoff|owes?|owing|balance)\b", re.IGNORECASE)


REACH = 160  # characters around a number that may say what it is


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    cents: int
    start: int
    end: int
    strength: float


def find(text: str, taken: list[values.Span]) -> values.Proposal | None:
    """The strongest candidate; among equals the last one said, since people correct themselves forwards."""
    spans = values.sentences(text)
    candidates: list[Candidate] = []
    for number in numbers.find(text):
        if any(values.overlaps((number.start, number.end), span) for span in taken):
            continue
        made = _candidate(text, number, values.sentence_of(spans, number.start), candidates)
        if made is not None:
            candidates.append(made)
    if not candidates:
        return None
    best = max(candidates, key=lambda c: (c.strength, c.start))
    return values.Proposal(
        field=values.Field.PRICE,
        value=best.cents,
        display=f"${best.cents // 100:,}",
        words=text[best.start : best.end],
        start=best.start,
        end=best.end,
        confidence=best.strength,
    )


def _candidate(
    text: str, number: numbers.Number, sentence: values.Span, earlier: list[Candidate]
) -> Candidate | None:
    before = text[max(sentence[0], number.start - REACH) : number.start]
    after = text[number.end : min(sentence[1], number.end + REACH)]
    if _UNITS_AFTER.match(after) or (not number.money and _UNITS_BEFORE.search(before)):
        return None
    strength = _strength(before, after, number, sentence, earlier)
    dollars = _dollars(number, strength)
    if strength == 0 or dollars is None:
        return None
    return Candidate(cents=round(dollars * 100), start=number.start, end=number.end, strength=strength)


def _strength(
    before: str, after: str, number: numbers.Number, sentence: values.Span, earlier: list[Candidate]
) -> float:
    """How sure it is that this number is the price; 0 = it is not."""
    clause = re.split(r",\s+(?:but|and|so|though)\s+|\bbut\b", before)[-1]
    cue = _last(_STRONG, clause)
    denied = _last(_NOT_ASKED, clause)
    governed = cue is not None and _AFTER_STRONG.match(clause[cue.end() :]) is not None
    if denied is not None and (cue is None or denied.end() >= cue.end()):
        return 0.55 if number.scaled and _PAYOFF.search(denied[0]) else 0.0
    if governed:
        return 0.9
    if earlier and _CORRECTED.search(before) and sentence[0] <= earlier[-1].start:
        return earlier[-1].strength
    alone = not re.search(r"\w", before) or _CORRECTED.search(before)
    if alone and (not re.search(r"\w", after) or _ALONE_AFTER.match(after)):
        return 0.8
    if _ALONE_AFTER.match(after) and not number.scaled:
        return 0.75
    return 0.65 if number.scaled or number.money else 0.0


def _last(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    found = list(pattern.finditer(text))
    return found[-1] if found else None


def _dollars(number: numbers.Number, strength: float) -> float | None:
    """Whole dollars: "six forty" is 640,000; "$2.80" is what Whisper writes for "two eighty"."""
    value = number.value
    if number.scaled or value >= 10_000:
        return value if 40_000 <= value < 1e8 else None
    if 80 <= value < 1000:
        return value * 1000
    if strength >= 0.75 and number.decimals == 2 and 1 <= value < 10:
        return value * 100_000
    if strength >= 0.8 and number.spelled and 1 < value < 10 and value != int(value):
        return value * 1e6
    return None
