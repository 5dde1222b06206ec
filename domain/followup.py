"""The 3-7-30 follow-up: when each step is due, what pauses the run and what ends it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from domain import contact, errors


class Action(StrEnum):
    TEXT = "text"
    CALL = "call"
    REQUALIFY = "requalify"


class Outcome(StrEnum):
    """What follows the last step."""

    AGENT = "agent"
    NURTURE = "nurture"
    ARCHIVE = "archive"


NURTURE_DAYS = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    day: int
    action: Action
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequence:
    """Steps by day, with the version that a running lead keeps."""

    version: str
    steps: tuple[Step, ...]


DEFAULT = Sequence(
    version="3-7-30",
    steps=(
        Step(day=0, action=Action.TEXT, title="First message"),
        Step(day=3, action=Action.TEXT, title="Soft check-in"),
        Step(day=7, action=Action.CALL, title="Call"),
        Step(day=30, action=Action.REQUALIFY, title="Last message and re-qualify"),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    step: Step
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One lead's way through its own copy of a sequence: a later edit never moves it."""

    started_at: datetime
    sequence: Sequence = DEFAULT
    done: int = 0
    paused_at: datetime | None = None
    paused_for: timedelta = timedelta()
    ended_at: datetime | None = None
    end_reason: str = ""

    @property
    def state(self) -> str:
        """running, paused, finished or ended."""
        if self.ended_at is not None:
            return "ended"
        if self.done >= len(self.sequence.steps):
            return "finished"
        return "running" if self.paused_at is None else "paused"

    def contacted(self, at: datetime) -> Run:
        """Any inbound or logged human contact pauses it."""
        return replace(self, paused_at=at) if self.state == "running" else self

    def resumed(self, at: datetime) -> Run:
        """Goes on where it stopped; the steps left move by the length of the pause."""
        if self.state != "paused" or self.paused_at is None:
            return self
        return replace(
            self, paused_at=None, paused_for=self.paused_for + max(timedelta(), at - self.paused_at)
        )

    def opted_out(self, at: datetime) -> Run:
        """An opt-out ends it for good."""
        return self if self.ended_at else replace(self, ended_at=at, end_reason="opted out")

    def step_done(self) -> Run:
        """Raises: RuleError where no step is due."""
        if self.state != "running":
            raise errors.RuleError(
                f"This follow-up is {self.state}.", where="follow-up", hint="Resume it, or start a new one."
            )
        return replace(self, done=self.done + 1)

    def plan(self, place: contact.Place, rule: contact.HoursRule = contact.DEFAULT_HOURS) -> tuple[Due, ...]:
        """The steps still to do, in the lead's local time inside the legal window; none unless running."""
        if self.state != "running":
            return ()
        steps = self.sequence.steps[self.done :]
        return tuple(Due(step=step, at=self._due(step, place, rule)) for step in steps)

    def next_due(self, place: contact.Place, rule: contact.HoursRule = contact.DEFAULT_HOURS) -> Due | None:
        return next(iter(self.plan(place, rule)), None)

    def _due(self, step: Step, place: contact.Place, rule: contact.HoursRule) -> datetime:
        start = (self.started_at + self.paused_for).astimezone(place.zone)
        wanted = (start + timedelta(days=step.day)).astimezone(UTC)  # wall-clock days, so DST is kept
        return contact.next_open(place, wanted, rule)


def after_last(answer: bool | None) -> Outcome:
    """After day 30: yes → agent, no → 90-day nurture, silence → archive."""
    if answer is None:
        return Outcome.ARCHIVE
    return Outcome.AGENT if answer else Outcome.NURTURE
