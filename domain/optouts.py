"""The words by which people opt out, in their own messages and in an agent's spoken note."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The words that say so, and where they stand."""

    words: str
    start: int
    end: int


# These whole words in a lead's own message always count (47 CFR 64.1200(a)(10)).
_WORDS = re.compile(r"\b(?:stop|stopall|quit|end|revoke|opt[\s-]?out|cancel|unsubscribe)\b", re.IGNORECASE)

_CONTACT = (
    r"(?:text(?:s|ing|ed)?|call(?:s|ing|ed)?|contact(?:ing|ed)?|messag(?:e|es|ing|ed)|e-?mail(?:s|ing|ed)?"
    r"|bother(?:ing|ed)?|phon(?:e|ing)|reach(?:ing)?\s+out|hear(?:ing)?\s+from\s+(?:us|me))"
)
_NAME = r"(?:him|her|them|me|this\s+(?:number|lead|person)|(?:mr|mrs|ms)\.?\s+\w+)"
_PHRASES = re.compile(
    rf"""\b(?:
      (?:asked|told|want(?:s|ed)?|begged|said|says|asking|like[sd]?|need(?:s|ed)?)\b[^.!?;]{{0,30}}?
        \b(?:to\s+)?(?:stop|quit)\s+(?:all\s+)?(?:the\s+)?{_CONTACT}
    | (?:please\s+)?(?<!don't\s)(?<!dont\s)(?<!not\s)(?<!never\s)(?:stop|quit)\s+(?:the\s+)?{_CONTACT}\s+(?:{_NAME}|us)
    | (?:no|not)\s+(?:any\s+)?more\s+(?:of\s+(?:my|our|the|these)\s+)?{_CONTACT}
    | (?:do\s+not|don'?t|never)\s+(?:ever\s+)?(?:text|call|contact|message|e-?mail|phone|bother)
        (?:\s+{_NAME})?\s+(?:again|any\s?more|ever)
    | (?:do\s+not|don'?t|never)\s+(?:ever\s+)?(?:text|contact|message|e-?mail|bother)\s+(?:{_NAME}|us)\b
    | (?:doesn'?t|does\s+not|don'?t|do\s+not|didn'?t|did\s+not)\s+want\s+
        (?:us\s+|me\s+)?(?:any\s+(?:more\s+)?|more\s+|to\s+(?:be\s+|get\s+|receive\s+)?(?:any\s+)?(?:more\s+)?)
        {_CONTACT}(?:\s+(?:any\s?more|again))?
    | (?:asked|told|wants?|said|says)\b[^.!?;]{{0,20}}?\bnot\s+to\s+(?:be\s+)?{_CONTACT}
    | (?:take|remove|get|put)\s+(?:{_NAME}\s+|(?:his|her|their|my)\s+(?:name|number)\s+)
        (?:off|from|on)\s+(?:of\s+)?(?:the|our|your|my|this)\s+(?:do[\s-]not[\s-]call\s+)?(?:contact\s+|call(?:ing)?\s+|mailing\s+)?list
    | (?:on|add\w*\s+\w+\s+to)\s+(?:the|our|a)\s+do[\s-]not[\s-](?:call|contact|text)\s+list
    | (?:lose|delete|forget)\s+(?:my|his|her|their)\s+(?:phone\s+)?number
    | leave\s+{_NAME}\s+alone
    | (?:wants?|asked|asking|decided|would\s+like|chose)\s+(?:\w+\s+)?to\s+(?:opt\s*-?\s*out|unsubscribe)
    | (?:opted|opting)\s*-?\s*out
    | (?:asked|told|said|says)\b[^.!?;]{{0,20}}?\bnever\s+(?:to\s+)?(?:text|call|contact|message|e-?mail|bother)\b(?:\s+(?:him|her|them))?(?:\s+again)?
    | (?:do\s+not|don'?t)\s+ever\s+(?:text|call|contact|message|e-?mail)\b
    | (?:wants?|wanted|asked|asking|likes?|needs?)\s+(?:me\s+|us\s+)?(?:to\s+(?:be|get)\s+)?(?:taken\s+|removed\s+|dropped\s+)?(?:off|from)\s+(?:of\s+)?
        (?:our|the|your|my|this|every)\s+(?:\w+\s+)?lists?
    | (?:doesn'?t|does\s+not|don'?t|do\s+not)\s+want\s+(?:our\s+|the\s+|these\s+)?(?:texts|calls|messages|e-?mails)\b
        (?!\s+(?:before|after|until|till|at|during|on|in|from\s+(?!us|me)))
    | no\s+(?:further|more|additional)\s+(?:contact|communication|outreach)
    | (?<!don't\s)(?<!not\s)(?<!never\s)(?<!will\s)(?<!won't\s)(?<!'ll\s)stop\s+(?:with\s+)?(?:the|these|your|our|all\s+(?:the|these|your|our)?)\s*
        (?:texts|calls|messages|e-?mails|texting|calling|messaging)\b
    | unsubscribed
    | (?:revoked?|withdr[ae]w|takes?\s+back)\s+(?:his|her|their|my)?\s*consent
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_BARE_STOP = re.compile(
    r"\b(?:(?:asked|told)\s+(?:me|us)\s+to|(?:he|she|they)\s+(?:just\s+)?said(?:\s+to)?)\s+(?:please\s+)?"
    r"(?:stop|quit|unsubscribe)\s*(?=[.!?,;]|$)",
    re.IGNORECASE,
)
_DENIED = re.compile(
    r"\b(?:didn'?t|did\s+not|never|hasn'?t|has\s+not|haven'?t|doesn'?t\s+(?:say|mind)|no\s+one|nobody|not\s+asking)\s*"
    r"(?:\w+\s+){0,2}\Z",
    re.IGNORECASE,
)


def in_message(text: str) -> Found | None:
    """In a lead's own words: the legal keywords as whole words ("know" is none), or a phrase."""
    match = _WORDS.search(text)
    return _found(match) if match else in_note(text)


def in_note(text: str) -> Found | None:
    """In an agent's note about a visit: only phrases, since "end of June" and "bus stop" mean no such thing."""
    plain = text.replace("’", "'")
    candidates = [*_PHRASES.finditer(plain), *_BARE_STOP.finditer(plain)]
    for match in sorted(candidates, key=lambda item: item.start()):
        if not _DENIED.search(plain[: match.start()]):
            return Found(words=text[match.start() : match.end()], start=match.start(), end=match.end())
    return None


def _found(match: re.Match[str]) -> Found:
    return Found(words=match[0], start=match.start(), end=match.end())
