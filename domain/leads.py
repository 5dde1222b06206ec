"""A lead's words: kind, stage, temperature, the four answers, and the rules that decide them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from domain import errors


class Kind(StrEnum):
    SELLER = "seller"
    BUYER = "buyer"


class Stage(StrEnum):
    NEW = "new"
    CONTACTED = "contacted"
    QUALIFIED = "qualified"
    AGREEMENT = "agreement"
    OFFER = "offer"
    CONTRACT = "contract"
    CLOSED = "closed"
    LOST = "lost"


class Temperature(StrEnum):
    HOT = "hot"
    WARM = "warm"
    LUKEWARM = "lukewarm"
    COLD = "cold"
    ICE_COLD = "ice_cold"


COLDEST_FIRST = (
    Temperature.ICE_COLD,
    Temperature.COLD,
    Temperature.LUKEWARM,
    Temperature.WARM,
    Temperature.HOT,
)

QUESTIONS: Mapping[Kind, tuple[str, ...]] = {
    Kind.SELLER: ("motivation", "timeline", "condition", "price"),
    Kind.BUYER: ("budget", "financing", "timeline", "area"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TemperatureRule:
    """Score limits, how far below its limit a lead stays warm, and how soon it must be answered."""

    version: str = "2026-11"
    hot: float = 75
    warm: float = 50
    lukewarm: float = 25
    cold: float = 10
    hysteresis: float = 3
    hot_answer_minutes: int = 5
    warm_answer_minutes: int = 24 * 60

    def plain(self, score: float) -> int:
        """The place in COLDEST_FIRST that the score alone gives."""
        limits = (self.cold, self.lukewarm, self.warm, self.hot)
        return sum(score >= limit for limit in limits)


DEFAULT_TEMPERATURE = TemperatureRule()


def temperature(
    score: float,
    previous: Temperature | str | None = None,
    rule: TemperatureRule = DEFAULT_TEMPERATURE,
) -> Temperature:
    """Rises at the limit at once; falls only when the score is `hysteresis` points below it."""
    place = rule.plain(score)
    if previous is not None:
        held = min(rule.plain(score + rule.hysteresis), COLDEST_FIRST.index(Temperature(previous)))
        place = max(place, held)
    return COLDEST_FIRST[place]


def answer_minutes(warmth: Temperature | str, rule: TemperatureRule = DEFAULT_TEMPERATURE) -> int | None:
    """Minutes until the first answer is due; None where no clock runs."""
    due = {Temperature.HOT: rule.hot_answer_minutes, Temperature.WARM: rule.warm_answer_minutes}
    return due.get(Temperature(warmth))


def answer_due(
    warmth: Temperature | str, inbound_at: datetime, rule: TemperatureRule = DEFAULT_TEMPERATURE
) -> datetime | None:
    """When the first answer to a message of `inbound_at` is due; None where no clock runs."""
    minutes = answer_minutes(warmth, rule)
    return None if minutes is None else inbound_at + timedelta(minutes=minutes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """A temperature set by hand: it needs a reason and ends by itself after 14 days."""

    temperature: Temperature
    reason: str
    made_at: datetime
    days: int = 14

    def __post_init__(self) -> None:
        if not self.reason.strip():
            raise errors.RuleError(
                "A temperature set by hand needs a reason.",
                where="temperature",
                hint="Write in a few words why the rule is wrong for this lead.",
            )

    def holds(self, now: datetime) -> bool:
        return now < self.made_at + timedelta(days=self.days)


def effective_temperature(computed: Temperature, override: Override | None, now: datetime) -> Temperature:
    """The temperature that counts: the override while it holds, else the rule's."""
    return override.temperature if override is not None and override.holds(now) else computed


Answers = Mapping[str, object] | Sequence[object] | str | None


def answers_given(answers: Answers) -> int:
    """How many of the four questions are answered, from JSON text, a mapping or a list."""
    if isinstance(answers, str):
        try:
            answers = json.loads(answers)
        except ValueError:
            return 0
    if isinstance(answers, Mapping):
        answers = list(answers.values())
    if not isinstance(answers, Sequence) or isinstance(answers, str):
        return 0
    return sum(_is_answer(answer) for answer in answers)


def _is_answer(answer: object) -> bool:
    """An amount of 0 is an answer ("no money down"); False, None and blank text are not."""
    if isinstance(answer, str):
        return bool(answer.strip())
    return answer is not None and answer is not False


# The lead's own field that answers a question, where nobody wrote the answer down as such.
_ANSWERED_BY: Mapping[str, str] = {
    "motivation": "motivation",
    "timeline": "timeline_days",
    "condition": "condition",
    "price": "price_cents",
    "budget": "price_cents",
    "financing": "financing",
    "area": "area",
}


def answers_known(row: Mapping[str, object]) -> dict[str, object]:
    """The answers of a stored lead by question: as given, else as its own fields say."""
    given = row.get("answers")
    known: dict[str, object] = dict(given) if isinstance(given, Mapping) else {}
    for question in QUESTIONS[Kind(str(row.get("kind") or Kind.SELLER))]:
        if not _is_answer(known.get(question)):
            known[question] = row.get(_ANSWERED_BY[question])
    return {question: answer for question, answer in known.items() if _is_answer(answer)}


def is_qualified(answers: Answers, quality: float | None, timeline_days: float | None) -> bool:
    """4 of 4 answers, mean quality of at least 0.7, and a timeline within 45 days."""
    if quality is None or timeline_days is None:
        return False
    return answers_given(answers) >= 4 and quality >= 0.7 and timeline_days <= 45


def is_open(stage: Stage | str) -> bool:
    """Still in the pipe: neither closed nor lost. A stage of a newer server's is open, for nobody closed it."""
    return stage not in (Stage.CLOSED, Stage.LOST)


def known_stage(stage: str) -> bool:
    """Whether our rules have odds for it; a newer server may know more stages."""
    return stage in set(Stage)
