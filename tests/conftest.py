"""What every test may use, and which tests one worker runs."""

from __future__ import annotations

import os

import hypothesis
import pytest
from xdist.remote import Producer  # type: ignore[import-untyped]
from xdist.scheduler import LoadGroupScheduling  # type: ignore[import-untyped]

# The same cases in every run, so that a red run means a change of ours; JORGE_EXPLORE=1 looks for new ones.
hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None)
hypothesis.settings.register_profile("explore", deadline=None, print_blob=True)
hypothesis.settings.load_profile("explore" if os.environ.get("JORGE_EXPLORE") else "repeatable")

pytest_plugins = ("tests.serving",)
"""The real server's fixtures, wherever a test asks for one by name: nothing starts before that."""

TOGETHER = ("tests/browser/test_app_", "tests/launch/test_run")
"""Each begins the names of tests that share what is costly to start. (Marks alone say nothing to pytest-xdist 3.8 under
pytest 9.2: it writes them into a node's id, which can't be written to any more.)"""


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


class Together(LoadGroupScheduling):  # type: ignore[misc]
    """As `--dist loadgroup` is meant."""

    def _split_scope(self, nodeid: str) -> str:
        return next((begin for begin in TOGETHER if nodeid.startswith(begin)), super()._split_scope(nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Together | None:
    return Together(config, log) if config.getvalue("dist") == "loadgroup" else None
