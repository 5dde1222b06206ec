"""What the users of the phones do, each action from a stream of chance of its own. All of it works with no network."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from domain import duplicates, errors, tables, values, wire
from services import conflicts, user
from services.desk import Desk
from storage import amend, blobs, edits, outbox, pushed, rows
from tests.simulation.ledger import Ledger
from tests.simulation.phone import Crashed, Phone
from tests.simulation.world import World

TWINS = "+12065550100"
STAGES = ("new", "contacted", "qualified", "lost")
Do = Callable[["Person", Phone, random.Random], str]


@dataclass(slots=True)
class Person:
    """`hot`: share of the edits that go to the same few rows, so that people meet."""

    world: World
    ledger: Ledger
    folder: Path
    hot: float = 0.5
    files: dict[str, bytes] = field(default_factory=dict)
    paths: dict[str, Path] = field(default_factory=dict)

    def act(self, phone: Phone, kind: str, rng: random.Random) -> None:
        """Raises: Violation when the phone doesn't keep the work."""
        if not phone.on:
            return
        did = ""
        try:
            did = phone.transact(lambda: getattr(self, kind)(phone, rng))
        except Crashed:
            self.ledger.step_back(phone)
            self.ledger.note(phone, "")  # it may have been kept, though nobody heard so
            return
        except (errors.RuleError, errors.NotFoundError) as fault:
            self.world.note(phone.name, kind, "is refused", fault.code)
        except errors.DiskFullError:
            self.world.count("fault:disk full")
            self.world.note(phone.name, kind, "disk full")
        for line in self.ledger.note(phone, did):
            self.world.note(phone.name, kind, line.mutation.mid, line.mutation.table, line.state.value, did)
            self.world.count(f"action:{kind}")

    def act_on(self, phone: Phone, lead_id: str, rng: random.Random) -> None:
        """One more change of this lead."""
        token = self._token()
        if rows.get(phone.db, tables.LEADS, lead_id) is not None:
            try:
                self._edit(phone, lambda edit: edit.patch("leads", lead_id, {"source": f"P {token}"}))
            except errors.DiskFullError:
                self.world.count("fault:disk full")
            self.ledger.note(phone, token)

    # New rows

    def add_lead(self, phone: Phone, rng: random.Random) -> str:
        token = self._token()
        lead = {"kind": "seller", "stage": "new", "name": f"Ann {token}", "tags": ["a", "b"]}
        return self._make(phone, rng, "leads", lead, token)

    def add_twin(self, phone: Phone, rng: random.Random) -> str:
        """Two people enter the same caller."""
        token = self._token()
        lead = {"kind": "seller", "stage": "new", "name": f"Twin {token}", "phone": TWINS}
        return self._make(phone, rng, "leads", lead, token)

    def add_twins_out(self, phone: Phone, rng: random.Random) -> str:
        """Two callers, and each once more with their no, maybe in another office; the server takes one of these two leads,
        for both have one external_id. The numbers are out all the same."""
        location, token = self._location(phone, rng), self.world.token()
        for number in (f"206555{token % 10_000:04}", TWINS[2:]) if location else ():
            named = {"kind": "seller", "stage": "new", "name": f"Caller x{self.world.token()}x"}
            said = {"location_id": location, "external_id": "taken", "opted_out": True}
            self._make(phone, rng, "leads", {**named, "phone": f"+1{number}"}, "")
            self._make(phone, rng, "leads", {**named, **said, "phone": f"Cell: {number}"}, "")
        return ""

    def add_lead_with_task(self, phone: Phone, rng: random.Random) -> str:
        """One action, two rows: nobody may ever see one without the other."""
        token = self._token()
        location = self._location(phone, rng)
        if not location:
            return ""
        lead_id, task_id = self.world.new_id(), self.world.new_id()

        def do(edit: edits.Edit) -> None:
            named = {"location_id": location, "kind": "buyer", "stage": "new", "name": f"Pair {token}"}
            edit.put("leads", lead_id, named)
            task = {"location_id": location, "lead_id": lead_id, "title": f"Call {token}", "kind": "call"}
            edit.put("tasks", task_id, task)

        self._edit(phone, do)
        self.ledger.pairs[lead_id] = task_id
        return token

    def add_task(self, phone: Phone, rng: random.Random) -> str:
        return self._add_child(
            phone, rng, "tasks", lambda t: {"title": f"Do {t}", "kind": "call", "text": "x"}
        )

    def add_note(self, phone: Phone, rng: random.Random) -> str:
        return self._add_child(
            phone, rng, "notes", lambda t: {"agent_id": phone.user_id, "state": "saved", "text": f"Said {t}"}
        )

    def add_visit(self, phone: Phone, rng: random.Random) -> str:
        moment = values.time_text(phone.clock.now())
        if not 1900 < phone.clock.now().year < 2200:
            return ""
        return self._add_child(
            phone, rng, "interactions", lambda t: {"kind": "visit", "occurred_at": moment, "body": f"Was {t}"}
        )

    def record(self, phone: Phone, rng: random.Random) -> str:
        """A voice note: row and file."""
        content = rng.randbytes(rng.choice((900, 40_000, 300_000)))
        return self._record(phone, rng, content)

    def record_long(self, phone: Phone, rng: random.Random) -> str:
        """Sent in many parts."""
        return self._record(phone, rng, rng.randbytes(rng.choice((700_000, 1_500_000))))

    def record_again(self, phone: Phone, rng: random.Random) -> str:
        """The same recording a second time, in another note."""
        content = random.Random(7).randbytes(50_000)
        return self._record(phone, rng, content)

    def _record(self, phone: Phone, rng: random.Random, content: bytes) -> str:
        token, location = self._token(), self._location(phone, rng)
        if not location:
            return ""
        sha256 = hashlib.sha256(content).hexdigest()
        path = self.folder / f"{phone.name}-{token}.wav"
        path.write_bytes(content)
        note_id = self.world.new_id()
        note = {
            "location_id": location,
            "agent_id": phone.user_id,
            "state": "waiting",
            "text": f"Voice {token}",
            "audio_sha256": sha256,
            "audio_bytes": len(content),
        }
        with phone.db.write_tx() as tx:
            edits.start(tx, phone.clock.now()).put("notes", note_id, note)
            blobs.add(
                tx,
                note_id=note_id,
                location_id=location,
                path=path,
                sha256=sha256,
                size=len(content),
                media_type="audio/wav",
            )
        self.files[note_id], self.paths[note_id] = content, path
        return token

    # Changes

    def edit(self, phone: Phone, rng: random.Random) -> str:
        """One field of its own: the later edit wins."""
        token, name = self._token(), rng.choice(("name", "source", "phone", "motivation"))
        return self._patch(phone, rng, "leads", lambda row: {name: f"V {token}"}, token)

    def edit_newer(self, phone: Phone, rng: random.Random) -> str:
        """A field that older apps don't know."""
        if phone.dialect is None or phone.dialect.behind > 0:
            return ""
        token = self._token()
        return self._patch(phone, rng, "leads", lambda row: {"area": f"N {token}"}, token)

    def edit_price(self, phone: Phone, rng: random.Random) -> str:
        number = 10_000_000 + self.world.token()
        more = {"price_on": f"2026-11-{number % 28 + 1:02}"} if rng.random() < 0.5 else {}
        return self._patch(phone, rng, "leads", lambda row: {"price_cents": number, **more}, str(number))

    def edit_stage(self, phone: Phone, rng: random.Random) -> str:
        token = self._token()
        changes = {"stage": rng.choice(STAGES), "stage_reason": f"R {token}"}
        return self._patch(phone, rng, "leads", lambda row: changes, token)

    def edit_address(self, phone: Phone, rng: random.Random) -> str:
        token = self._token()
        changes = {rng.choice(("address", "city", "zip")): f"A {token}"}
        return self._patch(phone, rng, "leads", lambda row: changes, token)

    def edit_derived(self, phone: Phone, rng: random.Random) -> str:
        changes = {"score": rng.random() * 100, "answers": {"motivation": rng.randrange(5)}}
        return self._patch(phone, rng, "leads", lambda row: changes, "")

    def add_tag(self, phone: Phone, rng: random.Random) -> str:
        token = self._token()
        return self._patch(phone, rng, "leads", lambda row: {"tags": [*(row["tags"] or []), token]}, token)

    def remove_tag(self, phone: Phone, rng: random.Random) -> str:
        return self._patch(phone, rng, "leads", lambda row: {"tags": (row["tags"] or [])[1:]}, "")

    def opt_out(self, phone: Phone, rng: random.Random) -> str:
        token = self._token()

        def changes(row: Mapping[str, Any]) -> dict[str, Any]:
            return {"opted_out": True, "opted_out_words": f"stop {token}"}

        found = self._some(phone, rng, "leads")
        if found is None or found[1]["opted_out"]:
            return ""
        self._edit(phone, lambda edit: edit.patch("leads", found[0], changes(found[1])))
        return ""  # one of two at once is kept with the other's words

    def undo_opt_out(self, phone: Phone, rng: random.Random) -> str:
        return self._patch(phone, rng, "leads", lambda row: {"opted_out": False}, "")

    def edit_words(self, phone: Phone, rng: random.Random) -> str:
        """Prose: both are kept."""
        token, table = self._token(), rng.choice(("notes", "tasks"))
        if rng.random() < 0.5:
            return self._patch(phone, rng, table, lambda row: {"text": f"W {token}"}, token)
        return self._patch(phone, rng, table, lambda row: {"text": f"{row['text'] or ''} W {token}"}, token)

    def done(self, phone: Phone, rng: random.Random) -> str:
        token = self._token()
        return self._patch(phone, rng, "tasks", lambda row: {"title": f"Done {token}"}, token)

    def edit_two(self, phone: Phone, rng: random.Random) -> str:
        """One action over two leads."""
        token = self._token()
        first, second = self._some(phone, rng, "leads"), self._some(phone, rng, "leads")
        if first is None or second is None:
            return ""

        def do(edit: edits.Edit) -> None:
            edit.patch("leads", first[0], {"source": f"G {token}"})
            if second[0] != first[0]:
                edit.patch("leads", second[0], {"motivation": f"G {token}"})

        self._edit(phone, do)
        return token

    def delete(self, phone: Phone, rng: random.Random) -> str:
        table = rng.choice(("leads", "leads", "tasks", "notes"))
        found = self._some(phone, rng, table)
        if found is not None:
            self._edit(phone, lambda edit: edit.delete(table, found[0]))
        return ""

    # Decisions

    def decide(self, phone: Phone, rng: random.Random) -> str:
        """A parked change is tried again, brought back, or let go."""
        parked = outbox.listed(phone.db, state=outbox.State.PARKED)
        if not parked:
            return ""
        line = rng.choice([one for one in parked if one.code == pushed.ROW_DELETED] or parked)
        choice = rng.randrange(3)
        if choice and self._restores(phone, line):
            return ""
        with phone.db.write_tx() as tx:
            if choice == 0:
                amend.send_again(tx, outbox.lines(tx, [line.mutation.mid]))
                self.world.count("decision:sent again")
            else:
                self._let_go(phone, line)
                amend.take_out(tx, outbox.lines(tx, [line.mutation.mid]))
        self.ledger.skip(phone)
        return ""

    def bring_back(self, phone: Phone) -> bool:
        """One deleted row, with the edit that met its deletion."""
        return any(self._restores(phone, line) for line in outbox.listed(phone.db, state=outbox.State.PARKED))

    def _restores(self, phone: Phone, line: outbox.Line) -> bool:
        if line.code != pushed.ROW_DELETED or line.mutation.op is not wire.Op.PATCH:
            return False
        self._edit(phone, lambda edit: edit.restore(line.mutation.mid))
        self.ledger.restored.add(line.row)
        self.world.count("decision:restored")
        return True

    def let_all_go(self, phone: Phone) -> None:
        for line in outbox.listed(phone.db, state=outbox.State.PARKED, limit=100_000):
            with phone.db.write_tx() as tx:
                self._let_go(phone, line)
                amend.take_out(tx, outbox.lines(tx, [line.mutation.mid]))

    def _let_go(self, phone: Phone, line: outbox.Line) -> None:
        """With a row that was never made go all changes of it."""
        lines = [line]
        if line.mutation.op is wire.Op.PUT:
            lines = outbox.of_row(phone.db, *line.row)
        for one in lines:
            for written in self.ledger.written:
                if written.is_of(one.row, one.mutation.patch):
                    written.excused = "let go"
        self.world.count("decision:let go")

    def settle_conflict(self, phone: Phone, rng: random.Random) -> str:
        """A conflict is decided by the service that the screens use."""
        found = phone.db.rows("SELECT id, unit, tbl, row_id FROM conflicts WHERE status = 'open' ORDER BY id")
        found += phone.db.rows("SELECT id, unit, tbl, row_id FROM conflicts WHERE unit = 'row' ORDER BY id")[
            :1
        ]
        if not found:
            return ""
        chosen, service = rng.choice(found), conflicts.Conflicts(desk=self._desk(phone))
        if chosen["unit"] == duplicates.UNIT:
            decide = rng.choice((service.merge, service.two_people))
        else:
            decide = rng.choice((service.keep_winner, service.restore_loser))
        decide(chosen["id"])
        self.world.count(f"decision:{decide.__name__}")
        if chosen["unit"] == "row":
            self.ledger.restored.add((chosen["tbl"], chosen["row_id"]))
        return ""

    def _desk(self, phone: Phone) -> Desk:
        held = phone.db.rows("SELECT id FROM locations ORDER BY id")
        person = user.User(
            id=phone.user_id,
            name="",
            email="",
            role=user.Role.MANAGER,
            location_ids=tuple(row["id"] for row in held),
        )
        return Desk(db=phone.db, clock=phone.clock, user=person)

    # Parts

    def _token(self) -> str:
        return f"x{self.world.token()}x"

    def _edit(self, phone: Phone, do: Callable[[edits.Edit], object]) -> None:
        with phone.db.write_tx() as tx:
            do(edits.start(tx, phone.clock.now()))

    def _location(self, phone: Phone, rng: random.Random) -> str:
        found = phone.db.rows("SELECT id FROM locations ORDER BY id")
        return str(rng.choice(found)["id"]) if found else ""

    def _make(self, phone: Phone, rng: random.Random, table: str, row: dict[str, Any], token: str) -> str:
        location = self._location(phone, rng)
        if not location:
            return ""
        row_id = self.world.new_id()
        self._edit(phone, lambda edit: edit.put(table, row_id, {"location_id": location, **row}))
        return token

    def _add_child(
        self, phone: Phone, rng: random.Random, table: str, row: Callable[[str], dict[str, Any]]
    ) -> str:
        lead = self._some(phone, rng, "leads")
        if lead is None:
            return ""
        token, row_id = self._token(), self.world.new_id()
        known = {"location_id": lead[1]["location_id"], "lead_id": lead[0]}
        self._edit(phone, lambda edit: edit.put(table, row_id, {**known, **row(token)}))
        return token

    def _patch(
        self,
        phone: Phone,
        rng: random.Random,
        table: str,
        changes: Callable[[Mapping[str, Any]], dict[str, Any]],
        token: str,
    ) -> str:
        found = self._some(phone, rng, table)
        if found is None:
            return ""
        self._edit(phone, lambda edit: edit.patch(table, found[0], changes(found[1])))
        return token

    def _some(self, phone: Phone, rng: random.Random, table: str) -> tuple[str, dict[str, Any]] | None:
        found = phone.db.rows(f"SELECT id FROM {table} ORDER BY id")  # noqa: S608 - a name of ours
        if not found:
            return None
        chosen = found[: 2 if rng.random() < self.hot else len(found)]
        row_id = rng.choice(chosen)["id"]
        known = rows.get(phone.db, tables.BY_NAME[table], row_id)
        return None if known is None else (row_id, known[1])
