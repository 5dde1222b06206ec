"""Why somebody moves, and what shape the house is in: the words that say so."""

from __future__ import annotations

import re

from domain.proposals import values

_MOTIVES = {
    "foreclosure": r"foreclos\w*|(?:behind|late)\s+on\s+(?:(?:the|his|her|their)\s+)?(?:payments?|mortgage|taxes|property\s+taxes|the\s+note|house\s+payments?)|notice\s+of\s+default|(?:tax|foreclosure|trustee'?s?|sheriff'?s?)\s+(?:sale|auction)|auction(?:\s+is)?(?:\s+date|\s+set)?|bank\s+is\s+(?:taking|about\s+to\s+take|calling)|short\s+sale|missed\s+\w+\s+payments?",
    "divorce": r"divorc\w*|split(?:ting)?\s+up|separat(?:ed|ing|ion)|ex[\s-](?:wife|husband|spouse)|(?:his|her|the)\s+ex\b|custody|break(?:ing)?\s+up|broke\s+up",
    "probate": r"probate|(?:the|an)\s+estate\b(?!\s+agent)|executor|executrix|heirs?\b",
    "inheritance": r"inherit\w*|left\s+(?:it\s+|the\s+(?:house|place)\s+)?to\s+(?:him|her|them|me)\b|(?:mom|dad|mother|father|parents?|grandm\w+|grandf\w+|husband|wife|aunt|uncle)(?:'s)?\s+(?:just\s+|recently\s+)?(?:passed(?:\s+away)?|died)|passed\s+away",
    "two mortgages": r"two\s+(?:mortgages|house\s+payments|payments|houses)|2\s+mortgages|(?:carry|carrying|afford|paying)\s+(?:for\s+)?(?:both|two)\b|double\s+(?:mortgage|payments?)|(?:already\s+)?(?:bought|closed\s+on|purchased)\s+(?:another|a\s+new|their\s+next|her\s+next|his\s+next|the\s+next)\s+(?:house|home|place|one)",
    "code violations": r"code\s+(?:violations?|enforcement|citations?)|(?:city|county)\s+(?:is|keeps|has\s+been|was)\s+(?:citing|fining|after)|\bcited\b|condemn\w*",
    "financial distress": r"(?:lost|losing)\s+(?:his|her|their)\s+job|laid\s+off|out\s+of\s+work|unemploy\w*|(?:medical|hospital)\s+bills?|bankrupt\w*|can'?t\s+(?:make|afford|keep\s+up\s+with)\s+(?:the|his|her|their)?\s*(?:payments?|mortgage|house|note)|in\s+debt|deep\s+debt|debts?\b|money\s+(?:is|'s)?\s*(?:tight|trouble|problems)|needs?\s+the\s+(?:money|cash)|(?:money|cash)\s+(?:fast|quick|quickly)|broke\b",
    "tired landlord": r"tired\s+(?:of\s+being\s+a\s+)?landlord|(?:done|sick|tired|over)\s+(?:of\s+|with\s+)?(?:being\s+a\s+landlord|landlording|renting|(?:the\s+|dealing\s+with\s+)?tenants?|managing)|tenants?\s+(?:trashed|stopped|quit|won'?t|isn'?t|aren'?t|not\s+paying|left|moved\s+out|destroyed|wrecked|(?:is|are|was|were)\s+(?:a\s+nightmare|late|behind))|bad\s+tenants?|evict\w*|problem\s+tenants?|rental\s+(?:headache|property\s+.{0,20}\bdone)",
    "retirement": r"retir(?:e|es|ed|ing|ement)\b",
    "downsizing": r"down[\s-]?siz\w*|empty[\s-]?nest\w*|too\s+(?:big|much\s+(?:house|space|yard|room|maintenance|upkeep))|stairs\s+(?:are|is|getting)?\s*(?:too\s+(?:much|hard)|hard|a\s+problem|killing)|kids\s+(?:are\s+)?(?:all\s+)?(?:gone|grown|moved\s+out|out\s+of\s+the\s+house)|(?:single|one)[\s-]story|smaller\s+(?:house|home|place|one)|something\s+smaller|(?:moving|move)\s+(?:in)?to\s+(?:a\s+|an\s+)?(?:condo|apartment|assisted\s+living|senior\s+\w+)|nursing\s+home|assisted\s+living",
    "upsizing": r"growing\s+family|(?:need|needs|want|wants|wanting)\s+(?:more|extra|a\s+bigger|something\s+bigger|a\s+larger)\s*(?:space|room|bedrooms?|house|home|place|yard)?|upgrad(?:e|ing)\s+(?:to|house|home)|(?:want|wants|looking|ready)\s+to\s+upgrade|outgr(?:own|ew|owing)|up[\s-]?siz\w*|(?:baby|twins|another\s+(?:baby|kid|child)|new\s+baby)\s+(?:on\s+the\s+way|coming|in\s+\w+|due|is\s+due)|expecting\s+(?:a\s+baby|twins|their|another)|pregnant|bigger\s+(?:house|home|place|one)|something\s+bigger|having\s+(?:a\s+baby|twins)",
    "relocation": r"relocat\w*|job\s+(?:transfer|offer|move)\w*|job\s+(?:starts?|starting|is)\s+in\b|transferr?(?:ed|ing|s)?\b|new\s+job|(?:took|starts?|starting|got|accepted)\s+a\s+(?:new\s+)?(?:job|position)|military\s+(?:orders|move)|\bpcs(?:ing)?\b|got\s+orders|deploy\w*|(?:work|company|employer)\s+is\s+(?:moving|sending)|(?:moving|move|moves|relocating|going)\s+(?:back\s+)?(?:to\s+(?!list|sell|market|on|it|them|forward|a\b|an\b|the\s+(?:next|top|front))[A-Z]\w+|closer\s+to|near(?:er)?\s+|out\s+of\s+(?:state|town|the\s+(?:state|country|area))|across\s+the\s+country|overseas|abroad|home\s+to|in\s+with)|be\s+(?:closer\s+to|near)\s+(?:her|his|their|the)\b",
    "cash out": r"cash(?:ing)?\s+out|(?:pull|take|taking|tap|unlock)\s+(?:out\s+)?(?:the|his|her|their)\s+equity|invest(?:ing)?\s+(?:elsewhere|in\s+\w+|the\s+money)|(?:cap|top\s+of)\s+the\s+market|sell\s+(?:at\s+the\s+(?:top|peak)|while\s+(?:the\s+market|prices))",
    "curious": r"(?:just|only)\s+(?:wants?\s+to\s+(?:see|know)|curious|looking|checking|exploring|shopping)\b|curious\b|test(?:ing)?\s+the\s+(?:market|waters?)|tire[\s-]?kick\w*|not\s+(?:really\s+)?(?:serious|motivated|ready\s+to\s+sell)|what\s+(?:it'?s|the\s+house\s+is|it\s+might\s+be|it\s+would\s+be)\s+worth|no\s+(?:real\s+)?(?:motivation|reason\s+to\s+sell)",
}
_CASE_SENSITIVE_TO = re.compile(r"(?i:moving|move|moves|relocating|going)\s+(?:back\s+)?to\s+([a-z])")

