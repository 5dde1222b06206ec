"""What a question divides facts by and picks from them, as SQL: names from here, values as parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta

from backend.metrics import Dimension
from backend.metrics.measures import BOTS, LEADS, MOMENT, MONEY, TALKS

LEAD = "lead"
"""What is behind every figure; no dimension of the registry."""


def _hour(moment: str) -> str:
    return f"floor(extract(epoch FROM f.{moment}) / 3600)::int"


COLUMNS: Mapping[str, Mapping[str, str]] = {
    LEADS: {
        Dimension.LOCATION: "f.location_key",
        Dimension.BOT: "f.bot_key",
        Dimension.AGENT: "f.agent_id",
        Dimension.STAGE: "nullif(f.stage, '')",
        Dimension.TEMPERATURE: "nullif(f.temperature, '')",
        Dimension.SOURCE: "nullif(f.lead_source, '')",
        Dimension.CHANNEL: "nullif(f.channel, '')",
        Dimension.EVENT_TYPE: "f.event_type",
        Dimension.DAY: "f.date_key",
        Dimension.HOUR: _hour("occurred_at"),
        LEAD: "f.lead_id",
    },
    BOTS: {
        Dimension.LOCATION: "f.location_key",
        Dimension.BOT: "f.bot_key",
        Dimension.EVENT_TYPE: "f.event_type",
        Dimension.DAY: "f.date_key",
        Dimension.HOUR: _hour("occurred_at"),
        LEAD: "f.lead_id",
    },
    TALKS: {
        Dimension.LOCATION: "f.location_key",
        Dimension.BOT: "f.bot_key",
        Dimension.DAY: "f.date_key",
        Dimension.HOUR: _hour("replied_at"),
        LEAD: "f.lead_id",
    },
    MONEY: {
        Dimension.LOCATION: "f.location_key",
        Dimension.DAY: "f.date_key",
        Dimension.AGENT: "f.agent_id",
        Dimension.STAGE: "f.stage",
        Dimension.SOURCE: "nullif(f.source, '')",
        LEAD: "f.lead_id",
    },
    "dim_lead": {
        Dimension.LOCATION: "f.location_key",
        Dimension.AGENT: "f.agent_id",
        Dimension.STAGE: "f.stage",
        Dimension.TEMPERATURE: "nullif(f.temperature, '')",
        Dimension.SOURCE: "nullif(f.source, '')",
        LEAD: "f.lead_id",
    },
}
"""Table → dimension → its column of the row `f`."""
_TYPES: Mapping[str, str] = {
    Dimension.LOCATION: "int",
    Dimension.BOT: "int",
    Dimension.DAY: "int",
    Dimension.HOUR: "int",
    Dimension.AGENT: "uuid",
    LEAD: "uuid",
}

Key = int | str | None
"""A dimension's value as the warehouse has it; None: not known."""
Filters = Mapping[str, Sequence[Key]]
"""Dimension → the values that count."""


@dataclass(slots=True)
class Where:
    """Conditions that all must hold, and their parameters."""

    conditions: list[str] = field(default_factory=list)
    arguments: list[object] = field(default_factory=list)

    def add(self, condition: str, *values: object) -> None:
        """`condition` has a `?` for each value."""
        for value in values:
            self.arguments.append(value)
            condition = condition.replace("?", f"${len(self.arguments)}", 1)
        self.conditions.append(condition)

    def filter(self, table: str, filters: Filters) -> None:
        for dimension, values in filters.items():
            column, kind = COLUMNS[table][dimension], _TYPES.get(dimension, "text")
            known = [value for value in values if value is not None]
            one_of = f"{column} = ANY(?::{kind}[])"
            if not known:
                self.add(f"{column} IS NULL")  # alone it is found on an index
            else:
                self.add(f"({one_of} OR {column} IS NULL)" if None in values else one_of, known)

    @property
    def text(self) -> str:
        return " AND ".join(self.conditions) or "true"


@dataclass(frozen=True, slots=True, kw_only=True)
class Within:
    """The time a question is about, for facts: `days` are (location keys, first, last date key), `since`/`until` hold for all.

    `received_by`: only what had come by then, so that the pages of one answer belong together.
    """

    keys: tuple[int, ...]
    since: datetime | None = None
    until: datetime | None = None
    days: tuple[tuple[tuple[int, ...], int, int], ...] = ()
    received_by: datetime | None = None

    def bounded(self, since: datetime, until: datetime) -> Within:
        """Only what of it happened in [since, until)."""
        return replace(
            self,
            since=since if self.since is None else max(since, self.since),
            until=until if self.until is None else min(until, self.until),
        )

    def into(self, where: Where, fact: str) -> None:
        where.add("f.location_key = ANY(?::int[])", list(self.keys))
        if self.since is not None:
            where.add(f"f.{MOMENT[fact]} >= ?", self.since)
        if self.until is not None:
            where.add(f"f.{MOMENT[fact]} < ?", self.until)
        if len(self.days) == 1:
            where.add("f.date_key BETWEEN ? AND ?", *self.days[0][1:])
        elif self.days:
            one = "(f.location_key = ANY(?::int[]) AND f.date_key BETWEEN ? AND ?)"
            values = [value for keys, first, last in self.days for value in (list(keys), first, last)]
            where.add(f"({' OR '.join([one] * len(self.days))})", *values)
        if self.received_by is not None and fact != TALKS:
            where.add("f.received_at <= ?", self.received_by)


def source_of(fact: str, dimensions: Sequence[str], filters: Filters) -> str:
    """What to read `f` from: where the lead came from is the lead's, not the interaction's."""
    if fact == LEADS and Dimension.SOURCE in {*dimensions, *filters}:
        return (
            f"(SELECT x.*, d.source AS lead_source FROM {fact} x"  # noqa: S608 - registry names
            f" {source_join(filters)} JOIN (SELECT lead_key, location_key, source FROM dim_lead) d"
            " ON d.lead_key = x.lead_key AND d.location_key = x.location_key) f"  # who sees the one sees the other
        )
    return f"{fact} f"


def source_join(filters: Filters) -> str:
    """Where only named sources count, the few leads that have them are looked up, and not those of all facts."""
    picked = filters.get(Dimension.SOURCE)
    return "" if picked and None not in picked else "LEFT"


_FARTHEST = timedelta(hours=15)
"""Of an office's midnight from that of UTC."""


def beyond(first: date, last: date) -> tuple[datetime, datetime]:
    """[since, until) in which these days lie, wherever the office is."""
    return (
        datetime.combine(first, time(), UTC) - _FARTHEST,
        datetime.combine(last, time(), UTC) + timedelta(days=1) + _FARTHEST,
    )
