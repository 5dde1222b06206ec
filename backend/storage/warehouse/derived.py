"""What is kept beside the facts and made of them, proved against them: conversations (of what bots reported), and the commission
ledger (of the states of deals).

What differs is taken away and written anew from its source, so that the triggers count it; whoever mends holds `bi_alone`.
Parameters of the statements: $1 and $2, the first day and the day after the last; of the mending ones $3, whom it concerns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from backend.storage.pool import Connection
from backend.storage.warehouse.aggregates import MOMENTS
from backend.storage.warehouse.conversations import COLUMNS

_TOLD = """
    SELECT conversation_id,
           (array_agg(location_key ORDER BY occurred_at, event_id))[1] AS location_key,
           (array_agg(bot_key ORDER BY occurred_at, event_id))[1] AS bot_key,
           (array_agg(lead_id ORDER BY lead_id) FILTER (WHERE lead_id IS NOT NULL))[1] AS lead_id,
           min(occurred_at) AS started_at,
           (array_agg(event_id ORDER BY occurred_at, event_id))[1] AS started_by,
           min(occurred_at) FILTER (WHERE replied) AS replied_at,
           min(date_key) FILTER (WHERE replied) AS date_key,
           min(occurred_at) FILTER (WHERE event_type = 'qualified' AND success IS NOT FALSE) AS qualified_at,
           max(occurred_at) AS last_at
      FROM fact_bot_performance JOIN mine USING (conversation_id) GROUP BY conversation_id"""
# One that began before the facts that are kept can't be proved any more.
_TALKS = f"""
WITH mine AS MATERIALIZED (
    SELECT conversation_id FROM fact_bot_performance WHERE conversation_id IS NOT NULL AND {MOMENTS.format(moment="occurred_at")}
     UNION SELECT conversation_id FROM fact_bot_conversations WHERE {MOMENTS.format(moment="started_at")}),
expected AS MATERIALIZED ({_TOLD}),
judged AS (
    SELECT conversation_id, e.started_at IS NOT NULL AS told, e IS DISTINCT FROM c AS wrong
      FROM (SELECT {", ".join(COLUMNS)} FROM expected) e
      FULL JOIN (SELECT {", ".join(COLUMNS)} FROM fact_bot_conversations JOIN mine USING (conversation_id)) c USING (conversation_id)
     WHERE {MOMENTS.format(moment="coalesce(e.started_at, c.started_at)")}
       AND coalesce(c.started_at, e.started_at) >= (SELECT kept_from FROM bi_retention))
SELECT (SELECT count(*) FROM judged WHERE told), ARRAY(SELECT conversation_id FROM judged WHERE wrong)
"""  # noqa: S608 - fixed words
_FORGET_TALKS = "DELETE FROM fact_bot_conversations WHERE conversation_id = ANY ($3) AND $1::date < $2::date"
_WRITE_TALKS = f"""
WITH mine AS (SELECT unnest($3::uuid[]) AS conversation_id WHERE $1::date < $2::date)
INSERT INTO fact_bot_conversations ({", ".join(COLUMNS)}) SELECT {", ".join(COLUMNS)} FROM ({_TOLD}) told
"""  # noqa: S608 - fixed words

# A state's own two lines, as if all states had come in their order. Late ones wrote others (`ledger`), with the same sums.
_LINES = f"""
    SELECT l.occurred_at, l.event_id, l.line, l.received_at,
           CASE WHEN w.stage = 'closed' THEN coalesce(w.closed_key, w.date_key) ELSE l.date_key END AS date_key,
           w.location_key, w.deal_id, w.lead_key, w.agent_key, w.lead_id, w.agent_id, w.stage, w.sells, w.rate_bp, w.source,
           l.source_key, l.added, l.sign AS deals, l.sign * w.price_cents AS price_cents, l.sign * w.gross_cents AS gross_cents,
           l.sign * w.company_cents AS company_cents
      FROM (SELECT o.*, line, sign, CASE line WHEN 0 THEN before ELSE event_id END AS what, (line = 1 AND before IS NULL)::int AS added
              FROM (SELECT occurred_at, event_id, received_at, source_key, date_key,
                           lag(event_id) OVER (PARTITION BY deal_id ORDER BY occurred_at, event_id) AS before
                      FROM deal_states JOIN mine USING (deal_id)) o,
                   (VALUES (0, -1), (1, 1)) AS both_lines (line, sign)
             WHERE {MOMENTS.format(moment="occurred_at")}) l
      JOIN deal_states w ON w.event_id = l.what"""  # noqa: S608 - fixed words
_OF = "deal_id, occurred_at, date_key, location_key, lead_key, agent_key, lead_id, agent_id, stage, sells, rate_bp, source"
_SUMMED = ("added", "deals", "price_cents", "gross_cents", "company_cents")
_DEALS = f"""
WITH mine AS MATERIALIZED (
    SELECT deal_id FROM deal_states WHERE {MOMENTS.format(moment="occurred_at")}
     UNION SELECT deal_id FROM fact_commission_events WHERE {MOMENTS.format(moment="occurred_at")}),
expected AS MATERIALIZED ({_LINES}),
both_sides AS (
    SELECT {_OF}, {", ".join(_SUMMED)} FROM expected UNION ALL
    SELECT {_OF}, {", ".join(f"-{one}" for one in _SUMMED)} FROM fact_commission_events WHERE {MOMENTS.format(moment="occurred_at")}),
wrong AS (SELECT deal_id FROM both_sides GROUP BY {_OF} HAVING {" OR ".join(f"sum({one}) <> 0" for one in _SUMMED)})
SELECT (SELECT count(*) FROM expected), ARRAY(SELECT DISTINCT deal_id FROM wrong)
"""  # noqa: S608 - fixed words
_FORGET_DEALS = f"""
DELETE FROM fact_commission_events WHERE deal_id = ANY ($3) AND {MOMENTS.format(moment="occurred_at")}
"""  # noqa: S608 - fixed words
_WRITTEN = f"event_id, line, received_at, source_key, {_OF}, {', '.join(_SUMMED)}"
_WRITE_DEALS = f"""
WITH mine AS (SELECT unnest($3::uuid[]) AS deal_id)
INSERT INTO fact_commission_events ({_WRITTEN}) SELECT {_WRITTEN} FROM ({_LINES}) lines
"""  # noqa: S608 - fixed words


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived:
    """`look`: how many rows there must be, and whose differ."""

    name: str
    look: str
    forget: str
    write: str

    async def differing(
        self, connection: Connection, begin: date, after: date, *, mend: bool
    ) -> tuple[int, int]:
        """(rows, differed), where what differs are conversations, or deals."""
        ((rows, wrong),) = await connection.fetch(self.look, begin, after)
        if mend and wrong:
            for statement in (self.forget, self.write):
                await connection.execute(statement, begin, after, wrong)
        return rows, len(wrong)


TABLES: Sequence[Derived] = (
    Derived(name="fact_bot_conversations", look=_TALKS, forget=_FORGET_TALKS, write=_WRITE_TALKS),
    Derived(name="fact_commission_events", look=_DEALS, forget=_FORGET_DEALS, write=_WRITE_DEALS),
)
