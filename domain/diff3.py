"""Two people's changes of one text into one: what they changed in different sentences merges.

Texts are compared by sentences and lines, never by words: of "at 4 pm", changed here to "at 5 pm" and there to "at 4 am",
words would make an "at 5 am" that nobody said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

_BETWEEN = re.compile(r"(\n|(?<=[.!?])[^\S\n]+)")
MOST_PARTS = 300
"""More sentences than these between the first and the last change are not compared: the work grows fast."""

Parts = Sequence[str]


@dataclass(frozen=True, slots=True)
class _Hunk:
    """`base[start:end]` became `parts`."""

    start: int
    end: int
    parts: tuple[str, ...]


def merge(base: str, theirs: str, mine: str) -> str | None:
    """The text with the changes of both; None where they changed the same sentence differently, or too much."""
    if mine in (theirs, base):
        return theirs
    if theirs == base:
        return mine
    before, there, here = (_parts(text) for text in (base, theirs, mine))
    head = _alike(before, there, here)
    tail = _alike(before[head:][::-1], there[head:][::-1], here[head:][::-1])
    middle, *sides = (parts[head : len(parts) - tail] for parts in (before, there, here))
    if max(map(len, (middle, *sides))) > MOST_PARTS:
        return None
    rest = before[len(before) - tail :]
    hunks = _together([*middle, *rest], *(_hunks(middle, side) for side in sides))
    return None if hunks is None else "".join([*before[:head], *_applied(middle, hunks), *rest])


def _parts(text: str) -> list[str]:
    return [part for part in _BETWEEN.split(text) if part]


def _alike(*texts: Parts) -> int:
    """How many parts all begin with."""
    count = 0
    for parts in zip(*texts, strict=False):
        if len(set(parts)) > 1:
            break
        count += 1
    return count


def _hunks(base: Parts, changed: Parts) -> list[_Hunk]:
    codes = SequenceMatcher(None, base, changed, autojunk=False).get_opcodes()
    return [
        _Hunk(start, end, tuple(changed[first:last]))
        for kind, start, end, first, last in codes
        if kind != "equal"
    ]


def _together(base: Parts, theirs: list[_Hunk], mine: list[_Hunk]) -> list[_Hunk] | None:
    """All hunks in order; the same change made by both once. None where two different ones meet."""
    found: list[_Hunk] = []
    for hunk in sorted(dict.fromkeys([*theirs, *mine]), key=lambda hunk: (hunk.start, hunk.end)):
        last = found[-1] if found else None
        if last is None or _apart(last, hunk):
            found.append(hunk)
        elif last.start == hunk.end and base[hunk.end : hunk.end + 1] in ([], ["\n"]):
            found[-1] = _Hunk(hunk.start, hunk.end, _one_under_other(last.parts, hunk.parts))
        else:
            return None
    return found


def _apart(before: _Hunk, after: _Hunk) -> bool:
    """What one of them changed begins where the other's ends, or later."""
    puts_in = before.start == before.end
    return after.end > before.end if puts_in else after.start >= before.end


def _one_under_other(theirs: Parts, mine: Parts) -> tuple[str, ...]:
    """Both wrote on at the end of the same line."""
    apart = mine[0].isspace() or theirs[-1].isspace()
    return (*theirs, *mine) if apart else (*theirs, "\n\n", *mine)


def _applied(base: Parts, hunks: Sequence[_Hunk]) -> Iterator[str]:
    at = 0
    for hunk in hunks:
        yield from base[at : hunk.start]
        yield from hunk.parts
        at = hunk.end
    yield from base[at:]
