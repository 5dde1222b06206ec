"""A queue of changes and a server that judges them, both on their own: for tests of the order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from domain import wire
from domain.wire import Op, Status
from storage import amend, batches, database, outbox, outbox_writes, pushed
from storage.outbox import Line, State

ROWS = [f"019a0000-0000-7000-8000-00000000000{n}" for n in "abc"]
Judge = Callable[[Sequence[wire.Mutation]], str]
"""What a server says of an action: "" = applied, "retry", or the code of its refusal."""


def made(line: Line) -> int:
    """Which change it was, counted as they were made: told by its time."""
    return line.mutation.edit_ms


def builds_on(later: wire.Mutation, earlier: wire.Mutation) -> bool:
    """Said once more, in the words of the design."""
    if (later.table, later.row_id) != (earlier.table, earlier.row_id):
        return False
    whole = Op.PATCH not in (later.op, earlier.op) or {later.op, earlier.op} != {Op.PATCH}
    return whole or bool(later.patch.keys() & earlier.patch.keys())


@dataclass(slots=True)
class Server:
    """Each number once. What follows a refused change of its row in the same push is refused with it."""

    known: dict[int, wire.Result] = field(default_factory=dict)
    said: dict[int, int] = field(default_factory=dict)
    applied: list[wire.Mutation] = field(default_factory=list)

    def push(self, sent: Sequence[wire.Mutation], judge: Judge) -> list[wire.Result]:
        blocked, results = set[str](), list[wire.Result]()
        for group in dict.fromkeys(one.group for one in sent):
            members = [one for one in sent if one.group == group]
            for one in members:
                assert self.said.setdefault(one.mid, one.edit_ms) == one.edit_ms, "a number used twice"
            some = self._judged(members, blocked, judge)
            results += some
            blocked |= {one.row_id for one, r in zip(members, some, strict=True) if r.status is Status.PARKED}
        return results

    def _judged(self, group: list[wire.Mutation], blocked: set[str], judge: Judge) -> list[wire.Result]:
        if all(one.mid in self.known for one in group):
            return [self.known[one.mid] for one in group]
        code = "depends" if any(one.row_id in blocked for one in group) else judge(group)
        if code == "retry":
            return [wire.Result(mid=one.mid, status=Status.RETRY) for one in group]
        if code:
            results = [wire.Result(mid=one.mid, status=Status.PARKED, code="group") for one in group]
            results[-1] = wire.Result(mid=group[-1].mid, status=Status.PARKED, code=code)
        else:
            results = [wire.Result(mid=one.mid, status=Status.APPLIED, ver=one.mid) for one in group]
            self.applied += group
        self.known |= {result.mid: result for result in results}
        return results


@dataclass(slots=True)
class Queue:
    store: database.Database
    server: Server = field(default_factory=Server)
    count: int = 0
    dropped: set[int] = field(default_factory=set)
    under_way: list[wire.Mutation] = field(default_factory=list)

    def add(self, *changes: tuple[int, str], urgent: bool = False) -> None:
        """One action: (number of the row, field) of each change; the fields "put" and "delete" are the row's own."""
        group = f"g{self.count}"
        with self.store.write_tx() as tx:
            for row, name in changes:
                self.count += 1
                change = self._change(group, ROWS[row], name)
                earlier = outbox.of_row(tx, "leads", ROWS[row])
                outbox_writes.add(tx, change, earlier=earlier, urgent=urgent)

    def _change(self, group: str, row_id: str, name: str) -> wire.Mutation:
        op = {"put": Op.PUT, "delete": Op.DELETE}.get(name, Op.PATCH)
        patch = {name: str(self.count)} if op is Op.PATCH else {}
        return wire.Mutation(
            mid=0,
            group=group,
            table="leads",
            row_id=row_id,
            op=op,
            patch=patch,
            base_ver=0,
            base={},
            edit_ms=self.count,
            seen_server_ms=0,
        )

    def take(self, limit: int = 200) -> list[wire.Mutation]:
        with self.store.write_tx() as tx:
            self.under_way = [line.mutation for line in batches.take(tx, limit=limit, now_ms=0)]
        return self.under_way

    def answer(self, judge: Judge = lambda group: "", *, lost: bool = False) -> None:
        """The server's word to what is under way; `lost`: nobody hears it."""
        results = self.server.push(self.under_way, judge)
        if not lost:
            said = wire.PushAnswer(results=results, server_ms=1, incarnation="i")
            with self.store.write_tx() as tx:
                pushed.apply(tx, self.under_way, said, now_ms=1)
        self.under_way = []

    def send(self, judge: Judge = lambda group: "") -> list[int]:
        """What one push carries, as they were made."""
        sent = [one.edit_ms for one in self.take()]
        self.answer(judge)
        return sent

    def again(self, *numbers: int) -> None:
        with self.store.write_tx() as tx:
            amend.send_again(tx, self.lines(numbers))

    def drop(self, *numbers: int) -> list[Line]:
        with self.store.write_tx() as tx:
            gone = amend.take_out(tx, self.lines(numbers))
        self.dropped |= {made(line) for line in gone}
        return gone

    def put_back(self, gone: Sequence[Line]) -> None:
        with self.store.write_tx() as tx:
            amend.put_back(tx, gone)
        self.dropped -= {made(line) for line in gone}

    def lines(self, numbers: Iterable[int] | None = None) -> list[Line]:
        """Unconfirmed ones in order: all, or of these numbers."""
        found = sorted(outbox.listed(self.store, limit=10_000), key=lambda line: line.mid)
        wanted = None if numbers is None else set(numbers)
        return [line for line in found if wanted is None or made(line) in wanted]

    @property
    def parked(self) -> dict[int, str]:
        """Code of each that is parked."""
        return {made(line): line.code for line in self.lines() if line.state is State.PARKED}

    @property
    def order(self) -> list[int]:
        return [made(line) for line in self.lines()]
