"""What each named fault of faults.py does to a running simulation."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING

from domain import wire
from storage import outbox
from sync import file_steps, steps
from tests.simulation import server_faults, updates
from tests.simulation.faults import Act
from tests.simulation.phone import Moment, Phone
from tests.simulation.world import DAY, HOUR, MINUTE, SECOND

if TYPE_CHECKING:
    from tests.simulation.sim import Sim

ON_THE_LINE = frozenset(
    "cut_request cut_answer lost_answer half_open captive drip slow_line offline duplicate late replay swap storm"
    " poke_lost poke_twice".split()
)
_STEADY = frozenset({"offline", "half_open", "captive", "storm", "slow_line"})


def suffer(sim: Sim, phone: Phone, act: Act, rng: random.Random) -> None:
    """Begin this fault; what lasts ends by itself."""
    if act.kind in ON_THE_LINE:
        share = 1.0 if act.kind in _STEADY else rng.choice((0.3, 0.6, 1.0))
        sim.network.trouble(act.kind, phone.name, act.seconds, act.seed, share)
        return
    if known := server_faults.BY_KIND.get(act.kind):
        known(sim, phone, act, rng)
    else:
        _BY_KIND[act.kind](sim, phone, act, rng)


def all_off(sim: Sim) -> None:
    sim.network.quiet()
    sim.server.all_off()
    sim.finish_long()
    sim.stamper_dead_until = 0
    for phone in sim.phones:
        phone.tear = None
        phone.moments.clear()
        if phone.on:
            phone.fill_disk(False)


def _crash(sim: Sim, phone: Phone, act: Act, rng: random.Random) -> None:
    """Between two transactions, perhaps with a request under way."""
    if phone.on:
        sim.world.count("fault:crash")
        sim.world.after(rng.choice((0, 1, 2, 5, 40)), lambda: phone.crash() if phone.on else None)


def _tear(sim: Sim, phone: Phone, act: Act, rng: random.Random) -> None:
    """No power in the middle of the next transaction."""
    phone.tear = rng


def _disk_full(sim: Sim, phone: Phone, act: Act, rng: random.Random) -> None:
    if phone.on:
        life = phone.life
        phone.fill_disk(True)
        sim.world.after(
            act.seconds * SECOND, lambda: phone.fill_disk(False) if phone.on and phone.life == life else None
        )


def _poke_early(sim: Sim, phone: Phone, act: Act, rng: random.Random) -> None:
    """Before what it is about can be read."""
    sim.world.count("fault:poke_early")
    for number in range(3):
        sim.world.after(number * 300, phone.poke)


def _kill_loading(sim: Sim, phone: Phone, act: Act, rng: random.Random) -> None:
    """In the middle of a first load: a page is kept, and nobody is told."""
    fresh = sim.add_phone(phone.user_id)
    _kill_after(sim, fresh, act, lambda step: isinstance(step, steps.KeepPage) and step.page.total > 0)


def _kill_dropping(sim: Sim, phone: Phone, act: Act, rng: random.Random) -> None:
    """When the rows of a lost location have just gone."""
    server_faults.revoke(sim, phone, act, rng)
    _kill_after(
        sim, phone, act, lambda step: isinstance(step, steps.KeepPage) and step.page.scopes is not None
    )


def _kill_hashing(sim: Sim, phone: Phone, act: Act, rng: random.Random) -> None:
    """While a recording is looked at before it goes."""
    _kill_after(sim, phone, act, lambda step: isinstance(step, file_steps.CheckFile))


def _kill_after(sim: Sim, phone: Phone, act: Act, wanted: Callable[[object], bool]) -> None:
    def kill() -> None:
        sim.world.count(f"fault:{act.kind}")
        phone.crash()

    phone.moments.append(Moment(wanted, kill))


# Clocks


def _clock_in_push(sim: Sim, phone: Phone, act: Act, rng: random.Random) -> None:
    """It steps while changes are on their way."""

    def step() -> None:
        sim.world.count("fault:clock_in_push")
        phone.clock.wrong_ms += rng.choice((-DAY, -HOUR, HOUR, DAY))

    phone.moments.append(Moment(lambda ask: isinstance(ask, wire.Push), step))


def _clock(sizes: tuple[int, ...]) -> Callable[[Sim, Phone, Act, random.Random], None]:
    def step(sim: Sim, phone: Phone, act: Act, rng: random.Random) -> None:
        sim.world.count(f"fault:{act.kind}")
        phone.clock.wrong_ms = rng.choice(sizes) * rng.choice((1, -1))

    return step


def _reboot(sim: Sim, phone: Phone, act: Act, rng: random.Random) -> None:
    """Monotonic time begins anew."""
    if phone.on:
        sim.world.count("fault:reboot")
        phone.clock.booted_ms = sim.world.now_ms
        phone.crash()


# Copies and poison


def _restore_backup(sim: Sim, phone: Phone, act: Act, rng: random.Random) -> None:
    """The phone comes back as it was some minutes ago."""
    if not phone.on:
        return
    copy, marked, dialect = phone.copy(), sim.world.now_ms, phone.dialect

    def restore() -> None:
        if not phone.on or sim.settled:
            return
        sim.world.count("fault:restore_backup")
        sim.world.note(phone.name, "is restored from a backup")
        kept = [
            (line.row, line.mutation.patch)
            for line in outbox.listed(phone.db, state=outbox.State.ACKED, limit=100_000)
        ]
        for written in sim.ledger.written:
            mine = written.phone == phone.name and written.at_ms >= marked
            if mine and not any(written.is_of(*one) for one in kept):
                written.excused = written.excused or "lost with the phone"
        phone.dialect = dialect
        phone.reopen(copy)
        sim.ledger.skip(phone)
        sim.checks.forget(phone)

    sim.world.after(rng.randrange(MINUTE, 5 * MINUTE), restore)


def _clone(sim: Sim, phone: Phone, act: Act, rng: random.Random) -> None:
    """A second phone is set up from a copy of the first; both live on."""
    if not phone.on:
        return
    sim.world.count("fault:clone")
    twin = sim.spare_phone(phone.user_id)
    twin.dialect = phone.dialect
    copy = phone.copy()
    twin.path.write_bytes(copy.db)
    if copy.wal:
        twin.path.with_name(twin.path.name + "-wal").write_bytes(copy.wal)
    twin.start()
    sim.ledger.skip(twin)


def _poison(sim: Sim, phone: Phone, act: Act, rng: random.Random) -> None:
    """A mistake of the app writes what no server takes: somewhere in the queue."""
    if not phone.on:
        return
    sim.person.act(phone, rng.choice(("edit", "edit", "add_lead_with_task", "edit_two")), rng)
    patch = rng.choice(
        ('{"stage":"no such"}', '{"no_such_field":1}', '{"created_at":"2020-01-01T00:00:00.000Z"}')
    )
    sim.checks.spoil(phone, "patch", patch)
    sim.person.act(phone, "edit", rng)


def _poison_parent(sim: Sim, phone: Phone, act: Act, rng: random.Random) -> None:
    """A row that can't be made, and twenty changes of it."""
    if not phone.on:
        return
    sim.person.act(phone, "add_lead", rng)
    found = outbox.listed(phone.db, limit=100_000)
    if not found or found[-1].mutation.op is not wire.Op.PUT:
        return
    row_id = found[-1].mutation.row_id
    sim.checks.spoil(phone, "patch", '{"kind":"no such","name":"Poison","stage":"new"}')
    for _ in range(20):
        sim.person.act_on(phone, row_id, rng)


