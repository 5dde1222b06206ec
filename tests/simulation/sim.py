"""One run: a server, some phones, a plan; then quiet, and every promise is held against what happened."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from domain.wire import lenses
from sync import effects
from tests.simulation import (
    faults,
    invariants,
    reader,
    replicas,
    server_faults,
    troubles,
    updates,
    versions,
)
from tests.simulation.ledger import Ledger
from tests.simulation.model import Model
from tests.simulation.network import Network
from tests.simulation.person import Person
from tests.simulation.phone import Phone, Shell
from tests.simulation.server import Server
from tests.simulation.stores import template
from tests.simulation.world import HOUR, MINUTE, Violation, World

STAMP_MS = 70
MakeServer = Callable[[World, Path], Server]


@dataclass(slots=True)
class Sim:
    """`phones` may grow: a clone, a new phone."""

    setup: faults.Setup
    folder: Path
    make_server: MakeServer = Model
    world: World = field(init=False)
    server: Server = field(init=False)
    network: Network = field(init=False)
    ledger: Ledger = field(init=False)
    person: Person = field(init=False)
    checks: invariants.Checks = field(init=False)
    phones: list[Phone] = field(default_factory=list)
    locations: list[str] = field(default_factory=list)
    users: list[str] = field(default_factory=list)
    stamper_dead_until: int = 0
    settled: bool = False
    releases: bool = field(init=False)
    _stamp_due: bool = False
    _long: Callable[[], None] | None = None

    def __post_init__(self) -> None:
        self.world = World(self.setup.seed)
        self.server = self.make_server(self.world, self.folder)
        self.network = Network(self.world, self.server)
        self.ledger = Ledger(self.world)
        self.person = Person(self.world, self.ledger, self.folder)
        self.checks = invariants.Checks(self)
        self.releases = versions.GROUP in self.setup.groups and isinstance(self.server, Model)
        if isinstance(self.server, Model) and self.releases:
            self.server.lenses = versions.CHAIN
        self.server.on_news = self.news
        self.network.taps.append(self.checks.on_answer)

    def run(self) -> None:
        """Raises: Violation."""
        with self.world.seeded_ids():
            self.found()
            for act in faults.plan(self.setup):
                self.world.after(act.at_ms, self._acting(act))
            self.world.run(self.setup.minutes * MINUTE)
            self.settle()
            self.checks.at_rest()

    def close(self) -> None:
        for phone in self.phones:
            if phone.on:
                phone.stop()
        self.server.close()

    # The brokerage

    def found(self) -> None:
        """Two offices, some people, and what an import brought."""
        rng = self.world.rng("founding")
        for name in ("North", "South"):
            location = self.world.new_id()
            self.server.add_location(location, name)
            self.locations.append(location)
        roles = ("agent", "agent", "manager")
        for number in range(max(2, self.setup.phones - rng.randrange(2))):
            user, places = self.world.new_id(), set(self.locations)
            if number % 3 == 0:
                places = {self.locations[0]}
            self.server.add_user(user, f"user{number}", roles[number % 3], places)
            self.users.append(user)
        server_faults.import_leads(self, rng, 6)
        self.server.stamp()
        self.server.founded()
        self.checks.reader = reader.Reader(self, self.server) if isinstance(self.server, Model) else None
        for number in range(self.setup.phones):
            self.add_phone(self.users[number % len(self.users)])

    def add_phone(self, user_id: str) -> Phone:
        phone = self.spare_phone(user_id)
        phone.install()
        return phone

    def spare_phone(self, user_id: str) -> Phone:
        """Signed in, without a store yet."""
        phone = Phone(
            world=self.world,
            network=self.network,
            name=f"d{len(self.phones)}",
            user_id=user_id,
            folder=self.folder,
            template=template(),
            shell=Shell(self.checks.after_step, self.checks.before_look),
        )
        if self.releases:
            phone.dialect = versions.drawn(self.world.rng("app", phone.name))
        self.phones.append(phone)
        phone.refresh_token = self.server.sign_in(user_id)
        return phone

    def _acting(self, act: faults.Act) -> Callable[[], None]:
        def act_now() -> None:
            phone = self.phones[act.who % len(self.phones)]
            rng = self.world.rng("act", act.kind, act.seed)
            if hasattr(self.person, act.kind):
                self.person.act(phone, act.kind, rng)
                self.checks.after_work(phone)
                return
            self.world.note(phone.name, "suffers", act.kind, act.seconds)
            troubles.suffer(self, phone, act, rng)

        return act_now

    def hold_long(self, commit: Callable[[], None], delay_ms: int) -> None:
        """A transaction that is open for so long."""
        self._long = commit
        self.world.after(delay_ms, lambda: self.finish_long() if self._long is commit else None)

    def finish_long(self) -> None:
        commit, self._long = self._long, None
        if commit:
            commit()

    def drop_long(self) -> None:
        """Its server is gone before it committed."""
        self._long = None

    # The sequencer and its pokes

    def news(self) -> None:
        """Something was committed."""
        if not self._stamp_due:
            self._stamp_due = True
            self.world.after(STAMP_MS, self._stamp)

    def _stamp(self) -> None:
        if self.world.now_ms < self.stamper_dead_until:
            self.world.after(self.stamper_dead_until - self.world.now_ms, self._stamp)
            return
        self._stamp_due = False
        scopes = self.server.stamp()
        if scopes:
            self.poke(scopes)
        if self.checks.reader is not None:
            self.checks.reader.catch_up()

    def poke(self, scopes: set[str]) -> None:
        for phone in self.phones:
            met = {one.kind for one in self.network.troubles if one.who in ("", phone.name)}
            if not self.server.locations_of(phone.user_id) & scopes or met & {"offline", "half_open"}:
                continue
            if "poke_lost" in met:
                self.world.count("fault:poke_lost")
                continue
            self.world.after(self.network.rng.randrange(5, 60), phone.poke)
            if "poke_twice" in met:
                self.world.count("fault:poke_twice")
                self.world.after(self.network.rng.randrange(5, 600), phone.poke)

    # The end

    def settle(self) -> None:
        """All faults off; everybody signs in again; until nothing is under way."""
        self.settled = True
        troubles.all_off(self)
        self.all_releases_meet()
        for phone in self.phones:
            if not phone.on:
                phone.start()
            self.server.disable(phone.user_id, False)
            phone.refresh_token = self.server.sign_in(phone.user_id)
            phone.hear(effects.Wake(effects.Why.PERSON))
        self.world.note("world", "is quiet")
        if self.world.counts["fault:replay"]:
            self.world.run(self.world.now_ms + HOUR)
        self.rest()

    def all_releases_meet(self) -> None:
        """The server is updated for apps that are ahead of it; apps that are then too old follow."""
        if not isinstance(self.server, Model) or not self.releases:
            return
        if any(phone.dialect and phone.dialect.behind < 0 for phone in self.phones):
            self.server.lenses = versions.NEXT
            updates.end_of_news(self)
        for phone in self.phones:
            if phone.dialect and not phone.on:
                phone.start()
            if phone.dialect and phone.dialect.schema < self.server.lenses.current - lenses.REACH:
                self.world.count("fault:too_old")
                updates.update(self, phone, self.world.rng("update", phone.name))

    def is_of_servers_release(self, app: versions.Dialect) -> bool:
        return isinstance(self.server, Model) and app.schema == self.server.lenses.current

    def rest(self) -> None:
        """Raises: Violation I4/I8 when it does not come to rest within the longest back-off and some."""
        self._stamp_due = False  # one that is due much later, of a stamper that was dead, is too late
        self.news()
        until = self.world.now_ms + HOUR
        while self.world.now_ms < until:
            self.world.run(self.world.now_ms + 2 * MINUTE)
            if all(replicas.is_at_rest(phone) for phone in self.phones):
                return
        restless = [f"{phone.name}: {replicas.why_restless(phone)}" for phone in self.phones]
        raise Violation("I8", "; ".join(restless))


@contextmanager
def simulated(setup: faults.Setup, make_server: MakeServer = Model) -> Iterator[Sim]:
    """A run in a folder of its own, which is gone afterwards."""
    folder = Path(tempfile.mkdtemp(dir=template().parent))
    sim = Sim(setup, folder, make_server)
    try:
        yield sim
    finally:
        sim.close()
        shutil.rmtree(folder, ignore_errors=True)


def run_seed(seed: int, make_server: MakeServer = Model) -> Sim:
    """Raises: Violation."""
    with simulated(faults.setup_of(seed), make_server) as sim:
        sim.run()
        return sim
