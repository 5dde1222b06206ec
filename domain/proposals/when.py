"""Two kinds of time in a note: when to get back to the person, and by when the person wants to be done."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from domain.proposals import dates, phrases, values

_FOLLOW = phrases.compiled(
    r"""
        call(ing)?( (\w+ )?back)?
        phone
        ring
        text(ing)?
        e-?mail(ing)?
        follow(ing)?[\s-]?up
        check(ing)?( back)? (in|with|on|back)
        check back
        get(ting)? back
        reach(ing)? (out|back|her|him|them)
        touch(ing)? base
        try(ing)? (\w+ )?(again|back)
        try (her|him|them)
        circle back
        swing by
        stop(ping)? by
        drop(ping)? (by|off|in)
        come (by|back)
        com(e|ing) over
        go(ing)? back
        meet(ing)?( (up|again))?
        coffee
        lunch
        see (her|him|them) again
        send
        owes?
        promised
        bring
        deliver
        appointment
        appt
        remind(er)?
        talk (again|to)
        speak again
        catch up
        schedule (a|an|the|her|him|them)
        set up
        walk[\s-]?through
        showing
        show (her|him|them)
        visit
        ping
        connect
        chat
        revisit
        next (step|touch|contact)
        hear (back|from)
        let (her|him|them) know
        present
    """
)
_DEADLINE = phrases.compiled(
    r"""
        (need(s|ed)?|has|have|had|want(s|ed)?|like|hop(es?|ing)|look(s|ing)|plan(s|ning)?|must|got) (it |this |to )*((?!some|me\b|us\b|you\b)\w+ ){0,2}?(to )?(be )?(out|close[sd]?|closing|sell|sold|move[d]?|done|gone|settled|list(ed)?|vacate|finish(ed)?|wrapped|buy|bought|in|leave|relocate)
        wants? an? offer
        needs? an? offer
        auction
        foreclosure
        sale date
        (sheriff'?s?|trustee'?s?|tax|foreclosure) (sale|auction)
        closing
        close[sd]?
        lease (is up|ends|expires|runs out)
        out (in|by|within)
        settled
        sell(ing)?
        sold
        done
        mov(e|es|ing)
        timeline
        timeframe
        time frame
        deadline
        pcs(ing)?
        retir\w+
        report(s|ing)?
        transfer\w*
        starts?
        leav(e|es|ing)
        reloc\w+
        within
        asap
        ready to
        attorney
        court
        probate
        vacate
        list(ing)?
    """
)
_SOON = re.compile(
    r"\b(?:a\.?s\.?a\.?p\b|as\s+(?:soon|fast|quick(?:ly)?)\s+as\s+(?:possible|(?:she|he|they|we)\s+can)|right\s+away|immediately|yesterday(?=\s*[.!]))",
    re.IGNORECASE,
)
_RELAXED = re.compile(
    r"\b(?:no\s+(?:rush|hurry|timeline|deadline|time\s*frame)|not\s+in\s+(?:a|any)\s+(?:rush|hurry)|isn'?t\s+in\s+(?:a|any)\s+(?:rush|hurry)|(?:isn'?t|not|aren'?t)\s+(?:selling|moving|buying|ready|going\s+to\s+sell))\b",
    re.IGNORECASE,
)
_LENGTH_LEAD = re.compile(
    r"(?:\b(?:in|within|inside(?:\s+of)?|under|over|less\s+than|next|about|around|maybe|says?|than|has|have|out|up|the)\s+){1,4}\Z",
    re.IGNORECASE,
)
_FIRM_LEAD = re.compile(
    r"\b(?:in|within|inside(?:\s+of)?|next)\s+(?:(?:the|about|around|maybe|like|next|another|under)\s+){0,2}\Z",
    re.IGNORECASE,
)
_LIMIT_AFTER = re.compile(
    r"\s*(?:minimum|tops|max(?:imum)?|at\s+(?:most|least)|or\s+(?:less|so|sooner)|timeline|time\s*frame|close|closing|to\s+(?:close|sell|move|get\s+out|be\s+out))\b",
    re.IGNORECASE,
)
_PAST_AFTER = re.compile(
    r"\s*(?:ago|old|late|behind|earlier|now|so\s+far|already|of\s+\w+|in\s+a\s+row|from\s+(?:today|now))\b",
    re.IGNORECASE,
)
_PAST_BEFORE = re.compile(
    r"\b(?:for|past|last|been|since|almost|after|every|per|once|twice)\s+(?:the\s+|about\s+|over\s+|almost\s+|last\s+|past\s+)*\Z",
    re.IGNORECASE,
)
_BY = re.compile(r"\b(?:by|before|no\s+later\s+than)\s+(?:the\s+)?\Z|(?:by|before)\s", re.IGNORECASE)
_BEGINS = re.compile(r"start|leav|report|transfer|attorney|court", re.IGNORECASE)
_SOON_DAYS = 14
_REACH = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cue:
    start: int
    end: int
    follow: bool


def find(text: str, today: date, taken: list[values.Span]) -> list[values.Proposal]:
    """The follow-up date and the timeline, each at most once."""
    follow: list[values.Proposal] = []
    line: list[values.Proposal] = []
    for span in values.sentences(text):
        sentence = text[span[0] : span[1]]
        cues = _cues(sentence)
        for day in dates.days(sentence, today):
            made = _dated(sentence, day, cues, today)
            if made is not None and not _inside(made, span[0], taken):
                (follow if made.field is values.Field.FOLLOW_UP else line).append(_moved(made, span[0]))
        line += [
            _moved(made, span[0])
            for made in _lengths(sentence, cues, today)
            if not _inside(made, span[0], taken)
        ]
    best = [max(group, key=lambda p: (p.confidence, -p.start)) for group in (follow, line) if group]
    return best


def _inside(made: values.Proposal, offset: int, taken: list[values.Span]) -> bool:
    return any(values.overlaps((made.start + offset, made.end + offset), span) for span in taken)


def _cues(sentence: str) -> list[_Cue]:
    found = [_Cue(start=m.start(), end=m.end(), follow=True) for m in _FOLLOW.finditer(sentence)]
    found += [
        _Cue(start=m.start(), end=m.end(), follow=False)
        for m in _DEADLINE.finditer(sentence)
        if not any(values.overlaps((m.start(), m.end()), (c.start, c.end)) for c in found)
    ]
    return sorted(found, key=lambda cue: cue.end)


def _governing(cues: list[_Cue], start: int, end: int) -> _Cue | None:
    """The nearest cue before the words, else the first one after them."""
    before = [cue for cue in cues if cue.start < start]
    if before:
        return before[-1]
    after = [cue for cue in cues if cue.start >= end]
    return after[0] if after else None


def _dated(sentence: str, day: dates.Day, cues: list[_Cue], today: date) -> values.Proposal | None:
    cue = _governing(cues, day.start, day.end)
    if cue is None or day.on < today:
        return None
    if cue.follow:
        sure = 0.85 if cue.start < day.start else 0.75
        return _proposal(
            values.Field.FOLLOW_UP,
            day.on.isoformat(),
            f"{day.on:%a %d %b %Y}",
            text=sentence,
            span=day,
            sure=sure,
        )
    ahead = (day.on - today).days
    if ahead == 0 or _RELAXED.search(sentence) or cue.start > day.start:
        return None
    lead, cue_words = sentence[max(0, day.start - _REACH) : day.start], sentence[cue.start : cue.end]
    sure = (
        0.85
        if _BY.search(lead) or _BY.match(sentence[day.start :])
        else (0.6 if _BEGINS.match(cue_words) else 0.75)
    )
    return _proposal(values.Field.TIMELINE, ahead, f"{ahead} days", text=sentence, span=day, sure=sure)


def _lengths(sentence: str, cues: list[_Cue], today: date) -> list[values.Proposal]:
    if _RELAXED.search(sentence):
        return []
    found = []
    for length in dates.lengths(sentence):
        sure = _length_confidence(sentence, length, cues)
        if sure:
            found.append(
                _proposal(
                    values.Field.TIMELINE,
                    length.days,
                    f"{length.days} days",
                    text=sentence,
                    span=length,
                    sure=sure,
                )
            )
    soon = _SOON.search(sentence)
    if soon and not _called_for(cues, soon.start()):
        span = dates.Length(days=_SOON_DAYS, start=soon.start(), end=soon.end())
        found.append(
            _proposal(
                values.Field.TIMELINE, _SOON_DAYS, "As soon as possible", text=sentence, span=span, sure=0.6
            )
        )
    return found


def _called_for(cues: list[_Cue], place: int) -> bool:
    cue = _governing(cues, place, place)
    return cue is not None and cue.follow


def _length_confidence(sentence: str, length: dates.Length, cues: list[_Cue]) -> float:
    before = sentence[max(0, length.start - _REACH) : length.start]
    after = sentence[length.end : length.end + _REACH]
    past = _PAST_AFTER.match(after) or (_PAST_BEFORE.search(before) and not _FIRM_LEAD.search(before))
    cue = _governing(cues, length.start, length.end)
    if past or (cue is not None and cue.follow):
        return 0.0
    limit = _LIMIT_AFTER.match(after) is not None
    if cue is not None and cue.start < length.start:
        firm = _FIRM_LEAD.search(before) or limit
        return 0.9 if firm else (0.8 if _LENGTH_LEAD.search(before) else 0.0)
    if limit:
        return 0.7
    return 0.65 if cue is not None and _FIRM_LEAD.search(before) else 0.0


def _proposal(
    field: values.Field,
    value: int | str,
    display: str,
    *,
    text: str,
    span: dates.Day | dates.Length,
    sure: float,
) -> values.Proposal:
    return values.Proposal(
        field=field,
        value=value,
        display=display,
        words=text[span.start : span.end],
        start=span.start,
        end=span.end,
        confidence=sure,
    )


def _moved(made: values.Proposal, by: int) -> values.Proposal:
    return values.Proposal(
        field=made.field,
        value=made.value,
        display=made.display,
        words=made.words,
        start=made.start + by,
        end=made.end + by,
        confidence=made.confidence,
    )