def _corrupt_line(sim: Sim, phone: Phone, act: Act, rng: random.Random) -> None:
    """A line of the queue is no longer what was written."""
    if phone.on:
        sim.person.act(phone, "edit", rng)
        sim.checks.spoil(phone, "patch", rng.choice(('{"name": ', "", "x")))
        sim.person.act(phone, "edit", rng)


# A lot at once


def _many_edits(sim: Sim, phone: Phone, act: Act, rng: random.Random) -> None:
    sim.network.trouble("offline", phone.name, 60, act.seed)
    sim.world.count("fault:many_edits")
    for _ in range(rng.randrange(60, 260)):
        sim.person.act(phone, rng.choice(("edit", "add_tag", "add_visit")), rng)


def _everyone_reconnects(sim: Sim, phone: Phone, act: Act, rng: random.Random) -> None:
    sim.network.trouble("offline", "", 40, act.seed)
    sim.world.count("fault:everyone_reconnects")
    for one in sim.phones:
        sim.world.after(41 * SECOND + rng.randrange(SECOND), one.poke)


def _new_phone(sim: Sim, phone: Phone, act: Act, rng: random.Random) -> None:
    sim.world.count("fault:new_phone")
    sim.add_phone(phone.user_id)


def _other_user(sim: Sim, phone: Phone, act: Act, rng: random.Random) -> None:
    """Somebody else signs in on this phone: another store; later the first one is back."""
    others = [user for user in sim.users if user != phone.user_id]
    if not phone.on or not others:
        return
    sim.world.count("fault:other_user")
    phone.stop()
    sim.add_phone(rng.choice(others))
    sim.world.after(act.seconds * SECOND, lambda: None if phone.on else phone.start())


_BY_KIND: dict[str, Callable[[Sim, Phone, Act, random.Random], None]] = {
    "crash": _crash,
    "tear": _tear,
    "disk_full": _disk_full,
    "kill_loading": _kill_loading,
    "kill_dropping": _kill_dropping,
    "kill_hashing": _kill_hashing,
    "clock_in_push": _clock_in_push,
    "update_app": updates.update_app,
    "update_ahead": updates.update_ahead,
    "update_with_500": updates.update_with_500,
    "downgrade_app": updates.downgrade_app,
    "poke_early": _poke_early,
    "clock_day": _clock((DAY,)),
    "clock_decade": _clock((3652 * DAY,)),
    "clock_step": _clock((MINUTE, 10 * MINUTE, HOUR)),
    "reboot": _reboot,
    "restore_backup": _restore_backup,
    "clone": _clone,
    "poison": _poison,
    "poison_parent": _poison_parent,
    "corrupt_line": _corrupt_line,
    "many_edits": _many_edits,
    "everyone_reconnects": _everyone_reconnects,
    "new_phone": _new_phone,
    "other_user": _other_user,
}
