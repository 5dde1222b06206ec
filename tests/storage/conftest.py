"""A store of one's own for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from domain import ids
from storage import database, edits
from tests import fakes

LOCATION = "019a0000-0000-7000-8000-000000000001"
ELSEWHERE = "019a0000-0000-7000-8000-000000000002"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[database.Database]:
    opened = database.open_store(tmp_path / "store.db")
    yield opened
    opened.close()


Do = Callable[[edits.Edit], object]


def edit(store: database.Database, do: Do) -> None:
    """One action of a person."""
    with store.write_tx() as tx:
        do(edits.start(tx, fakes.EPOCH))


def lead(**values: Any) -> dict[str, Any]:
    """All that a new lead must have."""
    return {"location_id": LOCATION, "kind": "seller", "name": "Ann Lee", "stage": "new", **values}


def add_lead(store: database.Database, **values: Any) -> str:
    lead_id = ids.new_id()
    edit(store, lambda e: e.put("leads", lead_id, lead(**values)))
    return lead_id
