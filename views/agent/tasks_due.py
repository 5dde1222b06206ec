"""Due dates by a touch: the days and hours that people mean most of the time, on the clock of the office."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from views import strings

HOURS = (8, 9, 10, 12, 14, 16, 18)
MORNING, EVENING = time(9), time(18)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A moment to choose, and its name."""

    id: str
    text: str
    at: datetime


def days(now: datetime, zone: ZoneInfo, count: int = 7) -> tuple[tuple[date, str], ...]:
    """Today, tomorrow, and the days after by name."""
    today = now.astimezone(zone).date()
    named = {0: strings.t("agent_work.due.today"), 1: strings.t("agent_work.due.tomorrow")}
    found = [today + timedelta(days=step) for step in range(count)]
    return tuple((day, named.get(step) or f"{day:%a %-d}") for step, day in enumerate(found))


def at(day: date, hour: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, hour, zone)


def snoozes(now: datetime, zone: ZoneInfo) -> tuple[Choice, ...]:
    """In an hour, this evening while it is still to come, tomorrow, after the weekend, in a week."""
    local = now.astimezone(zone)
    today = local.date()
    monday = today + timedelta(days=7 - today.weekday())
    found = [Choice(id="hour", text=strings.t("agent_work.due.hour"), at=_hour(local))]
    if local.time() < time(17):
        found.append(
            Choice(id="evening", text=strings.t("agent_work.due.evening"), at=at(today, EVENING, zone))
        )
    found.append(
        Choice(
            id="tomorrow",
            text=strings.t("agent_work.due.tomorrow"),
            at=at(today + timedelta(days=1), MORNING, zone),
        )
    )
    if monday != today + timedelta(days=1):
        found.append(
            Choice(id="monday", text=strings.t("agent_work.due.monday"), at=at(monday, MORNING, zone))
        )
    week = today + timedelta(days=7)
    if week != monday:
        found.append(Choice(id="week", text=strings.t("agent_work.due.week"), at=at(week, MORNING, zone)))
    return tuple(found)


def _hour(local: datetime) -> datetime:
    return (local + timedelta(hours=1)).replace(second=0, microsecond=0)
