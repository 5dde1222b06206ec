"""The commission ledger: states of deals in, signed changes out.

A deal's states in the order of (occurred_at, event_id) say what it was from when on. The ledger holds, at each state's moment, what
stood before as a line with minus and the state as one with plus. A state that comes late changes the one after it: what that
had taken away comes back, and the late one is taken away in its place. So the lines up to any moment sum to the states of that
moment, whatever the order in which they came.
"""

from __future__ import annotations

from backend.storage.pool import Connection
from backend.storage.warehouse.conversations import Counted

_STATE = (
    "deal_id, occurred_at, event_id, received_at, date_key, closed_key, location_key, lead_id, agent_id, "
    "stage, sells, price_cents, rate_bp, gross_cents, company_cents, source, source_key, lead_key, agent_key"
)
_KEEP = f"""
INSERT INTO deal_states ({_STATE})
SELECT {_STATE} FROM pg_temp.stage_states s ORDER BY s.deal_id, s.occurred_at, s.event_id
ON CONFLICT DO NOTHING RETURNING deal_id, event_id
"""  # noqa: S608 - fixed words

# `before` is the state before among all; `before_then` the one before among those known until now (of rows not new).
_WRITE = """
WITH states AS (
    SELECT s, n.event_id IS NOT NULL AS new FROM deal_states s LEFT JOIN unnest($2::uuid[]) AS n (event_id) USING (event_id)
     WHERE s.deal_id = ANY ($1::uuid[])),
ordered AS (
    SELECT s, new,
           lag(s) OVER (PARTITION BY (s).deal_id ORDER BY (s).occurred_at, (s).event_id) AS before,
           lag(s) OVER (PARTITION BY (s).deal_id, new ORDER BY (s).occurred_at, (s).event_id) AS before_then
      FROM states),
lines AS (
    SELECT (s).occurred_at, (s).event_id, 0 AS line, -1 AS sign, 0 AS added, before AS what, s AS at, s AS news
      FROM ordered WHERE new AND (before).deal_id IS NOT NULL
    UNION ALL
    SELECT (s).occurred_at, (s).event_id, 1, 1, ((before).deal_id IS NULL)::int, s, s, s FROM ordered WHERE new
    UNION ALL
    SELECT (s).occurred_at, (before).event_id, 2, CASE WHEN (before_then).deal_id IS NULL THEN 0 ELSE 1 END,
           -((before_then).deal_id IS NULL)::int, CASE WHEN (before_then).deal_id IS NULL THEN s ELSE before_then END, s, before
      FROM ordered WHERE NOT new AND (before).event_id IS DISTINCT FROM (before_then).event_id
    UNION ALL
    SELECT (s).occurred_at, (before).event_id, 3, -1, 0, before, s, before
      FROM ordered WHERE NOT new AND (before).event_id IS DISTINCT FROM (before_then).event_id),
written AS (
    INSERT INTO fact_commission_events (
        occurred_at, event_id, line, received_at, date_key, location_key, deal_id, lead_key, agent_key, lead_id, agent_id, stage,
        sells, rate_bp, added, deals, price_cents, gross_cents, company_cents, source, source_key)
    SELECT occurred_at, event_id, line, (news).received_at,
           CASE WHEN (what).stage = 'closed' THEN coalesce((what).closed_key, (what).date_key) ELSE (at).date_key END,
           (what).location_key, (what).deal_id, (what).lead_key, (what).agent_key, (what).lead_id, (what).agent_id, (what).stage,
           (what).sells, (what).rate_bp, added, sign, sign * (what).price_cents, sign * (what).gross_cents,
           sign * (what).company_cents, (what).source, (news).source_key
      FROM lines
    RETURNING location_key, occurred_at, date_key)
SELECT DISTINCT location_key, to_char(occurred_at AT TIME ZONE 'UTC', 'YYYYMMDDHH24'), date_key FROM written
"""


async def store(connection: Connection) -> Counted:
    """What lies in stage_states, in the caller's transaction; nobody else may write states meanwhile (`facts` sees to it)."""
    new = await connection.fetch(_KEEP)
    if not new:
        return Counted(new=0)
    deals = list({row[0] for row in new})
    touched = await connection.fetch(_WRITE, deals, [row[1] for row in new])
    return Counted(new=len(new), touched=[(row[0], row[1], row[2]) for row in touched])
