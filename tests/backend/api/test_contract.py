"""Every route called with what its OpenAPI allows and what it forbids: whatever comes in, never a fault of ours.

`CONTRACT_EXAMPLES=100` for a long run; the log (`--log-cli-level=INFO`) says how many requests that were.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Annotated, Any

import hypothesis
import pytest
import requests
import schemathesis
from fastapi import APIRouter, FastAPI, Query
from hypothesis import HealthCheck, Phase
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode

from backend.settings import Settings
from tests.serving import LiveServer, Login, MakeUser

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.timeout(600),
    # The server's thread draws from `random` while hypothesis watches whether strategies do.
    pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisDeprecationWarning"),
]
logger = logging.getLogger(__name__)

EXAMPLES = int(os.environ.get("CONTRACT_EXAMPLES", "5"))
"""Of each route, mode (allowed, forbidden) and role; a third of it for roles that are refused nearly everywhere."""
PARTS = 4
"""The routes are dealt to so many tests, which run side by side."""
ENDS_THE_SESSION = ("/api/auth/logout", "/api/auth/refresh")
BEFORE_US = "Invalid HTTP request received."
"""What uvicorn says to what is no HTTP, such as a line of 64 KB: it never gets to us."""
PROBLEM = {"code", "message", "where", "hint"}


@pytest.fixture
def server_settings(server_settings: Settings) -> Settings:
    """Whoever asks too much gets 429, which would prove nothing."""
    return server_settings.model_copy(update={"bi_rate_limit": 0})


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("role", ["manager", "admin", "agent", "nobody"])
async def test_no_request_makes_the_server_fault(
    live_server: LiveServer, make_user: MakeUser, login: Login, role: str, part: int
) -> None:
    headers: Mapping[str, str] = {}
    if role != "nobody":
        headers = (await login((await make_user(role, ("Here",))).email)).headers
    examples = EXAMPLES if role in ("manager", "admin") else max(2, EXAMPLES // 3)
    attack = Attack(url=f"{live_server.url}/openapi.json", headers=headers, examples=examples)

    await asyncio.to_thread(attack.run, part)

    logger.info("contract: %s: %d requests, %s", role, attack.answers.total(), dict(attack.answers))
    assert attack.faults == [], "\n".join(attack.faults)
    assert attack.answers.total() > 0


async def test_a_route_that_breaks_is_found(app: FastAPI, live_server: LiveServer) -> None:
    """Such as one that divides by what it is given."""
    router = APIRouter()

    @router.get("/api/broken")
    async def broken(share: Annotated[int, Query(ge=0, le=3)]) -> float:
        return 1 / share

    app.include_router(router)
    app.openapi_schema = None
    attack = Attack(url=f"{live_server.url}/openapi.json", headers={}, examples=20, only="/api/broken")

    await asyncio.to_thread(attack.run, 0)

    assert attack.faults
    assert "share=0" in attack.faults[0]


@dataclass(slots=True, kw_only=True)
class Attack:
    """Requests out of the server's own OpenAPI, from a thread of its own: the server lives in the test's loop."""

    url: str
    headers: Mapping[str, str]
    examples: int
    only: str = ""
    faults: list[str] = field(default_factory=list)
    """What was not answered as it should be, as curl commands."""
    answers: Counter[int] = field(default_factory=Counter)

    def run(self, part: int) -> None:
        """The routes of this part; all of them where there is an `only`."""
        schema = schemathesis.openapi.from_url(self.url)
        with requests.Session() as session:
            session.headers.update(self.headers)
            for number, found in enumerate(schema.get_all_operations()):
                operation: Any = found.ok()  # type: ignore[union-attr]
                mine = operation.path == self.only if self.only else number % PARTS == part
                if mine and operation.path not in ENDS_THE_SESSION:
                    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                        self._call(operation, mode, session)

    def _call(self, operation: Any, mode: GenerationMode, session: requests.Session) -> None:
        @hypothesis.settings(
            max_examples=self.examples,
            database=None,
            deadline=None,
            derandomize=True,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
        def called(case: Any) -> None:
            response = case.call(session=session, timeout=30)
            self.answers[response.status_code] += 1
            if wrong := _wrong(operation, response):
                self.faults.append(f"{wrong} {case.as_curl_command()[:600]}")

        with suppress(Unsatisfiable):  # a route that takes nothing can't be given anything wrong
            called()


def _wrong(operation: Any, response: Any) -> str:
    """Why this is no answer of ours; "" when it is one."""
    status = int(response.status_code)
    if status == 503 and "503" in operation.definition.raw["responses"]:
        return "" if "retry-after" in response.headers else "503 without Retry-After"
    if status >= 500:
        return str(status)
    if status == 400 and response.text == BEFORE_US:
        return ""
    if status >= 400 and operation.method.upper() != "HEAD":
        with suppress(ValueError):
            if response.json().keys() >= PROBLEM or "rejected" in response.json():
                return ""
        return f"{status} is no problem shape: {response.text[:200]}"
    return ""
