"""kill -9 of each part in the middle of load: facts once, aggregates and windows their sum, live channels without a gap."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.backend.kill import matrix
from tests.backend.kill.installation import VICTIMS

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(600)]


@pytest.mark.parametrize("victim", VICTIMS)
async def test_nothing_is_lost_or_counted_twice(tmp_path: Path, victim: str) -> None:
    found = await matrix.row(victim, tmp_path / "data", apart=1.5)

    assert found.wrong == []
    assert found.kills == 1
    assert found.acknowledged > 0
    assert found.lines >= matrix.WATCHERS * (2 if victim == "api" else 1)
