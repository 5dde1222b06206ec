"""The same runs on PostgreSQL and FastAPI: a few here, more by `make simulate REAL=1 SEEDS=200`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.simulation import bench as benches
from tests.simulation import real, runs


@pytest.fixture(scope="module")
def bench() -> Iterator[benches.Bench]:
    opened = benches.Bench()
    yield opened
    opened.close()


@pytest.mark.parametrize("seed", range(10))
def test_every_promise_holds_on_postgresql(seed: int, bench: benches.Bench) -> None:
    found = runs.failure_of(real.setup_of(seed), make_server=real.on(bench))
    assert found is None, f"seed {seed}: {found}"
