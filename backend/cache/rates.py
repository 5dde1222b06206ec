"""Who asks what, when: how likely a question comes within the next minutes, from the hours of past weeks and from what came before it."""

from __future__ import annotations

import math
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

HOURS_OF_WEEK = 168
WEEK_SECONDS = 604_800.0
HALF_LIFE_WEEKS = 2.0
FOLLOWS_WITHIN = 120.0
"""Seconds in which one question counts as leading to the next."""
_MOST = 5_000
_FEW = 5.0
"""So many times a question must have been asked before it is said what follows it."""

Question = str


@dataclass(slots=True)
class _Asked:
    """Decayed counts by hour of the week; `first`: when it was first asked."""

    first: float
    at: float
    counts: dict[int, float] = field(default_factory=dict)
    total: float = 0.0
    next: dict[Question, float] = field(default_factory=lambda: defaultdict(float))


@dataclass(slots=True)
class Rates:
    """Feed it with `saw` in the order of time; seconds are of the epoch."""

    _of: OrderedDict[Question, _Asked] = field(default_factory=OrderedDict)
    _last: OrderedDict[str, tuple[Question, float]] = field(default_factory=OrderedDict)

    def saw(self, question: Question, who: str, at: float) -> None:
        """`who` asked it at `at`."""
        asked = self._of.pop(question, None) or _Asked(first=at, at=at)
        self._of[question] = asked
        self._age(asked, at)
        hour = hour_of_week(at)
        asked.counts[hour] = asked.counts.get(hour, 0.0) + 1
        asked.total += 1
        before = self._last.pop(who, None)
        if before is not None and at - before[1] <= FOLLOWS_WITHIN and before[0] in self._of:
            self._of[before[0]].next[question] += 1
        self._last[who] = (question, at)
        for kept in (self._of, self._last):
            if len(kept) > _MOST:
                kept.popitem(last=False)

    def probability(self, question: Question, now: float, seconds: float) -> float:
        """That somebody asks it within `seconds` from now."""
        return self._joined(question, now, seconds, self._none_follows(now))

    def probabilities(self, now: float, seconds: float) -> Iterator[tuple[float, Question]]:
        """The same of every question."""
        none_follows = self._none_follows(now)
        for question in tuple(self._of):
            yield self._joined(question, now, seconds, none_follows), question

    def _joined(
        self, question: Question, now: float, seconds: float, none_follows: Mapping[Question, float]
    ) -> float:
        by_hour = 1 - math.exp(-self._rate(question, now, seconds) * seconds)
        return 1 - (1 - by_hour) * none_follows.get(question, 1.0)

    def _none_follows(self, now: float) -> Mapping[Question, float]:
        """For what may follow a question of a moment ago: the chance that it follows none of them."""
        found: dict[Question, float] = {}
        for before, at in reversed(self._last.values()):
            if now - at > FOLLOWS_WITHIN:
                break
            asked = self._of.get(before)
            if asked is not None and asked.total >= _FEW:
                for question, times in asked.next.items():
                    found[question] = found.get(question, 1.0) * (1 - min(0.99, times / asked.total))
        return found

    def within_a_day(self, now: float, family: Callable[[Question], str]) -> Iterator[tuple[float, Question]]:
        """One question of each family, and how likely any of it is within 24 hours, by the hours of past weeks alone."""
        hours = [hour_of_week(now + 3600 * n) for n in range(24)]
        expected: dict[str, float] = defaultdict(float)
        one_of: dict[str, Question] = {}
        for question, asked in tuple(self._of.items()):
            name = family(question)
            expected[name] += sum(asked.counts.get(hour, 0.0) for hour in hours) * _a_week(asked, now)
            one_of[name] = question
        for name, question in one_of.items():
            yield 1 - math.exp(-expected[name]), question

    def _rate(self, question: Question, now: float, seconds: float) -> float:
        """A second, over the hours of the week that the next `seconds` lie in."""
        asked = self._of.get(question)
        if asked is None:
            return 0.0
        hours = {hour_of_week(now), hour_of_week(now + seconds)}
        counts = sum(asked.counts.get(hour, 0.0) for hour in hours) / len(hours)
        return counts * _a_week(asked, now) / 3600.0

    def _age(self, asked: _Asked, now: float) -> None:
        """Counts halve in two weeks; done at most once a day, for it touches all of them."""
        if now - asked.at < 86_400:
            return
        factor = 0.5 ** ((now - asked.at) / WEEK_SECONDS / HALF_LIFE_WEEKS)
        asked.counts = {hour: n * factor for hour, n in asked.counts.items() if n * factor > 0.01}
        asked.total *= factor
        asked.next = defaultdict(
            float, {name: n * factor for name, n in asked.next.items() if n * factor > 0.01}
        )
        asked.at = now


def _a_week(asked: _Asked, now: float) -> float:
    """What a count of an hour of the week stands for, in times that hour now."""
    weeks = max(1.0, (now - asked.first) / WEEK_SECONDS)
    # How many weeks the counts stand for: those one, two, three … weeks ago, decayed as the counts are.
    week = 0.5 ** (1 / HALF_LIFE_WEEKS)
    decayed_weeks = week * (1 - week**weeks) / (1 - week)
    fade = 0.5 ** ((now - asked.at) / WEEK_SECONDS / HALF_LIFE_WEEKS)
    found: float = fade / decayed_weeks
    return found


def hour_of_week(at: float) -> int:
    """0 = Thursday 0:00 UTC, as the epoch began."""
    return int(at // 3600) % HOURS_OF_WEEK
