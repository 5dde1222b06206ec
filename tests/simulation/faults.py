"""The thirteen groups of faults of the design (sync.md, 4), each as named acts of a plan; alone or mixed.

A plan is plain data: what happens when, to whom, from which stream of chance. So a failing run is made smaller by leaving
acts out (shrink.py), and every act that is left does what it did before.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from tests.simulation.world import MINUTE, SECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """`who`: a phone's number. `seconds`: how long it lasts, where it lasts."""

    at_ms: int
    kind: str
    who: int
    seed: int
    seconds: int = 0

    def __str__(self) -> str:
        lasts = f" for {self.seconds} s" if self.seconds else ""
        return f"{self.at_ms / 1000:9.3f} s  d{self.who} {self.kind}{lasts} (chance {self.seed})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """`seconds`: from … to; `times`: so many at most in one run."""

    kind: str
    seconds: tuple[int, int] = (0, 0)
    times: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    number: int
    name: str
    faults: tuple[Fault, ...]
    people: Mapping[str, int]
    """Work that these faults need, by weight, on top of the usual."""


USUAL: Mapping[str, int] = {
    "add_lead": 5,
    "add_lead_with_task": 3,
    "add_task": 3,
    "add_note": 3,
    "add_visit": 3,
    "edit": 14,
    "edit_price": 4,
    "edit_stage": 4,
    "edit_address": 4,
    "edit_derived": 2,
    "add_tag": 6,
    "remove_tag": 3,
    "opt_out": 1,
    "undo_opt_out": 1,
    "edit_words": 6,
    "done": 4,
    "edit_two": 3,
    "delete": 2,
    "decide": 3,
    "settle_conflict": 4,
}


def _faults(kinds: str, *, seconds: tuple[int, int] = (0, 0), times: int = 2) -> tuple[Fault, ...]:
    return tuple(Fault(kind=kind, seconds=seconds, times=times) for kind in kinds.split())


def _group(number: int, name: str, *faults: Sequence[Fault], **people: int) -> Group:
    return Group(number=number, name=name, faults=tuple(chain.from_iterable(faults)), people=people)


GROUPS: tuple[Group, ...] = (
    _group(
        1,
        "the line is cut",
        _faults("cut_request cut_answer lost_answer half_open captive drip offline", seconds=(20, 240)),
    ),
    _group(
        2,
        "doubled, late, swapped",
        _faults("duplicate late replay swap", seconds=(30, 300)),
        _faults("poke_lost poke_twice poke_early", seconds=(60, 600)),
    ),
    _group(
        3,
        "the phone crashes",
        _faults("crash tear", times=5),
        _faults("disk_full", seconds=(20, 200)),
        _faults("kill_loading kill_dropping kill_hashing", times=1),
        record=6,
    ),
    _group(
        4,
        "the server crashes",
        _faults("die_before_commit die_after_commit", times=3),
        _faults("stamper_dead", seconds=(30, 300)),
        _faults("two_stampers"),
        _faults("long_transaction", seconds=(5, 120)),
        _faults("deadlock", times=3),
        _faults("storm", seconds=(20, 200)),
    ),
    _group(5, "the server goes back in time", _faults("failover restore_point", times=1), _faults("prune")),
    _group(
        6,
        "clocks are wrong",
        _faults("clock_day clock_decade clock_step clock_in_push reboot"),
        _faults("server_clock_step", times=1),
        edit=6,
    ),
    _group(
        7,
        "tokens end",
        _faults("tokens_end", times=3),
        _faults("refresh_fails", seconds=(30, 300)),
        _faults("disable_user", seconds=(60, 400), times=1),
        _faults("other_user", seconds=(100, 500), times=1),
    ),
    _group(
        8,
        "locations come and go",
        _faults("revoke revoke_while_loading revoke_while_offline", seconds=(60, 600)),
        _faults("move_lead", times=3),
        _faults("move_parent_first"),
    ),
    _group(
        9,
        "people meet",
        _faults("offline", seconds=(60, 400), times=4),
        edit=10,
        delete=5,
        add_twin=3,
        add_twins_out=6,
        opt_out=4,
        add_visit=6,
        add_tag=6,
        edit_words=6,
        edit_price=5,
        decide=12,
        settle_conflict=6,
    ),
    _group(
        10,
        "old and new versions",
        _faults("server_upgrade", times=1),
        _faults("protocol_ahead", seconds=(60, 300), times=1),
        _faults("update_app downgrade_app update_ahead", times=2),
        _faults("update_with_500", times=1),
        edit_newer=4,
    ),
    _group(
        11,
        "copies and poison",
        _faults("restore_backup clone", times=1),
        _faults("poison", times=3),
        _faults("poison_parent corrupt_line", times=1),
    ),
    _group(
        12,
        "recordings",
        _faults("cut_request cut_answer lost_answer", seconds=(30, 200)),
        _faults("slow_line", seconds=(60, 300)),
        _faults("offset_behind offset_ahead upload_forgotten"),
        _faults("file_gone file_changed", times=1),
        record=8,
        record_long=4,
        record_again=4,
    ),
    _group(
        13,
        "a lot at once",
        _faults("import_rows", times=2),
        _faults("many_edits", times=1),
        _faults("everyone_reconnects", times=2),
        _faults("new_phone", times=1),
    ),
)
BY_NUMBER = {group.number: group for group in GROUPS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What decides a run: all else follows. `acts` None = made from the seed; given = exactly these."""

    seed: int
    groups: tuple[int, ...]
    phones: int
    people: int
    minutes: int
    acts: tuple[Act, ...] | None = None


