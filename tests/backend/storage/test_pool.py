"""Values travel between Python and PostgreSQL without surprises."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from backend.deps import Deps
from backend.storage import pool
from domain import errors

pytestmark = pytest.mark.anyio

ID = "01a2041b-704c-75f5-a69a-958e6c89a463"


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("uuid", ID),
        ("uuid[]", [ID, ID]),
        ("jsonb", {"a": [1, None, "é"], "b": {"c": 1.5}}),
        ("json", "text"),
        ("timestamptz", datetime(2026, 11, 22, 16, 0, tzinfo=UTC)),
        ("numeric", Decimal("1234567890.123456789")),
    ],
)
async def test_value_comes_back_as_it_went(deps: Deps, kind: str, value: Any) -> None:
    async with deps.pool.acquire() as connection:
        back = await connection.fetchval(f"SELECT $1::{kind}", value)

    assert back == value
    assert type(back) is type(value)


async def test_transaction_rolls_back_on_any_error(deps: Deps) -> None:
    with pytest.raises(RuntimeError):  # noqa: PT012 - the error comes after the write
        async with pool.transaction(deps.pool) as connection:
            await connection.execute("INSERT INTO locations (id, name) VALUES ($1, 'x')", ID)
            raise RuntimeError

    async with deps.pool.acquire() as connection:
        assert await connection.fetchval("SELECT count(*) FROM locations") == 0


async def test_database_that_does_not_answer_is_told() -> None:
    with pytest.raises(errors.EngineError, match="does not answer"):
        await pool.open_pool("postgresql://jorge@127.0.0.1:1/jorge")
