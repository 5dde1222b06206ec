"""The version of a lead or an agent at the moment of an event, as a part of the statement that stores it.

What happened before the first version that the warehouse knows belongs to that one. `s` is the row of the event. Rows are
compared as a whole, so that one step down the index finds the version: the newest that is not later than the event.
"""

from __future__ import annotations


def _key(table: str, key: str, same: tuple[str, ...]) -> str:
    here, there = (", ".join(f"{side}.{name}" for name in same) for side in "ds")
    order = ", ".join(f"d.{name} DESC" for name in same)
    return f"""coalesce(
        (SELECT CASE WHEN ({here}) = ({there}) THEN d.{key} END FROM {table} d
          WHERE ({here}, d.valid_from) <= ({there}, s.occurred_at) ORDER BY {order}, d.valid_from DESC LIMIT 1),
        (SELECT d.{key} FROM {table} d WHERE ({here}) = ({there}) ORDER BY d.valid_from LIMIT 1))"""  # noqa: S608 - fixed words


LEAD = _key("dim_lead", "lead_key", ("lead_id",))
AGENT = _key("dim_agent", "agent_key", ("agent_id", "location_key"))
