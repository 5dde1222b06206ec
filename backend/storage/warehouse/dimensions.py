"""The dimensions that follow the synced tables: a new version of a lead or an agent when what is counted by changes.

Each call brings the given rows' current versions to what their tables say now, whatever they were: called twice it changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from backend.storage.pool import Connection

# A contact that a wrong clock dated into the future is none yet.
_LEADS = """
    wanted AS MATERIALIZED (
        SELECT g.id AS lead_id, g.at, p.location_key, l.agent_id, l.kind, coalesce(l.source, '') AS source, l.stage,
               coalesce(l.temperature, '') AS temperature, l.opted_out IS TRUE AS opted_out, l.created_at, l.answer_due_at,
               greatest(l.last_touch_at, l.last_inbound_at,
                        (SELECT max(i.occurred_at) FROM interactions i WHERE i.lead_id = l.id AND i._deleted_at IS NULL
                            AND i.occurred_at < now() + interval '1 day')) AS last_contact_at,
               (SELECT min(t.due_at) FROM tasks t
                 WHERE t.lead_id = l.id AND t.done_at IS NULL AND t._deleted_at IS NULL) AS next_touch_at
          FROM unnest($1::uuid[], $2::timestamptz[]) AS g (id, at)
          JOIN leads l ON l.id = g.id AND l._deleted_at IS NULL
          JOIN dim_location p ON p.location_id = l.location_id)"""
_SAME = """
    (d.location_key, d.agent_id, d.kind, d.source, d.stage, d.temperature, d.opted_out)
        IS NOT DISTINCT FROM (w.location_key, w.agent_id, w.kind, w.source, w.stage, w.temperature, w.opted_out)"""
_TIMES = "(d.last_contact_at, d.next_touch_at, d.answer_due_at) IS NOT DISTINCT FROM (w.last_contact_at, w.next_touch_at, w.answer_due_at)"
_END = "greatest(g.at, d.valid_from + interval '1 microsecond')"
_CLOSE_LEADS = f"""
    WITH {_LEADS},
    judged AS MATERIALIZED (
        SELECT d.lead_key, {_END} AS ended, w.lead_id IS NOT NULL AND {_SAME} AS same, w.last_contact_at, w.next_touch_at,
               w.answer_due_at
          FROM unnest($1::uuid[], $2::timestamptz[]) AS g (id, at)
          JOIN dim_lead d ON d.lead_id = g.id AND d.valid_to = 'infinity'
          LEFT JOIN wanted w ON w.lead_id = g.id
         WHERE w.lead_id IS NULL OR NOT {_SAME} OR NOT {_TIMES})
    UPDATE dim_lead d
       SET valid_to = CASE WHEN j.same THEN d.valid_to ELSE j.ended END,
           last_contact_at = CASE WHEN j.same THEN j.last_contact_at ELSE d.last_contact_at END,
           next_touch_at = CASE WHEN j.same THEN j.next_touch_at ELSE d.next_touch_at END,
           answer_due_at = CASE WHEN j.same THEN j.answer_due_at ELSE d.answer_due_at END
      FROM judged j WHERE d.lead_key = j.lead_key RETURNING d.location_key"""  # noqa: S608 - fixed words
# The first version begins with the lead; one that came back, or changed, where the last one ended or later.
_OPEN_LEADS = f"""
    WITH {_LEADS}
    INSERT INTO dim_lead (lead_id, location_key, agent_id, kind, source, stage, temperature, opted_out, valid_from,
                          created_at, last_contact_at, next_touch_at, answer_due_at)
    SELECT w.lead_id, w.location_key, w.agent_id, w.kind, w.source, w.stage, w.temperature, w.opted_out,
           CASE WHEN past.until IS NULL THEN least(w.created_at, w.at) ELSE greatest(w.at, past.until) END,
           w.created_at, w.last_contact_at, w.next_touch_at, w.answer_due_at
      FROM wanted w LEFT JOIN LATERAL (SELECT max(d.valid_to) AS until FROM dim_lead d WHERE d.lead_id = w.lead_id) past ON true
     WHERE past.until IS DISTINCT FROM 'infinity' RETURNING location_key"""  # noqa: S608 - fixed words

_CLOSE_AGENTS = f"""
    UPDATE dim_agent d SET valid_to = {_END}
      FROM unnest($1::uuid[], $2::timestamptz[]) AS g (id, at)
      JOIN people q ON q.id = g.id JOIN dim_location p ON p.location_id = q.location_id
     WHERE d.agent_id = q.user_id AND d.location_key = p.location_key AND d.valid_to = 'infinity'
       AND (q._deleted_at IS NOT NULL OR d.role <> q.role)"""  # noqa: S608 - fixed words
_OPEN_AGENTS = """
    INSERT INTO dim_agent (agent_id, location_key, role, valid_from)
    SELECT q.user_id, p.location_key, q.role,
           CASE WHEN past.until IS NULL THEN least(q.created_at, g.at) ELSE greatest(g.at, past.until) END
      FROM unnest($1::uuid[], $2::timestamptz[]) AS g (id, at)
      JOIN people q ON q.id = g.id AND q._deleted_at IS NULL JOIN dim_location p ON p.location_id = q.location_id
      LEFT JOIN LATERAL (SELECT max(d.valid_to) AS until FROM dim_agent d
                          WHERE d.agent_id = q.user_id AND d.location_key = p.location_key) past ON true
     WHERE past.until IS DISTINCT FROM 'infinity'"""


async def follow_leads(connection: Connection, changed: Mapping[UUID, datetime]) -> frozenset[int]:
    """`changed`: lead → when it did. Answers the keys of the locations in which a lead is another one than before."""
    if not changed:
        return frozenset()
    given = (list(changed), list(changed.values()))
    rows = [*await connection.fetch(_CLOSE_LEADS, *given), *await connection.fetch(_OPEN_LEADS, *given)]
    return frozenset(row["location_key"] for row in rows)


async def follow_people(connection: Connection, changed: Mapping[UUID, datetime]) -> None:
    """`changed`: row of `people` → when it did. An agent has a version for each location."""
    if changed:
        given = (list(changed), list(changed.values()))
        await connection.execute(_CLOSE_AGENTS, *given)
        await connection.execute(_OPEN_AGENTS, *given)


async def leads_of_tasks(connection: Connection, task_ids: Collection[UUID]) -> set[UUID]:
    """The leads whose next touch these tasks decide, or decided before they were given to another lead."""
    rows = await connection.fetch(
        """SELECT lead_id FROM tasks WHERE id = ANY($1::uuid[]) AND lead_id IS NOT NULL
           UNION
           SELECT d.lead_id FROM dim_lead d
            WHERE d.valid_to = 'infinity' AND d.next_touch_at IS NOT NULL
              AND EXISTS (SELECT FROM tasks t WHERE t.id = ANY($1::uuid[]) AND t._fver ? 'lead_id')
              AND NOT EXISTS (SELECT FROM tasks t WHERE t.lead_id = d.lead_id AND t.due_at = d.next_touch_at
                                AND t.done_at IS NULL AND t._deleted_at IS NULL)""",
        list(task_ids),
    )
    return {row["lead_id"] for row in rows}


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """What a lead was from one moment to another."""

    lead_id: UUID
    valid_from: datetime
    valid_to: datetime
    stage: str
    temperature: str
    opted_out: bool


async def write_past(connection: Connection, versions: Sequence[Version]) -> None:
    """What leads were before what they are, of those that the warehouse does not know yet."""
    await connection.execute(
        """INSERT INTO dim_lead (lead_id, location_key, agent_id, kind, source, stage, temperature, opted_out, valid_from,
                                 valid_to, created_at)
           SELECT l.id, p.location_key, l.agent_id, l.kind, coalesce(l.source, ''), v.stage, v.temperature, v.opted_out,
                  v.valid_from, v.valid_to, l.created_at
             FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[], $4::text[], $5::text[], $6::bool[])
                  AS v (lead_id, valid_from, valid_to, stage, temperature, opted_out)
             JOIN leads l ON l.id = v.lead_id JOIN dim_location p ON p.location_id = l.location_id
            WHERE NOT EXISTS (SELECT FROM dim_lead d WHERE d.lead_id = v.lead_id)""",
        *(
            [getattr(version, name) for version in versions]
            for name in ("lead_id", "valid_from", "valid_to", "stage", "temperature", "opted_out")
        ),
    )
