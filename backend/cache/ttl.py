"""How long an answer may be kept: versions tell what commits changed, the clock tells the rest (a lead goes cold by itself)."""

from __future__ import annotations

import random
from collections import OrderedDict
from dataclasses import dataclass, field

CLOSED_SECONDS = 86_400.0
SHORTEST = 1.0
LONGEST_FACTOR = 12.0
_SHARE = 0.3
"""Weight of the newest interval in the moving mean."""
_MOST = 10_000


@dataclass(slots=True)
class _Seen:
    digest: bytes
    changed_at: float
    mean_interval: float | None = None


@dataclass(slots=True)
class Adaptive:
    """Half the mean time between two different answers to a question, longer for dear ones, ±10 % so that they don't end together.

    `base`: seconds where nothing is known yet (BI_QUERY_TTL_BASE).
    """

    base: float
    rng: random.Random = field(default_factory=random.Random)
    _of: OrderedDict[bytes, _Seen] = field(default_factory=OrderedDict)

    def learn(self, question: bytes, digest: bytes, now: float) -> None:
        """An answer was worked out at `now` (monotonic seconds); `digest` is of what it says, without its time."""
        seen = self._of.pop(question, None)
        if seen is None:
            seen = _Seen(digest=digest, changed_at=now)
        elif seen.digest != digest:
            interval = now - seen.changed_at
            before = seen.mean_interval
            seen.mean_interval = interval if before is None else before + _SHARE * (interval - before)
            seen.digest, seen.changed_at = digest, now
        self._of[question] = seen
        if len(self._of) > _MOST:
            self._of.popitem(last=False)

    def seconds(self, question: bytes, *, cost_seconds: float, longest: float | None = None) -> float:
        """How long to keep the answer that took `cost_seconds` to work out."""
        seen = self._of.get(question)
        mean = seen.mean_interval if seen else None
        kept = self.base if mean is None else mean / 2
        kept *= 1 + min(cost_seconds, 1.0) * 4  # one that takes a second may be kept five times as long
        kept = min(max(kept, SHORTEST), self.base * LONGEST_FACTOR)
        if longest is not None:
            kept = min(kept, longest)
        return kept * self.rng.uniform(0.9, 1.1)
