"""What the cache did, by kind of question, since the process began."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field

_MOST_WARMED = 10_000


@dataclass(slots=True)
class Counted:
    hits: int = 0
    misses: int = 0
    joined: int = 0
    bypassed: int = 0
    warmed: int = 0
    warmed_then_hit: int = 0
    seconds: float = 0.0

    @property
    def asked(self) -> int:
        return self.hits + self.misses + self.joined + self.bypassed

    @property
    def hit_ratio(self) -> float | None:
        """None before anybody asked. Who joined a running calculation was no hit."""
        return self.hits / self.asked if self.asked else None


@dataclass(slots=True)
class Stats:
    """`of[what]` counts whole answers; warming is no miss, and nobody's hit until somebody asks.

    `buckets[what]` counts reads of one bucket (a day or an hour of one place) by answers that had to be worked out: a hit lay
    in this process's memory, a miss was read from the warehouse.
    """

    of: dict[str, Counted] = field(default_factory=dict)
    buckets: dict[str, Counted] = field(default_factory=dict)
    _warmed: OrderedDict[str, None] = field(default_factory=OrderedDict)

    def hit(self, what: str, key: str) -> None:
        counted = self.counted(what)
        counted.hits += 1
        if key in self._warmed:
            del self._warmed[key]
            counted.warmed_then_hit += 1

    def made(self, what: str, key: str, seconds: float, *, warming: bool) -> None:
        counted = self.counted(what)
        counted.seconds += seconds
        if warming:
            counted.warmed += 1
            self._warmed[key] = None
            if len(self._warmed) > _MOST_WARMED:
                self._warmed.popitem(last=False)
        else:
            counted.misses += 1

    def joined(self, what: str) -> None:
        self.counted(what).joined += 1

    def bypassed(self, what: str) -> None:
        self.counted(what).bypassed += 1

    def total(self) -> Counted:
        """Of whole answers."""
        return _summed(self.of.values())

    def read(self) -> Counted:
        """Of buckets, closed and open."""
        return _summed(self.buckets.values())

    def bucket(self, what: str, *, hits: int = 0, misses: int = 0) -> None:
        counted = self.buckets.setdefault(what, Counted())
        counted.hits += hits
        counted.misses += misses

    def numbers(self) -> dict[str, float]:
        """For GET /metrics."""
        whole = self.total()
        found = {
            f"{name}_total": float(getattr(whole, name))
            for name in ("hits", "misses", "joined", "bypassed", "warmed", "warmed_then_hit")
        }
        if whole.hit_ratio is not None:
            found["hit_ratio"] = whole.hit_ratio
        read = self.read()
        return found | {"bucket_hits_total": float(read.hits), "bucket_misses_total": float(read.misses)}

    def counted(self, what: str) -> Counted:
        """Of one kind of question."""
        return self.of.setdefault(what, Counted())


def _summed(parts: Iterable[Counted]) -> Counted:
    whole = Counted()
    for counted in parts:
        for name in ("hits", "misses", "joined", "bypassed", "warmed", "warmed_then_hit", "seconds"):
            setattr(whole, name, getattr(whole, name) + getattr(counted, name))
    return whole
