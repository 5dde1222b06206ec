"""Text of other keyboards in plain characters, so that equal things are equal text. The database does the same (migration 020)."""

from __future__ import annotations

import re
import unicodedata

MOST = 300
"""Characters of a telephone or e-mail field that are looked at."""

_UNSEEN = re.compile("[\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff]")
_BLANK = re.compile("[\x00-\x1f\x7f-\x9f\u1680]")
_ALIKE = str.maketrans(
    "\u0660\u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668\u0669"  # Arabic digits
    "\u06f0\u06f1\u06f2\u06f3\u06f4\u06f5\u06f6\u06f7\u06f8\u06f9"  # Persian digits
    "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"  # hyphens, dashes, minus
    "\u00b7\u2022\u2219",  # dots
    "0123456789" * 2 + "-" * 7 + "." * 3,
)


def text(given: str) -> str:
    """Wide, small and foreign digits and signs as the usual ones (Unicode's NFKC), blanks as spaces, nothing unseen."""
    if given.isascii():
        return _BLANK.sub(" ", given)
    return _BLANK.sub(" ", _UNSEEN.sub("", unicodedata.normalize("NFKC", given))).translate(_ALIKE)


def clipped(field: str) -> str:
    """The same of a field's first MOST characters, at most MOST long."""
    return text(field[:MOST])[:MOST]
