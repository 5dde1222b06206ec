"""One signed-in person in this process: their store, services and sync, shared by all of their windows."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from devices import clock as clocks
from devices import connectivity, launcher, locator, recorder, transcriber
from domain import errors, ports
from services import session as services_of
from services.here import Here
from services.live_figures import LiveFigures
from services.user import User
from speech import models
from storage import ballast, cursor, database
from sync import client, devices_list, downloads, engine, live, login, nudge, schedule, session
from views import context
from wiring import metering
from wiring.watching import Watching

LOG = logging.getLogger(__name__)
QUIET_SECONDS = 20.0  # a running recording is written every second


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What all people in this process share: the line, the clock, the speech engine. No data of anybody."""

    data: Path
    http: httpx.AsyncClient
    clock: ports.Clock
    secrets: ports.Secrets
    transcriber: ports.Transcriber
    models: models.ModelStore


def shared(data: Path, server_url: str, secrets: ports.Secrets, model_folder: Path | None) -> Shared:
    store = models.ModelStore(root=data / "models", folder=model_folder)
    return Shared(
        data=data,
        http=client.open_http(server_url),
        clock=clocks.SystemClock(),
        secrets=secrets,
        transcriber=transcriber.choose(store.resolve),
        models=store,
    )


class NoLauncher:
    """Stands in where no window is open: background work never calls anybody."""

    async def call(self, phone: str) -> None:
        raise _no_window()

    async def text(self, phone: str, body: str = "") -> None:
        raise _no_window()

    async def mail(self, address: str) -> None:
        raise _no_window()

    async def navigate(self, lat: float, lon: float) -> None:
        raise _no_window()


def _no_window() -> errors.DeviceError:
    return errors.DeviceError("No window is open.", where="launcher", hint="Open the app and try again.")


@dataclass(slots=True)
class Workplace:
    """Opened at the first sign-in of a person in this process, closed at the last sign-out."""

    shared: Shared
    user: User
    db: database.Database
    tokens: session.Session
    sync: engine.Engine
    timers: schedule.Schedule
    services: services_of.Services
    board: context.Board
    watching: Watching
    demo: bool = False
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    @classmethod
    def open(cls, shared: Shared, user: User, store: Path) -> Workplace:
        """Raises: NotADatabaseError, StoreTooNewError, DiskFullError; the file stays as it is."""
        store.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        db = database.open_store(store)
        tokens = session.Session(shared.secrets, shared.clock, user.id)
        sync = engine.Engine(db, client.Client(shared.http, tokens), shared.clock)
        heard = downloads.Downloads(db=db, line=sync.line, clock=shared.clock)
        heard.sweep()
        lent = services_of.Ports(
            launcher=NoLauncher(),
            transcriber=shared.transcriber if transcriber.has_engine() else None,
            check_audio=_check_audio(),
            repair=recorder.recover,
            models=shared.models,
            sync=sync,
            folders={"models": shared.data / "models"},
            devices=devices_list.DeviceList(line=sync.line),
            recordings=heard,
        )
        made = cls(
            shared=shared,
            user=user,
            db=db,
            tokens=tokens,
            sync=sync,
            timers=schedule.Schedule(sync, shared.clock),
            services=services_of.open_services(db, user, shared.clock, lent),
            board=context.Board(),
            watching=Watching(
                live.Live(db=db, line=sync.line, wanted=lambda: not sync.status().forced_offline)
            ),
            demo=cursor.place(db).demo,
        )
        sync.subscribe(made.show_status)
        made.show_status()
        return made

    def start(self) -> None:
        """Sync, timers and transcription run from here on, whatever windows are open."""
        self.timers.start()
        for work in (
            self.sync.serve(),
            nudge.listen(self.sync.line, self.sync),
            self._transcribe(),
        ):
            self.tasks.append(asyncio.create_task(_logged(work)))

    async def _transcribe(self) -> None:
        """Recordings that a crash left behind come first."""
        await self.services.notes.recover()
        await self.services.transcription.run()

    async def housekeeping(self) -> None:
        """Recordings of windows that were closed become notes; room is kept for the last change on a full disk."""
        ballast.load(self.db.path)
        await self.services.notes.recover(quiet_seconds=QUIET_SECONDS)

    async def close(self) -> None:
        self.board.update(ended=True)  # windows that are still open ask for the sign-in
        self.timers.stop()
        self.watching.stop()
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        self.sync.close()
        self.db.close()

    async def sign_out(self) -> None:
        """The server forgets this device's tokens if it answers; the store stays."""
        await login.log_out(self.sync.line)

    def show_status(self) -> None:
        """What the engine knows, on the frame of every window."""
        status, as_of = self.sync.status(), self.services.desk.as_of()
        self.board.update(
            online=status.online,
            forced=status.forced_offline,
            sending=status.running,
            waiting=status.pending + status.parked + status.files,
            needs_you=self.services.sync_centre.lamps().needs_you,
            lost=self.services.conflicts.count_lost(),
            as_of=as_of.astimezone(self.services.desk.zone()) if as_of else None,
            heard_at=status.last_contact_at,
            needs_sign_in=status.needs_sign_in,
        )

    async def _meter(self, network: ports.Connectivity) -> None:
        await metering.watch(self.db, self.services.settings, network, self.sync.metered)

    def now(self) -> datetime:
        """On this person's wall clock: their first location's."""
        return self.shared.clock.now().astimezone(self.services.desk.zone())

    def window(self, page: Any) -> tuple[object, ...]:
        """The services of one window: the same store and work, with this page's own hardware."""
        notes = replace(self.services.notes, recorder=recorder.for_page(page, self.shared.clock))
        mine = replace(
            self.services,
            notes=notes,
            contact=replace(self.services.contact, launcher=launcher.FletLauncher()),
            leads=replace(self.services.leads, notes=notes),
        )
        if network := connectivity.for_page(page):
            page.run_task(self._meter, network)
        here = Here(locator=locator.FletLocator(self.shared.clock), settings=mine.settings)
        return (*mine.all(), here, LiveFigures(start=self.watching.start))


def _check_audio() -> Callable[[Path], float]:
    if not transcriber.has_engine():
        return services_of.no_check
    from speech import audio  # the decoder has no wheel on phones

    return lambda path: audio.inspect(path).seconds


async def _logged(work: Coroutine[Any, Any, object]) -> None:
    """A loop that ends by a fault says so; the app goes on."""
    try:
        await work
    except asyncio.CancelledError:
        raise
    except Exception:
        LOG.exception("app.background_ended")
