"""All services of one signed-in person, put together: main.py hands in the ports, screens take what they need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from domain import errors, ports
from services import (
    conflicts,
    contact,
    devices,
    hearing,
    kpis,
    leads,
    nearby,
    notes,
    places,
    search,
    settings,
    sync_centre,
    tasks,
)
from services.desk import Desk
from services.ports import CheckAudio, DeviceList, NoSync, Recordings, RepairAudio, SpeechModels, SyncControl
from services.progress import Progress
from services.transcription import Transcription
from services.user import Role, User
from storage import database

__all__ = ["Role", "Services", "User", "open_services"]


def no_check(path: Path) -> float:
    """For a device that can't decode audio. Raises: NoEngineError always."""
    raise errors.NoEngineError("This device can't decode audio.", where=path.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """What the machine and the outside lend to one session; None = this device has none."""

    launcher: ports.Launcher
    recorder: ports.Recorder | None = None
    transcriber: ports.Transcriber | None = None
    check_audio: CheckAudio = no_check
    repair: RepairAudio | None = None
    models: SpeechModels | None = None
    sync: SyncControl = field(default_factory=NoSync)
    recordings: Recordings | None = None
    folders: Mapping[str, Path] = field(default_factory=dict)
    devices: DeviceList | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """One person's services, by name."""

    desk: Desk
    nearby: nearby.Nearby
    places: places.Places
    leads: leads.Leads
    contact: contact.Contact
    tasks: tasks.Tasks
    search: search.Search
    notes: notes.Notes
    hearing: hearing.Hearing
    transcription: Transcription
    conflicts: conflicts.Conflicts
    sync_centre: sync_centre.SyncCentre
    kpis: kpis.Kpis
    devices: devices.Devices
    settings: settings.Settings

    @property
    def user(self) -> User:
        return self.desk.user

    def all(self) -> tuple[object, ...]:
        """Every service, for whoever looks one up by its class."""
        return tuple(getattr(self, name) for name in self.__dataclass_fields__ if name != "desk")


def open_services(db: database.Database, user: User, clock: ports.Clock, lent: Ports) -> Services:
    """Wires the services over one open store."""
    desk = Desk(db=db, clock=clock, user=user, sync=lent.sync)
    heard = Progress("transcription")
    where = places.Places(desk=desk)
    decided = conflicts.Conflicts(desk=desk)
    written = notes.Notes(
        desk=desk, recorder=lent.recorder, check_audio=lent.check_audio, progress=heard, repair=lent.repair
    )
    to_do = tasks.Tasks(desk=desk)
    return Services(
        desk=desk,
        nearby=nearby.Nearby(desk=desk),
        places=where,
        leads=leads.Leads(desk=desk, places=where, tasks=to_do, notes=written, conflicts=decided),
        contact=contact.Contact(desk=desk, launcher=lent.launcher),
        tasks=to_do,
        search=search.Search(desk=desk),
        notes=written,
        hearing=hearing.Hearing(desk=desk, recordings=lent.recordings, progress=Progress("hearing")),
        transcription=Transcription(desk=desk, transcriber=lent.transcriber, progress=heard),
        conflicts=decided,
        sync_centre=sync_centre.SyncCentre(desk=desk, conflicts=decided, folders=lent.folders),
        kpis=kpis.Kpis(desk=desk),
        devices=devices.Devices(desk=desk, source=lent.devices),
        settings=settings.Settings(desk=desk, models=lent.models),
    )
