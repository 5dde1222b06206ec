"""What a test keeps inside a real database: every version of every row, and a copy of all tables to go back to."""

from __future__ import annotations

import json
from typing import Any

from backend.storage.pool import Connection
from domain import tables
from tests.simulation.server import Version

_KEPT = (
    "locations people leads tasks notes conflicts deals interactions properties change_log feed_state"
    " applied_mutations parked_mutations row_moves row_alias scope_grants user_locations sim_history"
).split()

_HISTORY = """
CREATE TABLE sim_history (
    n bigserial PRIMARY KEY, tbl text, row_id uuid, before jsonb, after jsonb, device boolean
);
CREATE FUNCTION sim_history_follow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO sim_history (tbl, row_id, before, after, device)
    VALUES (TG_TABLE_NAME, NEW.id, CASE WHEN TG_OP = 'UPDATE' THEN to_jsonb(OLD) END, to_jsonb(NEW),
            coalesce(current_setting('app.device', true), '') <> '');
    RETURN NULL;
END $$;
"""


async def keep_history(connection: Connection) -> None:
    """From here on every version is written down, by a trigger of the test's own."""
    await connection.execute(_HISTORY)
    for table in tables.ALL:
        await connection.execute(
            f"CREATE TRIGGER sim_history_follow AFTER INSERT OR UPDATE ON {table.name}"
            " FOR EACH ROW EXECUTE FUNCTION sim_history_follow()"
        )


async def take(connection: Connection) -> None:
    for name in _KEPT:
        await connection.execute(
            f"DROP TABLE IF EXISTS snap_{name}; CREATE TABLE snap_{name} AS TABLE {name}"
        )


async def restore(connection: Connection) -> int:
    """All tables as they were; how many versions of rows were lost."""
    lost = await connection.fetchval(
        "SELECT (SELECT count(*) FROM sim_history) - (SELECT count(*) FROM snap_sim_history)"
    )
    await connection.execute("SET LOCAL session_replication_role = replica")  # no triggers, no constraints
    await connection.execute(f"TRUNCATE {', '.join(name for name in _KEPT)} CASCADE")
    for name in _KEPT:
        columns = ", ".join(
            row["column_name"]
            for row in await connection.fetch(
                "SELECT column_name FROM information_schema.columns WHERE table_name = $1"
                " AND is_generated = 'NEVER' ORDER BY ordinal_position",
                name,
            )
        )
        await connection.execute(
            f"INSERT INTO {name} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} FROM snap_{name}"  # noqa: S608
        )
    return int(lost)


def version(row: Any) -> Version:
    before, after = row["before"], row["after"]
    return Version(
        table=row["tbl"],
        row_id=row["row_id"],
        before=_read(before),
        after=_read(after) or {},
        was_dead=before is not None and before["_deleted_at"] is not None,
        is_dead=after["_deleted_at"] is not None,
        by_device=row["device"],
    )


def _read(found: Any) -> dict[str, Any] | None:
    if found is None:
        return None
    return {name: value for name, value in json.loads(json.dumps(found)).items() if not name.startswith("_")}
