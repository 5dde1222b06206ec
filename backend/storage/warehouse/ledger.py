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

# `before` is the state before among all; `before_then` the one before among those known until now (of rows not new). Windows go over
# ids; only what a line says of a deal is looked up, since whole states are dear to carry along.
_WRITE = """
WITH states AS (
    SELECT s.deal_id, s.occurred_at, s.event_id, s.date_key, s.received_at, s.source_key, n.event_id IS NOT NULL AS new
      FROM deal_states s LEFT JOIN unnest($2::uuid[]) AS n (event_id) USING (event_id) WHERE s.deal_id = ANY ($1::uuid[])),
ordered AS MATERIALIZED (
    SELECT occurred_at, event_id, date_key, received_at, source_key, new, lag(event_id) OVER among_all AS before,
           lag(received_at) OVER among_all AS before_received_at, lag(source_key) OVER among_all AS before_source_key,
           lag(event_id) OVER (PARTITION BY deal_id, new ORDER BY occurred_at, event_id) AS before_then
      FROM states WINDOW among_all AS (PARTITION BY deal_id ORDER BY occurred_at, event_id)),
lines AS (
    SELECT occurred_at, event_id, received_at, source_key, date_key, 0 AS line, -1 AS sign, 0 AS added, before AS what
      FROM ordered WHERE new AND before IS NOT NULL
    UNION ALL
    SELECT occurred_at, event_id, received_at, source_key, date_key, 1, 1, (before IS NULL)::int, event_id FROM ordered WHERE new
    UNION ALL
    SELECT occurred_at, before, before_received_at, before_source_key, date_key, 2, (before_then IS NOT NULL)::int,
           -(before_then IS NULL)::int, coalesce(before_then, event_id)
      FROM ordered WHERE NOT new AND before IS DISTINCT FROM before_then
    UNION ALL
    SELECT occurred_at, before, before_received_at, before_source_key, date_key, 3, -1, 0, before
      FROM ordered WHERE NOT new AND before IS DISTINCT FROM before_then),
written AS (
    INSERT INTO fact_commission_events (
        occurred_at, event_id, line, received_at, date_key, location_key, deal_id, lead_key, agent_key, lead_id, agent_id, stage,
        sells, rate_bp, added, deals, price_cents, gross_cents, company_cents, source, source_key)
    SELECT l.occurred_at, l.event_id, l.line, l.received_at,
           CASE WHEN w.stage = 'closed' THEN coalesce(w.closed_key, w.date_key) ELSE l.date_key END,
           w.location_key, w.deal_id, w.lead_key, w.agent_key, w.lead_id, w.agent_id, w.stage, w.sells, w.rate_bp, l.added, l.sign,
           l.sign * w.price_cents, l.sign * w.gross_cents, l.sign * w.company_cents, w.source, l.source_key
      FROM lines l JOIN deal_states w ON w.event_id = l.what
    RETURNING location_key, occurred_at, date_key)
SELECT location_key, to_char(hour AT TIME ZONE 'UTC', 'YYYYMMDDHH24'), date_key
  FROM (SELECT DISTINCT location_key, date_trunc('hour', occurred_at, 'UTC') AS hour, date_key FROM written) hours
"""


async def store(connection: Connection) -> Counted:
    """What lies in stage_states, in the caller's transaction; nobody else may write states meanwhile (`facts` sees to it)."""
    new = await connection.fetch(_KEEP)
    if not new:
        return Counted(new=0)
    deals = list({row[0] for row in new})
    touched = await connection.fetch(_WRITE, deals, [row[1] for row in new])
    return Counted(new=len(new), touched=[(row[0], row[1], row[2]) for row in touched])
