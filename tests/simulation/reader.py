"""I9: somebody who reads the feed all the time, with no store of their own, and compares in the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from backend.actor import Actor, Role
from backend.services import pull
from domain import errors, wire
from tests.simulation.face import driven
from tests.simulation.world import Violation

if TYPE_CHECKING:
    from tests.simulation.model import Model
    from tests.simulation.sim import Sim

Key = tuple[str, str]


class Reader:
    """Reads small pages, so that pages often end in the middle of what was committed."""

    def __init__(self, sim: Sim, model: Model) -> None:
        self.sim = sim
        self.model = model
        self.actor = Actor(
            id=sim.world.new_id(),
            role=Role.ADMIN,
            locations=frozenset(sim.locations),
            device_id="",
            session_id="",
        )
        self.cursor = ""
        self.life = ""
        self.rows: dict[Key, tuple[int, list[Any]]] = {}

    def catch_up(self) -> None:
        more = True
        while more:
            try:
                page = driven(
                    pull.pull(self.model.needs, self.actor, wire.PullAsk(cursor=self.cursor, limit=5))
                )
            except errors.ResyncError:
                self.cursor = ""
                self.rows.clear()
                continue
            if page.incarnation and page.incarnation != self.life:
                self.life, self.rows = page.incarnation, {}
            for name, row_id in page.removed:
                self.rows.pop((name, row_id), None)
            for block in page.blocks:
                for row in block.rows:
                    self._take((block.table, row[0]), row[1], list(row[2:]))
            self.cursor, more = page.cursor, page.more

    def _take(self, key: Key, ver: int, values: list[Any]) -> None:
        if ver < self.rows.get(key, (0, []))[0]:
            raise Violation("I9", f"the feed brings {key} version {ver} after {self.rows[key][0]}")
        self.rows[key] = (ver, values)

    def compare(self) -> None:
        there = self.sim.server.rows(frozenset(self.sim.locations))
        here = {key: ver for key, (ver, _) in self.rows.items()}
        expected = {key: ver for key, (ver, _) in there.items()}
        if here != expected:
            wrong = sorted(key for key in {*here, *expected} if here.get(key) != expected.get(key))
            raise Violation("I9", f"a reader of the feed differs in {wrong[:3]}")
