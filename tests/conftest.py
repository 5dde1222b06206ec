"""What every test may use, where a run writes, how many workers it has and what they begin with."""

from __future__ import annotations

import os
from contextlib import ExitStack

import hypothesis
import pytest
from xdist.remote import Producer  # type: ignore[import-untyped]
from xdist.scheduler import LoadGroupScheduling  # type: ignore[import-untyped]

from tests import scratch

# The same cases in every run, so that a red run means a change of ours; JORGE_EXPLORE=1 looks for new ones.
hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None)
hypothesis.settings.register_profile("explore", deadline=None, print_blob=True)
hypothesis.settings.load_profile("explore" if os.environ.get("JORGE_EXPLORE") else "repeatable")

pytest_plugins = ("tests.serving",)
"""The real server's fixtures, wherever a test asks for one by name: nothing starts before that."""

TOGETHER = ("tests/browser/test_app_", "tests/launch/test_run", "tests/backend/test_demo")
"""Each begins the names of tests that share what is costly to start. (Marks alone say nothing to pytest-xdist 3.8 under
pytest 9.2: it writes them into a node's id, which can't be written to any more.)"""

LONG = (
    "tests/cut/",
    "tests/crash/",
    "tests/simulation/test_seeds",
    "tests/simulation/test_pinned",
    "tests/simulation/test_mutants.py::test_a_planted",
    "tests/simulation/test_real",
    "tests/browser/",
    "tests/flows/",
)
"""They begin first, in this order: a long one that begins last would have the other workers wait for it."""


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


def pytest_configure(config: pytest.Config) -> None:
    """The run itself, not its workers, says where all of them write."""
    if not hasattr(config, "workerinput"):
        stack = ExitStack()
        stack.enter_context(scratch.entered(scratch.place()))
        config.add_cleanup(stack.close)


def pytest_sessionstart(session: pytest.Session) -> None:
    terminal = session.config.pluginmanager.get_plugin("terminalreporter")
    if terminal and not hasattr(session.config, "workerinput"):
        terminal.write_line(scratch.told())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(
        key=lambda item: next((n for n, begin in enumerate(LONG) if item.nodeid.startswith(begin)), len(LONG))
    )


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    return scratch.workers(scratch.cores(), scratch.free_memory() - (scratch.ROOM if scratch.place() else 0))


class Together(LoadGroupScheduling):  # type: ignore[misc]
    """As `--dist loadgroup` is meant."""

    def _split_scope(self, nodeid: str) -> str:
        return next((begin for begin in TOGETHER if nodeid.startswith(begin)), super()._split_scope(nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Together | None:
    return Together(config, log) if config.getvalue("dist") == "loadgroup" else None