def setup_of(seed: int) -> Setup:
    """Every group has its turn alone; every other seed mixes some of them."""
    rng = random.Random(f"setup:{seed}")
    numbers = [group.number for group in GROUPS]
    alone = seed % 2 == 0
    groups = (
        (numbers[seed // 2 % len(numbers)],)
        if alone
        else tuple(sorted(rng.sample(numbers, rng.randrange(2, 7))))
    )
    return Setup(
        seed=seed,
        groups=groups,
        phones=rng.choice((2, 2, 3, 3, 4, 5)),
        people=rng.randrange(25, 60),
        minutes=rng.choice((5, 8, 15)),
    )


def plan(setup: Setup) -> tuple[Act, ...]:
    """What happens, in order of time."""
    if setup.acts is not None:
        return setup.acts
    rng = random.Random(f"plan:{setup.seed}")
    groups = [BY_NUMBER[number] for number in setup.groups]
    acts = [*_work(setup, groups, rng), *_trouble(setup, groups, rng)]
    return tuple(sorted(acts, key=lambda act: (act.at_ms, act.kind, act.who, act.seed)))


def _work(setup: Setup, groups: Sequence[Group], rng: random.Random) -> list[Act]:
    weights = dict(USUAL)
    for group in groups:
        for kind, weight in group.people.items():
            weights[kind] = weights.get(kind, 0) + weight
    kinds = rng.choices(list(weights), list(weights.values()), k=setup.people)
    return [_act(setup, kind, rng) for kind in kinds]


def _trouble(setup: Setup, groups: Sequence[Group], rng: random.Random) -> list[Act]:
    acts = []
    for group in groups:
        most = 8 if len(groups) == 1 else 3
        chosen = [fault for fault in group.faults for _ in range(rng.randrange(fault.times + 1))]
        rng.shuffle(chosen)
        acts += [_act(setup, fault.kind, rng, fault.seconds) for fault in chosen[:most]]
    return acts


def _act(setup: Setup, kind: str, rng: random.Random, seconds: tuple[int, int] = (0, 0)) -> Act:
    return Act(
        at_ms=rng.randrange(5 * SECOND, setup.minutes * MINUTE),
        kind=kind,
        who=rng.randrange(setup.phones),
        seed=rng.randrange(1_000_000),
        seconds=rng.randint(*seconds),
    )
