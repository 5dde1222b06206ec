"""A clock that stands, for questions about a known moment."""

from __future__ import annotations

import pytest

from tests.backend.services.bi import filled
from tests.fakes import FakeClock


@pytest.fixture
def clock(request: pytest.FixtureRequest) -> FakeClock:
    """At the `NOW` of the test's module, else at that of `filled`."""
    return FakeClock(getattr(request.module, "NOW", filled.NOW))
