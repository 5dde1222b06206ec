"""Why somebody moves: the words that say so."""

from __future__ import annotations

import re

from domain.proposals import phrases, values

_MOTIVES = {
    "foreclosure": r"""
        foreclos\w*
        (behind|late) on ((the|his|her|their) )?(payments?|mortgage|taxes|property taxes|the note|house payments?)
        notice of default
        (tax|foreclosure|trustee'?s?|sheriff'?s?) (sale|auction)
        auction( is)?( date| set)?
        bank is (taking|about to take|calling)
        short sale
        missed \w+ payments?
    """,
    "divorce": r"""
        divorc\w*
        split(ting)? up
        separat(ed|ing|ion)
        ex[\s-](wife|husband|spouse)
        (his|her|the) ex\b
        custody
        break(ing)? up
        broke up
    """,
    "probate": r"""
        probate
        (the|an) estate\b(?! agent)
        executor
        executrix
        heirs?\b
    """,
    "inheritance": r"""
        inherit\w*
        left (it |the (house|place) )?to (him|her|them|me)\b
        (mom|dad|mother|father|parents?|grandm\w+|grandf\w+|husband|wife|aunt|uncle)('s)? (just |recently )?(passed( away)?|died)
        passed away
    """,
    "two mortgages": r"""
        two (mortgages|house payments|payments|houses)
        2 mortgages
        (carry|carrying|afford|paying) (for )?(both|two)\b
        double (mortgage|payments?)
        (already )?(bought|closed on|purchased) (another|a new|their next|her next|his next|the next) (house|home|place|one)
    """,
    "code violations": r"""
        code (violations?|enforcement|citations?)
        (city|county) (is|keeps|has been|was) (citing|fining|after)
        \bcited\b
        condemn\w*
    """,
    "financial distress": r"""
        (lost|losing) (his|her|their) job
        laid off
        out of work
        unemploy\w*
        (medical|hospital) bills?
        bankrupt\w*
        can'?t (make|afford|keep up with) (the|his|her|their)?\s*(payments?|mortgage|house|note)
        in debt
        deep debt
        debts?\b
        money (is|'s)?\s*(tight|trouble|problems)
        needs? the (money|cash)
        (money|cash) (fast|quick|quickly)
        broke\b
    """,
    "tired landlord": r"""
        tired (of being a )?landlord
        (done|sick|tired|over) (of |with )?(being a landlord|landlording|renting|(the |dealing with )?tenants?|managing)
        tenants? (trashed|stopped|quit|won'?t|isn'?t|aren'?t|not paying|left|moved out|destroyed|wrecked|(is|are|was|were) (a nightmare|late|behind))
        bad tenants?
        evict\w*
        problem tenants?
        rental (headache|property .{0,20}\bdone)
    """,
    "retirement": r"""
        retir(e|es|ed|ing|ement)\b
    """,
    "downsizing": r"""
        down[\s-]?siz\w*
        empty[\s-]?nest\w*
        too (big|much (house|space|yard|room|maintenance|upkeep))
        stairs (are|is|getting)?\s*(too (much|hard)|hard|a problem|killing)
        kids (are )?(all )?(gone|grown|moved out|out of the house)
        (single|one)[\s-]story
        smaller (house|home|place|one)
        something smaller
        (moving|move) (in)?to (a |an )?(condo|apartment|assisted living|senior \w+)
        nursing home
        assisted living
    """,
    "upsizing": r"""
        growing family
        (need|needs|want|wants|wanting) (more|extra|a bigger|something bigger|a larger)\s*(space|room|bedrooms?|house|home|place|yard)?
        upgrad(e|ing) (to|house|home)
        (want|wants|looking|ready) to upgrade
        outgr(own|ew|owing)
        up[\s-]?siz\w*
        (baby|twins|another (baby|kid|child)|new baby) (on the way|coming|in \w+|due|is due)
        expecting (a baby|twins|their|another)
        pregnant
        bigger (house|home|place|one)
        something bigger
        having (a baby|twins)
    """,
    "relocation": r"""
        relocat\w*
        job (transfer|offer|move)\w*
        job (starts?|starting|is) in\b
        transferr?(ed|ing|s)?\b
        new job
        (took|starts?|starting|got|accepted) a (new )?(job|position)
        military (orders|move)
        \bpcs(ing)?\b
        got orders
        deploy\w*
        (his |her |their |the )?(work|company|employer|job|firm)(('s)| is| was) (moving|sending|shipping|transferring|relocating)
        (moving|move|moves|relocating|going) (back )?(to (?!list|sell|market|on|it|them|forward|a\b|an\b|the (next|top|front))[A-Z]\w+|closer to|near(er)? |out of (state|town|the (state|country|area))|across the country|overseas|abroad|home to|in with)
        be (closer to|near) (her|his|their|the)\b
    """,
    "cash out": r"""
        cash(ing)? out
        (pull|take|taking|tap|unlock) (out )?(the|his|her|their) equity
        invest(ing)? (elsewhere|in \w+|the money)
        (cap|top of) the market
        sell (at the (top|peak)|while (the market|prices))
    """,
    "curious": r"""
        (just|only) (wants? to (see|know)|curious|looking|checking|exploring|shopping)\b
        curious\b
        test(ing)? the (market|waters?)
        tire[\s-]?kick\w*
        not (really )?(serious|motivated|ready to sell)
        what (it'?s|the house is|it might be|it would be) worth
        no (real )?(motivation|reason to sell)
    """,
}
_PATTERNS = {name: phrases.compiled(lines) for name, lines in _MOTIVES.items()}
_TO_NO_PLACE = re.compile(r"(?i:moving|move|moves|relocating|going)\s+(?:back\s+)?to\s+([a-z])")


def find(text: str) -> values.Proposal | None:
    """The reason that is said first; curiosity only where there is no other."""
    found = [
        (name == "curious", match.start(), name, match)
        for name, pattern in _PATTERNS.items()
        for match in phrases.hits(text, pattern)
        if not _TO_NO_PLACE.match(text[match.start() :])
    ]
    if not found:
        return None
    _, _, name, match = min(found, key=lambda item: item[:2])
    others = {item[2] for item in found} - {name, "curious"}
    return values.worded(values.Field.MOTIVATION, name, match, 0.7 if others else 0.85)
