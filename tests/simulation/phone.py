"""A phone: a real store in a real file, the real sync machine, and a shell that a crash can stop at any point."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

from domain import errors, wire
from storage import cursor, database
from sync import answers, codec, effects
from sync.files import Part
from sync.machine import Machine
from tests.simulation.http import Answer, Request, unpacked
from tests.simulation.network import Network
from tests.simulation.versions import Dialect
from tests.simulation.world import SECOND, Clock, Event, World

T = TypeVar("T")
LOOK_MS = 60 * SECOND
MOST_PAGES = 1_073_741_823


class Crashed(Exception):
    """The app's process ends here; what ran is not told that it worked."""


@dataclass(slots=True)
class Copy:
    """The store's files at one moment."""

    db: bytes
    wal: bytes


@dataclass(frozen=True, slots=True)
class Moment:
    """`do` happens once: when the next step is done, or request begun, that `wanted` takes."""

    wanted: Callable[[object], bool]
    do: Callable[[], None]


@dataclass(slots=True)
class Shell:
    """Hooks of a run: what is checked after each transaction, and before the app looks by itself."""

    after_step: Callable[[Phone, object], None]
    before_look: Callable[[Phone], None]


@dataclass(slots=True, eq=False)
class Phone:
    """`life` grows with each start of the app: what an earlier life still waits for is not heard any more.

    `dialect`: how its app speaks, in a world with several releases.
    """

    world: World
    network: Network
    name: str
    user_id: str
    folder: Path
    template: Path
    shell: Shell
    refresh_token: str = ""
    token: str = ""
    life: int = 0
    on: bool = False
    socket: bool = True
    tear: random.Random | None = None
    dialect: Dialect | None = None
    moments: list[Moment] = field(default_factory=list)
    woken: bool = False
    _stepping: bool = False
    db: database.Database = field(init=False)
    machine: Machine = field(init=False)
    clock: Clock = field(init=False)
    _rng: random.Random = field(init=False)
    _timers: dict[str, Event] = field(default_factory=dict)
    _renewing: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clock = Clock(self.world)
        self._rng = self.world.rng("phone", self.name)

    # Life

    @property
    def path(self) -> Path:
        return self.folder / f"{self.name}-{self.life}.db"

    def install(self) -> None:
        """A fresh app with an empty store."""
        shutil.copyfile(self.template, self.path)
        self.start()
        with self.db.write_tx() as tx:
            cursor.new_device(tx)

    def start(self) -> None:
        """Raises: StoreError."""
        self.db = database.open_store(self.path)
        self.machine = Machine(rng=self.world.rng("machine", self.name, self.life))
        self.on = True
        self.db.subscribe(self._on_commit)
        self.world.after(LOOK_MS, self._look_of(self.life))
        self.hear(effects.Wake(effects.Why.NEWS))

    def copy(self) -> Copy:
        wal = self.path.with_name(self.path.name + "-wal")
        return Copy(self.path.read_bytes(), wal.read_bytes() if wal.exists() else b"")

    def stop(self) -> None:
        """The process is gone; nothing of it is heard any more."""
        if not self.on:
            return
        self.on = False
        self.db.close()
        for timer in self._timers.values():
            timer.drop()
        self._timers.clear()
        self._renewing.clear()

    def reopen(self, copy: Copy) -> None:
        """Start again with these files."""
        old = self.path
        self.stop()
        self.life += 1
        self.path.write_bytes(copy.db)
        if copy.wal:
            self.path.with_name(self.path.name + "-wal").write_bytes(copy.wal)
        for rest in old.parent.glob(old.name + "*"):
            rest.unlink()
        self.token = ""
        self.start()

    def crash(self) -> None:
        self.world.note(self.name, "crashes")
        self.reopen(self.copy())

    # What happens

    def hear(self, said: effects.Input) -> None:
        for output in self.machine.handle(said, self.clock.now()):
            self._do(output)

    def _do(self, output: effects.Output) -> None:
        life = self.life
        match output:
            case effects.Arm(timer, seconds):
                self._arm(timer, seconds)
            case effects.Store(number, step):
                self.world.after(self._rng.randrange(4), lambda: self._store(life, number, step))
            case effects.Send(number, ask):
                self._met(ask)
                self._send(life, number, ask)
            case effects.Refresh(number):
                self._refresh(life, number)

    def _alive(self, life: int) -> bool:
        return self.on and life == self.life

    def _arm(self, timer: str, seconds: float | None) -> None:
        if known := self._timers.pop(timer, None):
            known.drop()
        if seconds is None:
            return

        def ring() -> None:
            self._timers.pop(timer, None)
            self.hear(effects.Tick(timer))

        self._timers[timer] = self.world.after(int(seconds * SECOND), ring)

    @property
    def armed(self) -> bool:
        return bool(self._timers)

    def _store(self, life: int, number: int, step: effects.Step) -> None:
        if not self._alive(life):
            return
        try:
            self._stepping = True
            value = self.transact(lambda: step.run(effects.Device(db=self.db, clock=self.clock)))
        except Crashed:
            return
        except errors.JorgeError as fault:
            self.world.note(self.name, type(step).__name__, "fails", fault.code)
            self._stepping = False
            self.hear(effects.Failed(number, fault))
            return
        finally:
            self._stepping = False
        self.world.note(self.name, type(step).__name__, _told(value))
        self.shell.after_step(self, step)
        self._met(step)
        if self._alive(life):
            self.hear(effects.Done(number, value, 0.01))

    def _met(self, what: object) -> None:
        moment = next((one for one in self.moments if one.wanted(what)), None)
        if moment:
            self.moments.remove(moment)
            moment.do()

    def transact(self, do: Callable[[], T]) -> T:
        """Do it; if the phone is to be torn off power now, only some bytes of it reach the disk. Raises: Crashed."""
        if self.tear is None:
            return do()
        rng, self.tear = self.tear, None
        before = self.copy()
        do()
        after = self.copy()
        if after.db != before.db or after.wal[: len(before.wal)] != before.wal:
            torn = after  # a checkpoint came between: what is on disk is whole
        else:
            cut = rng.randrange(len(before.wal), len(after.wal) + 1)
            rest = rng.randbytes(rng.choice((0, 0, 100)))
            torn = Copy(before.db, after.wal[:cut] + rest)
        self.world.count("fault:torn wal")
        self.world.note(self.name, "torn", len(torn.wal) - len(before.wal))
        self.reopen(torn)
        raise Crashed

    def _send(self, life: int, number: int, ask: effects.Ask) -> None:
        began = self.world.now_ms

        def answered(said: Answer | errors.JorgeError) -> None:
            if not self._alive(life):
                return
            heard = self._heard(number, ask, said, (self.world.now_ms - began) / 1000)
            if isinstance(heard, effects.Failed):
                self.world.note(self.name, "fails", type(ask).__name__, heard.fault.code)
            self.hear(heard)

        try:
            if not self.token:
                raise errors.TokenExpiredError("There is no access token.", where="sign-in")
            request = self.signed(codec.request_of(ask, part=_read(ask)))
        except errors.JorgeError as fault:
            said = fault
            self.world.after(1, lambda: answered(said))
            return
        self.network.send(self.name, request, answered)

    def signed(self, asked: codec.HttpRequest) -> Request:
        url = asked.path + (f"?{urlencode(asked.params)}" if asked.params else "")
        ours = {
            wire.PROTOCOL_HEADER: str(wire.PROTOCOL),
            wire.SCHEMA_HEADER: str(wire.SCHEMA),
            "Accept-Encoding": "zstd",
            "Authorization": f"Bearer {self.token}",
        }
        request = Request(method=asked.method, url=url, headers={**ours, **asked.headers}, body=asked.body)
        return self.dialect.said(request) if self.dialect else request

    def _heard(
        self, number: int, ask: effects.Ask, said: Answer | errors.JorgeError, seconds: float
    ) -> effects.Input:
        if isinstance(said, errors.JorgeError):
            return effects.Failed(number, said)
        if self.dialect:
            said = self.dialect.heard(said)
        headers = {name.lower(): value for name, value in said.headers.items()}
        try:
            body = unpacked(headers.get("content-encoding", ""), said.body)
            return effects.Done(number, codec.message_of(ask, said.status, headers, body), seconds)
        except errors.TokenExpiredError as fault:
            self.token = ""
            return effects.Failed(number, fault)
        except errors.JorgeError as fault:
            return effects.Failed(number, fault)

    def _refresh(self, life: int, number: int) -> None:
        """Several lanes share one renewal, as in sync/client.py: a refresh token counts once."""
        self._renewing.append(number)
        if len(self._renewing) > 1:
            return
        token = self.refresh_token
        body = json.dumps({"refresh_token": token}).encode()
        request = Request(
            method="POST",
            url="/api/auth/refresh",
            headers={"Content-Type": "application/json"},
            body=body,
        )

        def answered(said: Answer | errors.JorgeError) -> None:
            if self._alive(life):
                asked, self._renewing = self._renewing, []
                counts = token == self.refresh_token
                for one in asked:
                    if counts:
                        self.hear(self._renewed(one, said))
                    else:  # they signed in meanwhile
                        self._refresh(life, one)

        self.network.send(self.name, request, answered)

    def _renewed(self, number: int, said: Answer | errors.JorgeError) -> effects.Input:
        if isinstance(said, errors.JorgeError):
            return effects.Failed(number, said)
        headers = {name.lower(): value for name, value in said.headers.items()}
        try:
            answers.check(said.status, headers, said.body)
            found = answers.json_of(headers, said.body)
            self.token = str(found["access_token"])
        except errors.JorgeError as fault:
            return effects.Failed(number, fault)
        except KeyError:
            return effects.Failed(number, answers.not_ours("no sign-in answer"))
        self.refresh_token = str(found.get("refresh_token", self.refresh_token))
        return effects.Done(number, self.token)

    def _on_commit(self, touched: frozenset[str]) -> None:
        """As the shell does it: a person's write wakes the machine; the machine's own steps do not."""
        life = self.life
        if touched & {"outbox", "blobs"} and not self._stepping:
            self.woken = True

            def wake() -> None:
                self.woken = False
                if self._alive(life):
                    self.hear(effects.Wake(effects.Why.COMMIT))

            self.world.after(0, wake)

    def _look_of(self, life: int) -> Callable[[], None]:
        def look() -> None:
            if self._alive(life):
                self.shell.before_look(self)
                self.hear(effects.Wake(effects.Why.LOOK))
                self.world.after(LOOK_MS + self._rng.randrange(5 * SECOND), look)

        return look

    def poke(self) -> None:
        if self.on and self.socket:
            self.hear(effects.Wake(effects.Why.NEWS))

    def fill_disk(self, full: bool) -> None:
        pages = self.db.value("PRAGMA page_count") if full else MOST_PAGES
        self.db.value(f"PRAGMA max_page_count={pages}")


def _read(ask: effects.Ask) -> bytes:
    if not isinstance(ask, Part):
        return b""
    try:
        with ask.path.open("rb") as file:
            file.seek(ask.start)
            return file.read(ask.size)
    except OSError as fault:
        raise errors.InputError("The recording is no longer on this device.", where=ask.path.name) from fault


def _told(value: Any) -> str:
    """A step's value in few words that are the same in each run."""
    if value is None or isinstance(value, bool | int | list):
        return str(value)
    names = [
        name for name in ("rows", "more", "safe", "parked", "stuck", "limit", "sent") if hasattr(value, name)
    ]
    push = getattr(value, "push", None)
    told = f"mids={[one.mid for one in push.mutations]}" if push else ""
    return " ".join([*(f"{name}={getattr(value, name)}" for name in names), told]).strip()