_POOR = (
    r"gut\s+job|(?:total|complete|full|major)\s+(?:rehab|gut|renovation|remodel|disaster|wreck|mess|overhaul)|foundation\s+(?:issues?|problems?|is\s+\w+|has\s+(?:a\s+)?\w+|cracks?|cracked|work)|(?:pipe|pipes)\s+burst|burst\s+pipes?|buckled|(?:it'?s|is|total|complete)\s+(?:a\s+)?(?:total\s+|complete\s+|huge\s+)?mess\b|"
    r"water\s+damage|fire\s+damage\w*|smoke\s+damage|mou?ldy?\b|black\s+mold|trashed|rott(?:ed|en|ing)|(?:it|place|house|'s|is)\s+(?:'s\s+)?(?:pretty\s+|really\s+|very\s+)?rough\b|rough\s+(?:shape|condition)|"
    r"septic\s+(?:failed|is\s+(?:failing|bad|shot|gone))|failed\s+septic|(?:roof|ceiling)\s+(?:leaks?|is\s+leaking|leaking|caved?\s+in|collaps\w+)|tear[\s-]?down|knock[\s-]?down|(?:un|not\s+)(?:inhabitable|livable)|uninhabitable|falling\s+(?:apart|down)|"
    r"(?:bad|terrible|awful|horrible|poor|rough|sad)\s+(?:shape|condition)|termites?|hoard\w*|no\s+(?:plumbing|heat|power|electric\w*)|structural\s+\w+|needs\s+everything|condemned|boarded\s+up|down\s+to\s+the\s+studs"
)
_WORK = (
    r"need(?:s|ing)?\s+(?:a\s+(?:little|lot\s+of|bit\s+of|ton\s+of|new|few)\s+\w+|some\s+\w+|work|paint\w*|flooring|carpet|updat\w+|new\s+\w+|repairs?|tlc|love|cosmetic\w*|roof\w*|fixing|cleaning|a\s+(?:roof|kitchen|refresh|facelift)|minor\s+\w+|resurfacing|replac\w+)|"
    r"roof\s+(?:needs?\s+\w+|is\s+(?:(?:about\s+|over\s+)?(?:[1-9]\d|ten|eleven|twelve|\w+teen|(?:twenty|thirty|forty)(?:[\s-]\w+)?)\s+years\s+old|old|shot|bad|going|original|at\s+the\s+end)|'?s\s+(?:shot|old|bad))|\bdated\b|outdated|knob\s+and\s+tube|(?:hasn'?t|has\s+not|never)\s+been\s+(?:touched|updated|remodeled|renovated)|(?:straight\s+)?(?:from|out\s+of)\s+the\s+(?:(?:fif|six|seven|eigh|nine)t?ies|'?\d0'?s)|original\s+(?:kitchen|bath\w*|everything|condition|carpet|windows)|"
    r"(?:hvac|ac|a/c|furnace|roof|water\s+heater|plumbing|electrical|boiler|heater)(?:\s+unit)?(?:'s|\s+is|\s+are)\s+(?:shot|dead|out|old|bad|broken|gone|original|on\s+its\s+last\s+legs|dying)|fixer(?:[\s-]upper)?|could\s+use\s+(?:some|a|new)\s+\w+|cosmetic\w*|handyman\s+special|deferred\s+maintenance|(?:needs|wants)\s+updating|worn|tired\s+(?:inside|kitchen|interior)"
)
_AVERAGE = r"(?:average|fair|decent|ok|okay|alright|livable)\s+(?:condition|shape)|dated\s+but\s+(?:clean|solid|fine|nice|well)|clean\s+but\s+(?:dated|old)|lived[\s-]in\b|nothing\s+(?:fancy|special)|condition\s+is\s+(?:average|fair|ok|okay|decent)"
_GOOD = (
    r"move[\s-]?in[\s-]?ready|turn[\s-]?key|immaculate|spotless|pristine|(?:great|good|excellent|perfect|amazing|beautiful|mint|fantastic|wonderful|super|really\s+good|very\s+good|nice)\s+(?:shape|condition)|"
    r"(?:recently\s+|newly\s+|fully\s+|totally\s+|completely\s+|all\s+|everything(?:'s|\s+is|\s+was)?\s+)(?:updated|remodel+ed|renovated|redone|new)|(?<!not\s)(?<!never\s)(?:remodel+ed|renovated|redone|refinished)\b|well[\s-](?:kept|maintained|cared)|"
    r"(?:brand[\s-])?new\s+(?:roof|hvac|ac|a/c|kitchen|floors?|flooring|windows|appliances|furnace|paint|carpet|bath\w*|everything)|like\s+new|show(?:s)?\s+(?:great|well|beautifully)|beautiful\s+(?:house|home|inside)|condition\s+is\s+(?:good|great|excellent)|granite|quartz|very\s+clean|doesn'?t\s+need\s+(?:a\s+thing|anything|any\s+work|work)|updated\s+(?:kitchen|bath\w*|in\s+\d{4}|last\s+year|throughout)"
)
_CONDITIONS = {"average": _AVERAGE, "poor": _POOR, "needs work": _WORK, "good": _GOOD}
_OTHERWISE = re.compile(
    rf"\botherwise\s+(?:it'?s\s+|in\s+|the\s+house\s+is\s+)*(?P<good>{_GOOD}|great|good|excellent|perfect)",
    re.IGNORECASE,
)
_NEGATED = re.compile(
    r"(?:\bno|\bnot|(?<!ca)n't|\bnever|\bwithout|\bisn'?t|\baren'?t|\bzero|\bfree\s+of|\brather\s+than|\binstead\s+of)\s+(?:\w+\s+){0,2}\Z",
    re.IGNORECASE,
)
_BUYER_NEEDS = re.compile(
    r"\b(?:looking\s+for|wants?\s+(?:a|something)|would\s+like\s+a)\s+(?:\w+\s+){0,3}\Z", re.IGNORECASE
)


