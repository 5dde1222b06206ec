"""The promises of the design (sync.md, 4), I1 … I14: some are held against every step, the others when all is quiet.

| | promise | when |
|---|---|---|
| I1 | each change that a store kept reaches the server's history, once; or it is listed, or a person let it go | at rest |
| I2 | replicas are equal to the server's rows of their locations, and so are the sums | at rest |
| I3 | no row outside the locations granted, on a device after the page that said so, nor ever on the wire | always |
| I4 | the queue is empty, or what is left is listed; recordings are on the server, or listed | at rest |
| I5 | a conflict record for each divergent change, with both values; none without | at rest |
| I6 | versions never go back; one's own work stays in sight; no half action is seen | always |
| I7 | local work is never refused for the network's sake | always |
| I8 | whatever waits has a timer, and all comes to rest | always, at rest |
| I9 | a reader of the feed has what the server has | at rest |
| I10 | the same seed gives the same run | tests |
| I11 | an idle phone asks little | at rest |
| I12 | a wrong clock counts as no later than arrival, no earlier than what was seen | at rest |
| I13 | what is deleted stays deleted, unless a person brings it back | at rest |
| I14 | an opt-out is never undone, and reaches every lead with that number or e-mail | at rest |
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from domain import digests, tables, wire
from storage import agreed, blobs, cursor, outbox, rows
from sync import steps
from tests.simulation import history, versions
from tests.simulation.http import Answer, Request, unpacked
from tests.simulation.phone import Phone
from tests.simulation.reader import Reader
from tests.simulation.replicas import base_rows, last_values, view_rows, why_restless
from tests.simulation.world import MINUTE, Violation

if TYPE_CHECKING:
    from tests.simulation.sim import Sim

Key = tuple[str, str]
_WATCHED = (steps.KeepPage, steps.KeepAnswer, steps.StartOver, steps.Fork, steps.Park)
_IDLE_MINUTES = 10
_IDLE_REQUESTS = 3 * _IDLE_MINUTES
_IDLE_BYTES = 1_500 * _IDLE_REQUESTS


_VERSIONS = " UNION ALL ".join(
    f"SELECT '{table.name}', r.id, coalesce(s.ver, r._ver), r.location_id FROM {table.name} AS r"  # noqa: S608
    f" LEFT JOIN shadow AS s ON s.tbl = '{table.name}' AND s.id = r.id"
    for table in tables.ALL
)


def _is_no_news(step: object) -> bool:
    """A page that says nothing: every second step is one, and what it spoils the next watched step sees."""
    if not isinstance(step, steps.KeepPage):
        return False
    page = step.page
    return not (page.blocks or page.changes or page.removed or page.total or page.scopes is not None)


_COPIES = ("clone", "restore_backup")
_ROUNDS = 60
_FILES_ARE_REFUSED = ("file_gone", "file_changed", "restore_backup", "clone")
"""Without these no recording may wait for a person."""
_FILES_STAY = ("clone", "restore_backup", "torn wal", "update_app")
"""After these a store does not know what it had written to the disk beside it."""
_COMPARED = ("failover", "restore_point", "prune", "stamper_dead", "update_app")
"""After these the comparison is the way to go on; else it must find nothing to mend."""


@dataclass(slots=True)
class Checks:
    sim: Sim
    reader: Reader | None = None
    _vers: dict[str, dict[Key, int]] = field(default_factory=dict)
    _lives: dict[str, str] = field(default_factory=dict)
    _held: dict[str, frozenset[str]] = field(default_factory=dict)
    _known_safe: dict[str, set[int]] = field(default_factory=dict)
    _spoilt: set[Key] = field(default_factory=set)

    # Always

    def on_answer(self, who: str, request: Request, answer: Answer) -> None:
        """I3: what the server sends belongs to the asker's locations."""
        if answer.status == 426 and request.path == "/api/sync/push":
            raise Violation(
                "I4", f"{who}'s work is shut up in it: the server takes no change of this release"
            )
        if answer.status != 200 or not request.path.startswith("/api/sync/"):
            return
        user = next(phone.user_id for phone in self.sim.phones if phone.name == who)
        allowed = self.sim.server.locations_of(user)
        said = json.loads(unpacked(answer.headers.get("Content-Encoding", ""), answer.body))
        for block in said.get("blocks", []):
            if "location_id" in block["columns"]:
                place = block["columns"].index("location_id")
                self._allowed({row[place] for row in block["rows"]}, allowed, who)
        if request.path.endswith("/push"):
            for result in wire.PushAnswer.from_json(said).results:
                self._result(result, allowed, who)

    def _result(self, result: wire.Result, allowed: frozenset[str], who: str) -> None:
        self.sim.world.count(f"status:{result.status.value}")
        if result.code:
            self.sim.world.count(f"code:{result.code}")
        if result.row is not None and result.row.values:
            self._allowed({result.row.values["location_id"]}, allowed, who)

    def _allowed(self, found: set[Any], allowed: frozenset[str], who: str) -> None:
        if found - allowed:
            raise Violation("I3", f"the server sent {who} rows of {sorted(found - allowed)}")

    def after_step(self, phone: Phone, step: object) -> None:
        if isinstance(step, steps.Fork):
            self._has_a_name_of_its_own(phone)
        if isinstance(step, steps.Fork) or self._lost_a_location(phone):
            self._forgets_of_its_journal(phone)
        if isinstance(step, _WATCHED) and not _is_no_news(step):
            acked = phone.db.rows("SELECT mid FROM outbox WHERE state = 'acked'")
            self._known_safe.setdefault(phone.name, set()).update(row["mid"] for row in acked)
            self._rows_are_allowed_and_new(phone)
            self._sees_own_work(phone)
            self._whole_actions(phone)

    def after_work(self, phone: Phone) -> None:
        if phone.on:
            self._sees_own_work(phone)

    def _rows_are_allowed_and_new(self, phone: Phone) -> None:
        """I3: only of the locations granted by the last page; I6: no version goes back within one life."""
        place = cursor.place(phone.db)
        meets_again = agreed.wanted(phone.db) is agreed.Want.ALL
        if self._lives.get(phone.name) != place.incarnation or meets_again:
            self._lives[phone.name] = place.incarnation
            self._vers[
                phone.name
            ] = {}  # another life of the server: its word counts, even where ours is newer
        known = self._vers[phone.name]
        own: set[Key] | None = None
        for name, row_id, ver, location in phone.db.each(_VERSIONS):
            key = (name, row_id)
            if place.scopes is not None and location not in place.scopes:
                own = own or {line.row for line in outbox.listed(phone.db, limit=100_000)}
                granted = self.sim.server.locations_of(
                    phone.user_id
                )  # an answer may know more than the last page
                if key not in own and location not in granted:
                    raise Violation("I3", f"{phone.name} keeps {key} of no location of theirs")
            before = known.get(key, 0)
            if 0 <= ver < before:
                raise Violation("I6", f"{phone.name} fell back to version {ver} of {key}, had {before}")
            if ver > before and not meets_again:
                known[key] = ver

    def _has_a_name_of_its_own(self, phone: Phone) -> None:
        """I1: two stores of one name would take each other's numbers."""
        name = cursor.device(phone.db)
        if any(name == cursor.device(one.db) for one in self.sim.phones if one is not phone and one.on):
            raise Violation("I1", f"{phone.name} goes on under the name of the phone that it is a copy of")

    def _lost_a_location(self, phone: Phone) -> bool:
        before, now = self._held.get(phone.name, frozenset()), cursor.place(phone.db).scopes or frozenset()
        self._held[phone.name] = now
        return not before <= now

    def _forgets_of_its_journal(self, phone: Phone) -> None:
        """What has to go with its former name, or with a location: if the server loses it, it can't be sent once more."""
        kept = [(line.row, line.mutation.patch) for line in outbox.listed(phone.db, limit=100_000)]
        for written in self.sim.ledger.written:
            if written.phone == phone.name and not any(written.is_of(*one) for one in kept):
                written.only_there = True

    def before_look(self, phone: Phone) -> None:
        """I8: between two looks, what waits is under way or has a timer, unless only a person can help."""
        machine = phone.machine
        moves = phone.woken or machine.running or machine.armed
        excused = machine.status.needs_sign_in or machine.up.asleep
        if not (moves or excused) and outbox.counts(phone.db).pending:
            raise Violation("I8", f"{phone.name} has changes that wait, and nothing will wake them")

    def _sees_own_work(self, phone: Phone) -> None:
        waiting: dict[Key, list[outbox.Line]] = {}
        listed = sorted(outbox.listed(phone.db, limit=100_000), key=lambda line: line.mutation.mid)
        under_way = {line.row for line in listed if line.state is not outbox.State.PARKED}
        for line in listed:
            if line.row in under_way:  # what was refused since is shown as well, until its person lets it go
                waiting.setdefault(line.row, []).append(line)
        safe = self._known_safe.get(phone.name, set())
        for (name, row_id), lines in waiting.items():
            if (name, row_id) in self._spoilt or any(line.mutation.mid in safe for line in lines):
                continue  # sent once more to a server of an earlier day: others may have written since
            if any(line.mutation.schema != wire.SCHEMA for line in lines):
                continue  # in an older app's words: shown again when the server has answered
            self._shows(phone, (name, row_id), lines)

    def _shows(self, phone: Phone, key: Key, lines: list[outbox.Line]) -> None:
        table = tables.BY_NAME[key[0]]
        shown = rows.get(phone.db, table, key[1])
        if lines[-1].mutation.op is wire.Op.DELETE:
            if shown is not None:
                raise Violation("I6", f"{phone.name} still shows {key}, deleted by its person")
        elif shown is not None:  # else deleted by somebody else: the server says what becomes of the edit
            for one, value in last_values(table, lines).items():
                if shown[1].get(one) != value:
                    raise Violation(
                        "I6", f"{phone.name} shows {one}={shown[1].get(one)!r} of {key}, not {value!r}"
                    )

    def _whole_actions(self, phone: Phone) -> None:
        """A lead and its task that were made in one action come together."""
        place = cursor.place(phone.db)
        if not place.first_complete or place.first_total:
            return
        if agreed.wanted(phone.db):
            return  # its feed was lost: rows come by comparison, table by table, as in a load
        server = self.sim.server
        touched = {line.row[1] for line in outbox.listed(phone.db, limit=100_000)}
        for lead_id, task_id in self.sim.ledger.pairs.items():
            if touched & {lead_id, task_id}:
                continue
            lead = phone.db.value("SELECT 1 FROM leads WHERE id = ?", (lead_id,))
            task = phone.db.value("SELECT 1 FROM tasks WHERE id = ?", (task_id,))
            if (
                lead
                and not task
                and server.is_untouched("tasks", task_id)
                and server.is_untouched("leads", lead_id)
            ):
                raise Violation("I6", f"{phone.name} sees lead {lead_id} without the task of the same action")

    def forget(self, phone: Phone) -> None:
        """A restored backup: what it had seen, it has not seen."""
        for seen in (self._lives, self._known_safe):
            seen.pop(phone.name, None)

    def rewound(self) -> None:
        """The server lost its last commits. What a phone had to forget with a location, it can't send once more."""
        counts = self.sim.world.counts
        copied = any(counts[f"fault:{kind}"] for kind in ("revoke", "move", *_COPIES))
        phones = {phone.name: phone for phone in self.sim.phones if phone.on}
        journal = [
            (line.row, line.mutation.patch)
            for phone in phones.values()
            for state in (None, outbox.State.ACKED)
            for line in outbox.listed(phone.db, state=state, limit=100_000)
        ]
        for written in self.sim.ledger.written:
            row, phone = written.line.row, phones.get(written.phone)
            gone = phone is not None and rows.get(phone.db, tables.BY_NAME[row[0]], row[1]) is None
            if (copied or gone) and not any(written.is_of(*one) for one in journal):
                written.excused = written.excused or "the journal went with the row"

    def spoil(self, phone: Phone, column: str, value: str) -> None:
        """The newest line of the queue is damaged; what it said can't be expected any more."""
        mid = phone.db.value("SELECT max(mid) FROM outbox WHERE state = 'pending'")
        if mid is None:
            return
        with phone.db.write_tx() as tx:
            tx.execute(f"UPDATE outbox SET {column} = ? WHERE mid = ?", (value, mid))  # noqa: S608
        self.sim.world.count("fault:poison")
        row = phone.db.row("SELECT tbl, row_id FROM outbox WHERE mid = ?", (mid,))
        if row is not None:
            self._spoilt.add((row["tbl"], row["row_id"]))
        for written in self.sim.ledger.written:
            if written.phone == phone.name and written.line.mutation.mid == mid:
                written.excused = "spoilt"

    # At rest

    def at_rest(self) -> None:
        sim = self.sim
        for phone in sim.phones:
            self._nothing_waits(phone)
            self._equal(phone, base_rows(phone))
        for phone in sim.phones:
            self._listed(phone)
            self._no_file_is_left(phone)
            self._no_recording_is_lost(phone)
            self._nothing_was_mended(phone)
        history.check(sim)
        if any(sim.person.bring_back(phone) for phone in sim.phones):
            sim.rest()
            history.check(sim)
        self._nobody_insists()
        for phone in sim.phones:
            self._equal(phone, view_rows(phone))
        if sim.setup.seed % 5 == 0:
            self._idle()

    def _nobody_insists(self) -> None:
        """What was refused is let go, and what goes up then and is refused in its turn."""
        for _ in range(_ROUNDS):
            for phone in self.sim.phones:
                self.sim.person.let_all_go(phone)
            self.sim.rest()
            if not any(outbox.counts(phone.db).parked for phone in self.sim.phones):
                break

    def _nothing_waits(self, phone: Phone) -> None:
        if why := why_restless(phone):
            raise Violation("I4", f"{phone.name}: {why}")

    def _nothing_was_mended(self, phone: Phone) -> None:
        """I2, without the net under it: a comparison that repairs hides a mistake of everything before it."""
        counts = self.sim.world.counts
        mended = phone.db.rows("SELECT detail FROM sync_events WHERE event = 'compare.repaired'")
        counts["rows mended"] += sum(json.loads(row["detail"])["rows"] for row in mended)
        if mended and not any(counts[f"fault:{kind}"] for kind in _COMPARED):
            raise Violation("I2", f"{phone.name} had to be mended: {mended[0]['detail']}")

    def _listed(self, phone: Phone) -> None:
        """I4: all that is not on the server is in a list that a person sees; recordings say the truth."""
        listed = {line.mutation.mid for line in outbox.listed(phone.db, limit=100_000)}
        waiting = {row["mid"] for row in phone.db.rows("SELECT mid FROM outbox WHERE state <> 'acked'")}
        if waiting - listed:
            raise Violation("I4", f"{phone.name} hides {sorted(waiting - listed)}")
        unsent = {blob.id for blob in blobs.unsent(phone.db)}
        counts = self.sim.world.counts
        living = self.sim.server.rows(frozenset(self.sim.locations))
        failed = phone.db.rows("SELECT id, note_id FROM blobs WHERE state = 'failed'")
        # The note of one may have been refused, and let go: then its recording is refused as well.
        given_up = [row["id"] for row in failed if ("notes", row["note_id"]) in living]
        if given_up and not any(counts[f"fault:{kind}"] for kind in _FILES_ARE_REFUSED):
            raise Violation("I4", f"{phone.name} gave up on recording {given_up[0]}, which is whole")
        for row in phone.db.rows("SELECT id, note_id, sha256, state FROM blobs"):
            done = [one for one in self.sim.server.uploads_of(row["note_id"]) if one == row["sha256"]]
            if row["id"] not in unsent and not done:
                raise Violation("I4", f"{phone.name} calls recording {row['id']} sent, the server has it not")

    def _no_recording_is_lost(self, phone: Phone) -> None:
        """I4: one whose note is on the server, wherever that went, is there too, or still in this phone's list."""
        if any(self.sim.world.counts[f"fault:{kind}"] for kind in (*_FILES_ARE_REFUSED, *_FILES_STAY)):
            return
        living = self.sim.server.rows(frozenset(self.sim.locations))
        kept = {row["note_id"] for row in phone.db.rows("SELECT note_id FROM blobs")}
        for note_id, path in self.sim.person.paths.items():
            mine = path.name.startswith(f"{phone.name}-") and ("notes", note_id) in living
            if mine and note_id not in kept and not self.sim.server.uploads_of(note_id):
                raise Violation("I4", f"{phone.name} lost the recording {path.name} of {note_id}")

    def _no_file_is_left(self, phone: Phone) -> None:
        """I3: of a recording that a location took along nothing is left on the disk."""
        if any(self.sim.world.counts[f"fault:{kind}"] for kind in _FILES_STAY):
            return
        named = {row["path"] for row in phone.db.rows("SELECT path FROM blobs")}
        for path in self.sim.person.paths.values():
            if path.name.startswith(f"{phone.name}-") and str(path) not in named and path.exists():
                raise Violation("I3", f"{phone.name} keeps {path.name}, and nothing names it any more")

    def _equal(self, phone: Phone, here: Mapping[Key, tuple[int, dict[str, Any]]]) -> None:
        """I2: byte by byte, and the sums with them."""
        there = self.sim.server.rows(self.sim.server.locations_of(phone.user_id))
        if here.keys() != there.keys():
            raise Violation(
                "I2",
                f"{phone.name} has {sorted(here.keys() - there.keys())[:3]} too much,"
                f" lacks {sorted(there.keys() - here.keys())[:3]}",
            )
        blind = phone.dialect is not None and not self.sim.is_of_servers_release(phone.dialect)
        for key, (ver, values) in there.items():
            table = tables.BY_NAME[key[0]]
            ours, theirs = (
                digests.canonical(table, versions.comparable(one, blind)) for one in (here[key][1], values)
            )
            if (here[key][0], ours) != (ver, theirs):
                raise Violation("I2", f"{phone.name} {key}: {here[key][0]} {ours} is not {ver} {theirs}")
        mine = digests.total(digests.row_hash(key[1], ver) for key, (ver, _) in here.items())
        if mine != digests.total(digests.row_hash(key[1], ver) for key, (ver, _) in there.items()):
            raise Violation("I2", f"{phone.name}: equal rows, other sums")

    def _idle(self) -> None:
        """I11: ten minutes in which nobody does anything."""
        network = self.sim.network
        before = {name: (one.requests, one.bytes) for name, one in network.traffic.items()}
        self.sim.world.run(self.sim.world.now_ms + _IDLE_MINUTES * MINUTE)
        for name, (requests, size) in before.items():
            now = network.traffic[name]
            if now.requests - requests > _IDLE_REQUESTS or now.bytes - size > _IDLE_BYTES:
                raise Violation(
                    "I11", f"{name} idles with {now.requests - requests} requests, {now.bytes - size} bytes"
                )
