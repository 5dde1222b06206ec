"""What shape the house is in: the words that say so."""

from __future__ import annotations

import re

from domain.proposals import phrases, values

_CONDITIONS = {
    "average": r"""
        (average|fair|decent|ok|okay|alright|livable) (condition|shape)
        dated but (clean|solid|fine|nice|well)
        clean but (dated|old)
        lived[\s-]in\b
        nothing (fancy|special)
        condition is (average|fair|ok|okay|decent)
    """,
    "poor": r"""
        gut job
        (total|complete|full|major) (rehab|gut|renovation|remodel|disaster|wreck|mess|overhaul)
        foundation (issues?|problems?|is \w+|has (a )?\w+|cracks?|cracked|work)
        (pipe|pipes) burst
        burst pipes?
        buckled
        (it'?s|is|total|complete) (a )?(total |complete |huge )?mess\b
        water damage
        fire damage\w*
        smoke damage
        mou?ldy?\b
        black mold
        trashed
        (left it|place is|house is|it'?s|total|complete) (a )?(total |complete )?wreck
        falling (off|in)
        rott(ed|en|ing)
        (it|place|house|'s|is) ('s )?(pretty |really |very )?rough\b
        rough (shape|condition)
        septic (failed|is (failing|bad|shot|gone))
        failed septic
        (roof|ceiling) (leaks?|is leaking|leaking|caved? in|collaps\w+)
        tear[\s-]?down
        knock[\s-]?down
        (un|not )(inhabitable|livable)
        uninhabitable
        falling (apart|down)
        (bad|terrible|awful|horrible|poor|rough|sad) (shape|condition)
        termites?
        hoard\w*
        no (plumbing|heat|power|electric\w*)
        structural \w+
        needs everything
        condemned
        boarded up
        down to the studs
    """,
    "needs work": r"""
        need(s|ing)? (an? (little|lot of|bit of|ton of|whole|new|few) \w+|an? (overhaul|update|upgrade|rehab|roof)|some \w+|work|paint\w*|flooring|carpet|updat\w+|new \w+|repairs?|tlc|love|cosmetic\w*|roof\w*|fixing|cleaning|a (roof|kitchen|refresh|facelift)|minor \w+|resurfacing|replac\w+)
        roof (needs? \w+|is ((about |over )?([1-9]\d|ten|eleven|twelve|\w+teen|(twenty|thirty|forty)([\s-]\w+)?) years old|old|shot|bad|going|original|at the end)|'?s (shot|old|bad))
        \bdated\b
        outdated
        knob and tube
        (hasn'?t|has not|never) been (touched|updated|remodeled|renovated)
        (straight )?(from|out of) the ((fif|six|seven|eigh|nine)t?ies|'?\d0'?s)
        original (kitchen|bath\w*|everything|condition|carpet|windows)
        (hvac|ac|a/c|furnace|roof|water heater|plumbing|electrical|boiler|heater)( unit)?('s| is| are) (shot|dead|out|old|bad|broken|gone|original|on its last legs|dying)
        fixer([\s-]upper)?
        could use (some|a|new) \w+
        cosmetic\w*
        handyman special
        deferred maintenance
        (needs|wants) updating
        worn
        galvanized
        tired (inside|kitchen|interior)
    """,
    "good": r"""
        move[\s-]?in[\s-]?ready
        turn[\s-]?key
        immaculate
        spotless
        neat as a pin
        (house|place|home) is (very |really )?(solid|clean|gorgeous|beautiful|perfect)
        well taken care of
        taken (good|great) care of
        pristine
        (great|good|excellent|perfect|amazing|beautiful|mint|fantastic|wonderful|super|really good|very good|nice) (shape|condition)
        (recently |newly |fully |totally |completely |all |everything('s| is| was)? )(updated|remodel+ed|renovated|redone|new)
        (?<!not\s)(?<!never\s)(remodel+ed|renovated|redone|refinished)\b
        well[\s-](kept|maintained|cared)
        (brand[\s-])?new (roof|hvac|ac|a/c|kitchen|floors?|flooring|windows|appliances|furnace|paint|carpet|bath\w*|everything)
        like new
        show(s)? (great|well|beautifully)
        beautiful (house|home|inside)
        condition is (good|great|excellent)
        granite
        quartz
        very clean
        doesn'?t need (a thing|anything|any work|work)
        updated (kitchen|bath\w*|in \d{4}|last year|throughout)
    """,
}
_PATTERNS = {name: phrases.compiled(lines) for name, lines in _CONDITIONS.items()}
_WORST_FIRST = ("poor", "average", "needs work", "good")
_OTHERWISE = re.compile(
    rf"\botherwise\s+(?:it'?s\s+|in\s+|the\s+house\s+is\s+)*"
    rf"(?:{phrases.pattern(_CONDITIONS['good'])}|great|good|excellent|perfect)",
    re.IGNORECASE,
)
_WISHED = re.compile(
    r"\b(?:looking\s+for|wants?\s+(?:a|something)|would\s+like\s+a)\s+(?:\w+\s+){0,3}\Z", re.IGNORECASE
)


def find(text: str) -> values.Proposal | None:
    """The worst that is said, but "otherwise great shape" and "dated but clean" are taken at their word."""
    overall = _OTHERWISE.search(text)
    hits = {name: phrases.hits(text, pattern) for name, pattern in _PATTERNS.items()}
    hits["good"] = [match for match in hits["good"] if not _WISHED.search(text[: match.start()])]
    if overall and not hits["poor"]:
        return values.worded(values.Field.CONDITION, "good", overall, 0.75)
    name = next((name for name in _WORST_FIRST if hits[name]), None)
    if name is None:
        return None
    mixed = name != "good" and bool(hits["good"])
    return values.worded(values.Field.CONDITION, name, hits[name][0], 0.7 if mixed else 0.85)
