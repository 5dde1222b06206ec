"""From the outbox and the recordings to what a person reads: what, whose, since when, and where it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from domain import ids, tables, wire
from services import sync_words
from services.desk import Desk
from services.sync_centre.values import ParkedChange, ParkedItem, WaitingItem, Why
from services.sync_words import SyncWord
from storage import batches, blobs, leads, outbox, outbox_words, pushed, rebase, rows

_OWN = {"id", "score", "temperature", "proposals", "audio_sha256", "created_at", "location_id", "agent_id"}

_ANY_SIZE = 1 << 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Reads for one picture of the screen; `names` of leads are looked up once."""

    desk: Desk

    def waiting(self, sounds: Sequence[blobs.Blob], *, limit: int) -> tuple[WaitingItem, ...]:
        """One page in the order of sending: changes under way, then urgent ones, then the rest; recordings beside them, last."""
        lines = batches.next_batch(self.desk.db, limit=limit, max_bytes=_ANY_SIZE)
        lines.sort(key=lambda line: line.state is not outbox.State.INFLIGHT)
        free = [blob.id for blob in blobs.waiting(self.desk.db, limit=limit)]
        place = {blob_id: number for number, blob_id in enumerate(free)}
        queue = sorted(sounds, key=lambda sound: place.get(sound.id, len(place)))
        return (
            *map(self.line, lines[:limit]),
            *(self.sound(sound, sound.id not in place) for sound in queue[:limit]),
        )

    def line(self, line: outbox.Line) -> WaitingItem:
        values = self._values(line)
        lead_id = lead_of(line, values)
        return WaitingItem(
            id=str(line.mid),
            table=line.mutation.table,
            row_id=line.mutation.row_id,
            lead_id=lead_id,
            lead_name=self._lead_name(lead_id),
            title=outbox_words.human(line, values),
            what=tuple((name, value) for name, value in line.mutation.patch.items() if name not in _OWN),
            made_at=time_of(line.mutation.edit_ms),
            word=sync_words.unsent(self.desk.sync.status(), sending=line.state is outbox.State.INFLIGHT),
            urgent=line.urgent,
            error=line.message,
        )

    def sound(self, blob: blobs.Blob, waits_for_note: bool) -> WaitingItem:
        """A recording; `waits_for_note`: the row goes first."""
        found = rows.get(self.desk.db, tables.NOTES, blob.note_id)
        values = found[1] if found else {}
        made, lead_id = values.get("created_at"), str(values.get("lead_id") or "")
        word = self.desk.sound_word(blob)
        return WaitingItem(
            id=blob.id,
            table="blobs",
            row_id=blob.note_id,
            lead_id=lead_id,
            lead_name=self._lead_name(lead_id),
            title="Recording",
            what=(),
            # Of a note that left this device only the recording is known.
            made_at=datetime.fromisoformat(made) if made else time_of(ids.made_ms(blob.id)),
            word=word,
            size=blob.size,
            sent=blob.sent,
            why=_why(word, waits_for_note, self.desk.sync.status().metered),
            error=blob.error,
        )

    def parked(self, lines: Sequence[outbox.Line]) -> tuple[ParkedItem, ...]:
        """One for each action, its own fault first."""
        groups: dict[str, list[outbox.Line]] = {}
        for line in lines:
            groups.setdefault(line.group or str(line.mid), []).append(line)
        return tuple(self._action(group, members) for group, members in groups.items())

    def _action(self, group: str, members: Sequence[outbox.Line]) -> ParkedItem:
        first = min(members, key=lambda line: line.code == outbox.BLOCKED)
        values = self._values(first)
        lead_id = lead_of(first, values)
        return ParkedItem(
            group=group,
            title=outbox_words.human(first, values),
            table=first.mutation.table,
            row_id=first.mutation.row_id,
            lead_id=lead_id,
            lead_name=self._lead_name(lead_id),
            changes=tuple(change for line in members for change in self._changes(line)),
            code=first.code,
            message=first.message,
            blocked=first.code == outbox.BLOCKED,
            restorable=first.code == pushed.ROW_DELETED and first.mutation.op is wire.Op.PATCH,
            made_at=time_of(first.mutation.edit_ms),
            entries=sum(line.mutation.op is wire.Op.PUT for line in members),
        )

    def _changes(self, line: outbox.Line) -> list[ParkedChange]:
        change = line.mutation
        table = tables.BY_NAME[change.table]
        server = rebase.base_of(self.desk.db, table, change.row_id).values or {}
        return [
            ParkedChange(
                table=table.name, row_id=change.row_id, name=name, mine=value, server=server.get(name)
            )
            for name, value in change.patch.items()
            if name not in _OWN and not _derived(table, name)
        ]

    def _values(self, line: outbox.Line) -> Mapping[str, Any] | None:
        found = rows.get(self.desk.db, tables.BY_NAME[line.mutation.table], line.mutation.row_id)
        return found[1] if found else None

    def _lead_name(self, lead_id: str) -> str:
        return leads.names(self.desk.db, [lead_id]).get(lead_id, "") if lead_id else ""


def _why(word: SyncWord, waits_for_note: bool, metered: bool) -> Why | None:
    """What a recording waits for although there is a network."""
    if word is not SyncWord.WAITING:
        return None
    if metered:
        return Why.WIFI
    return Why.NOTE_FIRST if waits_for_note else None


def _derived(table: tables.Table, name: str) -> bool:
    """Worked out by our rules: no news to anybody, and not theirs to correct."""
    field = table.by_name.get(name)
    return field is not None and field.policy is tables.Policy.DERIVED


def lead_of(line: outbox.Line, values: Mapping[str, object] | None) -> str:
    if line.mutation.table == tables.LEADS.name:
        return line.mutation.row_id
    found = (values or line.mutation.patch).get("lead_id")
    return str(found) if found else ""


def time_of(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
