"""What goes wrong on the server's side, and what its people do to locations, users and rows."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tests.simulation import versions
from tests.simulation.faults import Act
from tests.simulation.model import Model
from tests.simulation.phone import Phone
from tests.simulation.tus import Upload
from tests.simulation.world import HOUR, MINUTE, SECOND

if TYPE_CHECKING:
    from tests.simulation.sim import Sim


def import_leads(sim: Sim, rng: random.Random, number: int) -> None:
    """What another program writes, in one transaction."""
    sim.server.import_leads([(sim.world.new_id(), _lead(sim, rng)) for _ in range(number)])


def _lead(sim: Sim, rng: random.Random) -> dict[str, Any]:
    return {
        "location_id": rng.choice(sim.locations),
        "created_at": "2026-11-22T10:00:00.000Z",
        "kind": "seller",
        "name": f"Imported x{sim.world.token()}x",
        "stage": "new",
        "tags": ["a", "b"],
        "source": "import",
    }


def _die(when: str) -> Callable[[Sim, Phone, Act, random.Random], None]:
    def die(sim: Sim, phone: Phone, act: Act, rng: random.Random) -> None:
        sim.server.kill_next(when)

    return die


def _stamper_dead(sim: Sim, phone: Phone, act: Act, rng: random.Random) -> None:
    sim.world.count("fault:stamper_dead")
    sim.stamper_dead_until = sim.world.now_ms + act.seconds * SECOND


def _two_stampers(sim: Sim, phone: Phone, act: Act, rng: random.Random) -> None:
    sim.world.count("fault:two_stampers")
    for _ in range(2):
        sim.poke(sim.server.stamp())


def _long_transaction(sim: Sim, phone: Phone, act: Act, rng: random.Random) -> None:
    """An import takes its numbers of the log and its row locks now, and commits when others have passed it by."""
    if sim.server.is_held:
        return
    sim.world.count("fault:long_transaction")
    leads = sim.server.living_leads()
    held = rng.choice(leads)[0] if leads else None
    fresh = [(sim.world.new_id(), _lead(sim, rng)) for _ in range(rng.randrange(1, 4))]
    commit = sim.server.hold(held, {"zip": f"L{sim.world.token()}"}, fresh)
    sim.hold_long(commit, act.seconds * SECOND)


def _deadlock(sim: Sim, phone: Phone, act: Act, rng: random.Random) -> None:
    sim.world.count("fault:deadlock")
    sim.server.deadlock_next(rng.choice((1, 2, 4)))


def _failover(sim: Sim, phone: Phone, act: Act, rng: random.Random) -> None:
    """Another server takes over that had not got the last commits."""
    sim.drop_long()
    _lost(sim, sim.server.lose(commits=rng.randrange(1, 8)), act.kind)


def _restore_point(sim: Sim, phone: Phone, act: Act, rng: random.Random) -> None:
    """The database of some minutes ago."""
    sim.drop_long()
    since = sim.world.now_ms - rng.randrange(MINUTE, 15 * MINUTE)
    _lost(sim, sim.server.lose(since_ms=since), act.kind)


def _lost(sim: Sim, commits: int, kind: str) -> None:
    sim.checks.rewound()
    sim.world.count(f"fault:{kind}")
    sim.world.count("commits lost", commits)
    sim.world.note("server", kind, commits)


def _prune(sim: Sim, phone: Phone, act: Act, rng: random.Random) -> None:
    sim.world.count("fault:prune")
    sim.server.prune(rng.choice((0, 3)))


def _clock_step(sim: Sim, phone: Phone, act: Act, rng: random.Random) -> None:
    sim.world.count("fault:server_clock_step")
    sim.server.clock.wrong_ms = rng.choice((-HOUR, -MINUTE, MINUTE, HOUR))


def _tokens_end(sim: Sim, phone: Phone, act: Act, rng: random.Random) -> None:
    sim.world.count("fault:tokens_end")
    sim.server.expire_tokens()


def _refresh_fails(sim: Sim, phone: Phone, act: Act, rng: random.Random) -> None:
    sim.world.count("fault:refresh_fails")
    sim.server.break_refresh(True)
    sim.server.expire_tokens()

    def mended() -> None:
        sim.server.break_refresh(False)
        phone.poke()

    sim.world.after(act.seconds * SECOND, mended)


def _disable_user(sim: Sim, phone: Phone, act: Act, rng: random.Random) -> None:
    sim.world.count("fault:disable_user")
    sim.server.disable(phone.user_id, True)
    sim.world.after(act.seconds * SECOND, lambda: sim.server.disable(phone.user_id, False))


# Locations


def revoke(sim: Sim, phone: Phone, act: Act, rng: random.Random) -> None:
    held = sorted(sim.server.locations_of(phone.user_id))
    if not held:
        return
    location = rng.choice(held)
    sim.world.count("fault:revoke")
    sim.server.revoke(phone.user_id, location)
    if rng.random() < 0.7:
        sim.world.after(act.seconds * SECOND, lambda: sim.server.grant(phone.user_id, location))


def _revoke_while_offline(sim: Sim, phone: Phone, act: Act, rng: random.Random) -> None:
    """Work goes on meanwhile that they might do when they did it."""
    sim.network.trouble("offline", phone.name, act.seconds, act.seed)
    for kind in ("edit", "add_task", "edit_words"):
        sim.person.act(phone, kind, rng)
    sim.person.act(phone, "record", random.Random(act.seed))
    revoke(sim, phone, act, rng)
    for kind in ("edit", "add_lead_with_task"):
        sim.person.act(phone, kind, rng)


def _revoke_while_loading(sim: Sim, phone: Phone, act: Act, rng: random.Random) -> None:
    sim.add_phone(phone.user_id)
    sim.world.after(rng.randrange(50, 900), lambda: revoke(sim, phone, act, rng))


def _move_lead(sim: Sim, phone: Phone, act: Act, rng: random.Random) -> None:
    _move(sim, rng, rng.randrange(3 * SECOND))


def _move_parent_first(sim: Sim, phone: Phone, act: Act, rng: random.Random) -> None:
    """What belongs to the lead follows a minute later."""
    _move(sim, rng, MINUTE)


def _move(sim: Sim, rng: random.Random, delay_ms: int) -> None:
    leads = sim.server.living_leads()
    if not leads:
        return
    lead_id, location = rng.choice(leads)
    target = next(one for one in sim.locations if one != location)
    if not sim.server.move("leads", lead_id, target):
        return
    sim.world.count("fault:move")

    def children() -> None:
        for table, row_id in sim.server.children(lead_id):
            sim.server.move(table, row_id, target)

    sim.world.after(delay_ms, children)


# Versions, recordings


def _server_upgrade(sim: Sim, phone: Phone, act: Act, rng: random.Random) -> None:
    """From here on the server knows a field and a table that this app has never heard of; or it is a release further."""
    sim.world.count("fault:server_upgrade")
    sim.server.newer = True
    if isinstance(sim.server, Model) and sim.releases and rng.random() < 0.5:
        sim.server.lenses = versions.NEXT


def _protocol_ahead(sim: Sim, phone: Phone, act: Act, rng: random.Random) -> None:
    sim.world.count("fault:protocol_ahead")
    sim.server.too_old_until = sim.world.now_ms + act.seconds * SECOND


def _between(
    do: Callable[[Sim, Upload, random.Random], None],
) -> Callable[[Sim, Phone, Act, random.Random], None]:
    """It happens when the next recording is half sent, after the answer: the phone believes what is no longer so."""

    def arm(sim: Sim, phone: Phone, act: Act, rng: random.Random) -> None:
        def strike(upload: Upload) -> None:
            sim.world.count(f"fault:{act.kind}")
            sim.world.note("server", act.kind, upload.id, len(upload.data), upload.size)
            do(sim, upload, rng)

        sim.server.uploads.between.append(strike)

    return arm


def _offset_behind(sim: Sim, upload: Upload, rng: random.Random) -> None:
    del upload.data[rng.choice((0, rng.randrange(len(upload.data)))) :]


def _offset_ahead(sim: Sim, upload: Upload, rng: random.Random) -> None:
    """A part arrived whose answer nobody heard."""
    content = sim.person.files[upload.note_id]
    upload.data += content[len(upload.data) : rng.randrange(len(upload.data), upload.size)]


def _upload_forgotten(sim: Sim, upload: Upload, rng: random.Random) -> None:
    del sim.server.uploads.held[upload.id]


def _file_gone(sim: Sim, upload: Upload, rng: random.Random) -> None:
    """The system made room on the phone."""
    sim.person.paths[upload.note_id].unlink()


def _file_changed(sim: Sim, upload: Upload, rng: random.Random) -> None:
    sim.person.paths[upload.note_id].write_bytes(rng.randbytes(upload.size))


def _import_rows(sim: Sim, phone: Phone, act: Act, rng: random.Random) -> None:
    sim.world.count("fault:import_rows")
    import_leads(sim, rng, rng.choice((30, 120, 450)))


BY_KIND: dict[str, Callable[[Sim, Phone, Act, random.Random], None]] = {
    "die_before_commit": _die("before"),
    "die_after_commit": _die("after"),
    "stamper_dead": _stamper_dead,
    "two_stampers": _two_stampers,
    "long_transaction": _long_transaction,
    "deadlock": _deadlock,
    "failover": _failover,
    "restore_point": _restore_point,
    "prune": _prune,
    "server_clock_step": _clock_step,
    "tokens_end": _tokens_end,
    "refresh_fails": _refresh_fails,
    "disable_user": _disable_user,
    "revoke": revoke,
    "revoke_while_loading": _revoke_while_loading,
    "revoke_while_offline": _revoke_while_offline,
    "move_lead": _move_lead,
    "move_parent_first": _move_parent_first,
    "server_upgrade": _server_upgrade,
    "protocol_ahead": _protocol_ahead,
    "offset_behind": _between(_offset_behind),
    "offset_ahead": _between(_offset_ahead),
    "upload_forgotten": _between(_upload_forgotten),
    "file_gone": _between(_file_gone),
    "file_changed": _between(_file_changed),
    "import_rows": _import_rows,
}
