"""Alerts as they are stored: one row an episode; an open one for each rule, subject and office at most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from backend.storage.pool import Connection

MOST_SHOWN = 200
_COLUMNS = """alert_id, rule, subject, location_key, severity, title, message, value, bound, n, context, evidence,
    opened_at, last_seen_at, closed_at, acked_at, acked_by"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """`location_key` None: it concerns every office. `context`: the body of a drill-down to what is behind it."""

    alert_id: str
    rule: str
    subject: str
    location_key: int | None
    severity: str
    title: str
    message: str
    value: float | None
    bound: float | None
    n: int | None
    context: Mapping[str, Any]
    evidence: Mapping[str, Any]
    opened_at: datetime
    last_seen_at: datetime
    closed_at: datetime | None
    acked_at: datetime | None
    acked_by: str | None

    @property
    def key(self) -> tuple[str, str, int | None]:
        return self.rule, self.subject, self.location_key


async def lock(connection: Connection) -> bool:
    """Whether this transaction alone writes alerts now."""
    held: bool = await connection.fetchval("SELECT pg_try_advisory_xact_lock(hashtext('bi_alerts'))")
    return held


async def still_open(connection: Connection, rules: Sequence[str]) -> list[Alert]:
    rows = await connection.fetch(
        f"SELECT {_COLUMNS} FROM bi_alerts WHERE closed_at IS NULL AND rule = ANY($1::text[])",  # noqa: S608 - fixed words
        list(rules),
    )
    return [Alert(**dict(row)) for row in rows]


async def closed_since(
    connection: Connection, rules: Sequence[str], since: datetime
) -> dict[tuple[str, str, int | None], datetime]:
    """When an alert of this rule, subject and office was last closed, of those closed since then."""
    rows = await connection.fetch(
        """SELECT rule, subject, location_key, max(closed_at) AS closed_at FROM bi_alerts
            WHERE closed_at > $2 AND rule = ANY($1::text[]) GROUP BY 1, 2, 3""",
        list(rules),
        since,
    )
    return {(row["rule"], row["subject"], row["location_key"]): row["closed_at"] for row in rows}


async def open_one(connection: Connection, alert: Alert) -> None:
    await connection.execute(
        """INSERT INTO bi_alerts (alert_id, rule, subject, location_key, severity, title, message, value, bound, n, context,
                                  evidence, opened_at, last_seen_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13)""",
        alert.alert_id,
        alert.rule,
        alert.subject,
        alert.location_key,
        alert.severity,
        alert.title,
        alert.message,
        alert.value,
        alert.bound,
        alert.n,
        alert.context,
        alert.evidence,
        alert.opened_at,
    )


async def seen_again(connection: Connection, alert: Alert) -> None:
    """The same episode: what it is now."""
    await connection.execute(
        """UPDATE bi_alerts SET last_seen_at = $2, severity = $3, message = $4, value = $5, n = $6, context = $7, evidence = $8
            WHERE alert_id = $1""",
        alert.alert_id,
        alert.last_seen_at,
        alert.severity,
        alert.message,
        alert.value,
        alert.n,
        alert.context,
        alert.evidence,
    )


async def close(connection: Connection, alert_id: str, at: datetime | None) -> None:
    await connection.execute("UPDATE bi_alerts SET closed_at = $2 WHERE alert_id = $1", alert_id, at)


async def shown(connection: Connection, since: datetime) -> list[Alert]:
    """The open ones and those closed since then, that this transaction may see; the gravest first."""
    rows = await connection.fetch(
        f"""SELECT {_COLUMNS} FROM bi_alerts WHERE closed_at IS NULL OR closed_at > $1
             ORDER BY closed_at IS NOT NULL, array_position(ARRAY['critical', 'high', 'normal', 'low'], severity),
                      opened_at DESC, alert_id LIMIT {MOST_SHOWN}""",  # noqa: S608 - fixed words
        since,
    )
    return [Alert(**dict(row)) for row in rows]


async def one(connection: Connection, alert_id: str) -> Alert | None:
    row = await connection.fetchrow(f"SELECT {_COLUMNS} FROM bi_alerts WHERE alert_id = $1", alert_id)  # noqa: S608 - fixed words
    return Alert(**dict(row)) if row else None


async def acknowledge(connection: Connection, alert_id: str, actor_id: str, at: datetime) -> Alert | None:
    """The first to acknowledge it stays; None when it is gone."""
    row = await connection.fetchrow(
        f"""UPDATE bi_alerts SET acked_at = coalesce(acked_at, $3), acked_by = coalesce(acked_by, $2::uuid)
             WHERE alert_id = $1 RETURNING {_COLUMNS}""",  # noqa: S608 - fixed words
        alert_id,
        actor_id,
        at,
    )
    return Alert(**dict(row)) if row else None