def _compiled(table: dict[str, str]) -> dict[str, re.Pattern[str]]:
    return {
        name: re.compile(rf"(?<!\w)(?:{pattern})(?!\w)", re.IGNORECASE) for name, pattern in table.items()
    }


_MOTIVE_PATTERNS = _compiled(_MOTIVES)
_CONDITION_PATTERNS = _compiled(_CONDITIONS)


def _hits(text: str, pattern: re.Pattern[str]) -> list[re.Match[str]]:
    return [
        m for m in pattern.finditer(text) if not _NEGATED.search(text[max(0, m.start() - 40) : m.start()])
    ]


def motivation(text: str) -> values.Proposal | None:
    """The reason that is said first; curiosity only where there is no other."""
    found = [
        (name == "curious", match.start(), name, match)
        for name, pattern in _MOTIVE_PATTERNS.items()
        for match in _hits(text, pattern)
        if not _CASE_SENSITIVE_TO.match(text[match.start() :])
    ]
    if not found:
        return None
    _, _, name, match = min(found, key=lambda item: item[:2])
    others = {item[2] for item in found} - {name, "curious"}
    return _proposal(values.Field.MOTIVATION, name, match, 0.7 if others else 0.85)


def condition(text: str) -> values.Proposal | None:
    """The worst that is said, but "otherwise great shape" and "dated but clean" are taken at their word."""
    overall = _OTHERWISE.search(text)
    hits = {name: _hits(text, pattern) for name, pattern in _CONDITION_PATTERNS.items()}
    hits["good"] = [m for m in hits["good"] if not _BUYER_NEEDS.search(text[: m.start()])]
    if overall and not hits["poor"]:
        return _proposal(values.Field.CONDITION, "good", overall, 0.75)
    order = ("poor", "average", "needs work", "good")
    name = next((name for name in order if hits[name]), None)
    if name is None:
        return None
    mixed = name != "good" and bool(hits["good"])
    return _proposal(values.Field.CONDITION, name, hits[name][0], 0.7 if mixed else 0.85)


def _proposal(field: values.Field, name: str, match: re.Match[str], confidence: float) -> values.Proposal:
    return values.Proposal(
        field=field,
        value=name,
        display=name.capitalize(),
        words=match[0],
        start=match.start(),
        end=match.end(),
        confidence=confidence,
    )
