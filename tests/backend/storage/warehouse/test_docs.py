"""docs/warehouse.md names every table of the warehouse and every column."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from backend.metrics import MEASURES
from backend.storage.pool import Connection
from tests.backend.storage.warehouse.events import rows

pytestmark = pytest.mark.anyio

PAGE = Path(__file__).parents[4] / "docs" / "warehouse.md"
COLUMNS = """
SELECT c.relname, a.attname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
 WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p', 'm') AND NOT c.relispartition
   AND c.relname ~ '^(dim|fact|agg|mv)_|^(deal_states|bi_measures|bi_retention)$' AND a.attname <> 'only_row'
"""


async def test_every_table_and_column_is_described(owner: Connection) -> None:
    words = set(re.findall(r"\w+", PAGE.read_text()))

    found = await rows(owner, COLUMNS)

    assert len(found) > 200
    assert {
        f"{table}.{column}" for table, column in found if {table, column} - words - MEASURES.keys()
    } == set()
