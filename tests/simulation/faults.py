"""The thirteen groups of faults of the design (sync.md, 4), each as named acts of a plan; alone or mixed.

A plan is plain data: what happens when, to whom, from which stream of chance. So a failing run is made smaller by leaving
acts out (shrink.py), and every act that is left does what it did before.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.simulation.world import HOUR, MINUTE, SECOND


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
_NO: Mapping[str, int] = {}

GROUPS: tuple[Group, ...] = (
    Group(
        number=1,
        name="the line is cut",
        people=_NO,
        faults=tuple(
            Fault(kind=kind, seconds=(20, 240))
            for kind in (
                "cut_request",
                "cut_answer",
                "lost_answer",
                "half_open",
                "captive",
                "drip",
                "offline",
            )
        ),
    ),
    Group(
        number=2,
        name="doubled, late, swapped",
        people=_NO,
        faults=(
            *(Fault(kind=kind, seconds=(30, 300)) for kind in ("duplicate", "late", "replay", "swap")),
            *(Fault(kind=kind, seconds=(60, 600)) for kind in ("poke_lost", "poke_twice", "poke_early")),
        ),
    ),
    Group(
        number=3,
        name="the phone crashes",
        people={"record": 2},
        faults=(
            Fault(kind="crash", times=5),
            Fault(kind="tear", times=5),
            Fault(kind="disk_full", seconds=(20, 200)),
        ),
    ),
    Group(
        number=4,
        name="the server crashes",
        people=_NO,
        faults=(
            Fault(kind="die_before_commit", times=3),
            Fault(kind="die_after_commit", times=3),
            Fault(kind="stamper_dead", seconds=(30, 300)),
            Fault(kind="two_stampers"),
            Fault(kind="long_transaction", seconds=(5, 120)),
            Fault(kind="deadlock", times=3),
            Fault(kind="storm", seconds=(20, 200)),
        ),
    ),
    Group(
        number=5,
        name="the server goes back in time",
        people=_NO,
        faults=(
            Fault(kind="failover", times=1),
            Fault(kind="restore_point", times=1),
            Fault(kind="prune"),
        ),
    ),
    Group(
        number=6,
        name="clocks are wrong",
        people={"edit": 6},
        faults=(
            Fault(kind="clock_day"),
            Fault(kind="clock_decade"),
            Fault(kind="clock_step"),
            Fault(kind="reboot"),
            Fault(kind="server_clock_step", times=1),
        ),
    ),
    Group(
        number=7,
        name="tokens end",
        people=_NO,
        faults=(
            Fault(kind="tokens_end", times=3),
            Fault(kind="refresh_fails", seconds=(30, 300)),
            Fault(kind="disable_user", seconds=(60, 400), times=1),
            Fault(kind="other_user", seconds=(100, 500), times=1),
        ),
    ),
    Group(
        number=8,
        name="locations come and go",
        people=_NO,
        faults=(
            Fault(kind="revoke", seconds=(60, 600)),
            Fault(kind="revoke_while_loading", seconds=(60, 600)),
            Fault(kind="move_lead", times=3),
            Fault(kind="move_parent_first"),
        ),
    ),
    Group(
        number=9,
        name="people meet",
        people={
            "edit": 10,
            "delete": 5,
            "add_twin": 3,
            "add_visit": 6,
            "add_tag": 6,
            "edit_words": 6,
            "edit_price": 5,
        },
        faults=(Fault(kind="offline", seconds=(60, 400), times=4),),
    ),
    Group(
        number=10,
        name="old and new versions",
        people=_NO,
        faults=(
            Fault(kind="server_upgrade", times=1),
            Fault(kind="protocol_ahead", seconds=(60, 300), times=1),
        ),
    ),
    Group(
        number=11,
        name="copies and poison",
        people=_NO,
        faults=(
            Fault(kind="restore_backup", times=1),
            Fault(kind="clone", times=1),
            Fault(kind="poison", times=3),
            Fault(kind="poison_parent", times=1),
            Fault(kind="corrupt_line", times=1),
        ),
    ),
    Group(
        number=12,
        name="recordings",
        people={"record": 8, "record_again": 4},
        faults=(
            Fault(kind="cut_answer", seconds=(30, 200)),
            Fault(kind="offset_behind"),
            Fault(kind="offset_ahead"),
            Fault(kind="upload_forgotten"),
            Fault(kind="file_gone", times=1),
            Fault(kind="file_changed", times=1),
        ),
    ),
    Group(
        number=13,
        name="a lot at once",
        people=_NO,
        faults=(
            Fault(kind="import_rows", times=2),
            Fault(kind="many_edits", times=1),
            Fault(kind="everyone_reconnects", times=2),
            Fault(kind="new_phone", times=1),
        ),
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
        most = 6 if len(groups) == 1 else 3
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


LONGEST_MS = 2 * HOUR
