"""A small language for spoken phrases: one a line, a blank is any white space, brackets group."""

from __future__ import annotations

import re

_NEGATED = re.compile(
    r"(?:\bno|\bnot|(?<!ca)n't|\bnever|\bwithout|\bisn'?t|\baren'?t|\bzero|\bfree\s+of|\brather\s+than|\binstead\s+of)\s+(?:\w+\s+){0,2}\Z",
    re.IGNORECASE,
)


def pattern(lines: str) -> str:
    """The alternatives of a block of lines as a regular expression."""
    found = [line.strip() for line in lines.splitlines() if line.strip()]
    joined = "|".join(re.sub(r"(?<!\\)\((?!\?)", "(?:", line) for line in found)
    return joined.replace(" ", r"\s+")


def compiled(lines: str) -> re.Pattern[str]:
    """The block as whole words, in any case."""
    return re.compile(rf"(?:(?<!\w)|(?='))(?:{pattern(lines)})(?!\w)", re.IGNORECASE)


def hits(text: str, wanted: re.Pattern[str]) -> list[re.Match[str]]:
    """Where it is said, and not denied."""
    return [m for m in wanted.finditer(text) if not _NEGATED.search(text[max(0, m.start() - 40) : m.start()])]
