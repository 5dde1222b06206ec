"""The version of a lead or an agent at the moment of an event, as a part of the statement that stores it.

What happened before the first version that the warehouse knows belongs to that one. `s` is the row of the event.
"""

from __future__ import annotations


def _key(table: str, key: str, same: str) -> str:
    return f"""coalesce(
        (SELECT d.{key} FROM {table} d WHERE {same} AND d.valid_from <= s.occurred_at ORDER BY d.valid_from DESC LIMIT 1),
        (SELECT d.{key} FROM {table} d WHERE {same} ORDER BY d.valid_from LIMIT 1))"""


LEAD = _key("dim_lead", "lead_key", "d.lead_id = s.lead_id")
AGENT = _key("dim_agent", "agent_key", "d.agent_id = s.agent_id AND d.location_key = s.location_key")
