"""What was kept and put back goes on as if nothing had happened."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.stream.windows import rows, snapshot
from backend.stream.windows.spans import SECOND
from backend.stream.windows.state import Windows
from tests.backend.stream.windows import world


def _keep(windows: Windows, store: dict[str, bytes]) -> None:
    for field in snapshot.gone(windows):
        store.pop(field, None)
    store.update(snapshot.fields(windows))
    store[snapshot.HEAD] = snapshot.head(windows, {"offsets": {}})


def _restored(store: dict[str, bytes]) -> Windows:
    windows = Windows()
    snapshot.begun(snapshot.read_head(store[snapshot.HEAD]), windows)
    for field, blob in store.items():
        if field != snapshot.HEAD:
            snapshot.put_back(windows, field, blob)
    snapshot.settle(windows)
    return windows


@settings(max_examples=80)
@given(
    seed=st.integers(0, 2**32),
    count=st.integers(2, 60),
    cuts=st.lists(st.floats(0, 1), min_size=1, max_size=4),
)
def test_restored_at_any_cut_it_ends_as_the_uninterrupted_one(
    seed: int, count: int, cuts: list[float]
) -> None:
    rnd = random.Random(seed)
    events = world.some(rnd, count)
    told = events + rnd.sample(events, count // 2)
    rnd.shuffle(told)
    whole, cut = world.fresh(), world.fresh()
    store: dict[str, bytes] = {}
    edges = sorted({0, len(told), *(int(share * len(told)) for share in cuts)})
    now = world.NOW_US

    for begin, end in itertools.pairwise(edges):
        world.feed(whole, told[begin:end], now=now)
        world.feed(cut, told[begin:end], now=now)
        _keep(cut, store)
        cut = _restored(store)
        assert world.said(cut) == world.said(whole)
        now += rnd.choice([0, 20 * SECOND, 400 * SECOND])
        whole.advance(now)
        cut.advance(now)

    assert world.said(cut) == world.said(whole)
    assert cut.watermark.at == whole.watermark.at
    assert cut.seen.count == whole.seen.count


def test_what_came_after_the_snapshot_may_come_again() -> None:
    events = world.some(random.Random(7), 80)
    windows, store = world.fresh(), dict[str, bytes]()
    world.feed(windows, events[:50])
    _keep(windows, store)
    world.feed(windows, events[50:])

    again = _restored(store)
    world.feed(again, events[40:])

    assert world.said(again) == world.said(windows)


def test_what_was_put_back_is_told_anew() -> None:
    windows, store = world.fresh(), dict[str, bytes]()
    world.feed(windows, world.some(random.Random(10), 60))
    _keep(windows, store)

    told = {(row.location, row.window): row.values for row in rows.changed(_restored(store))}

    assert told == {key: row["values"] for key, row in world.said(windows).items()}


def test_a_second_snapshot_holds_only_what_changed() -> None:
    rnd = random.Random(8)
    windows, store = world.fresh(), dict[str, bytes]()
    world.feed(windows, world.some(rnd, 200))
    _keep(windows, store)

    windows.take("lead_interactions", [world.interaction(rnd, occurred_at=world.NOW)], world.NOW_US)

    changed = [field.partition(":")[0] for field, _ in snapshot.fields(windows)]
    assert sorted(changed) == ["1h", "24h", "5m", "id"]


def test_a_whole_snapshot_after_a_failed_one_lacks_nothing() -> None:
    windows, store = world.fresh(), dict[str, bytes]()
    world.feed(windows, world.some(random.Random(9), 100))
    list(snapshot.fields(windows))  # asked for, and lost on the way

    snapshot.everything(windows)
    _keep(windows, store)

    assert world.said(_restored(store)) == world.said(windows)


def test_a_snapshot_of_other_measures_is_refused() -> None:
    with pytest.raises(snapshot.OtherShapeError):
        snapshot.read_head(b"\x81\xabfingerprint\xa3old")
    with pytest.raises(snapshot.OtherShapeError):
        snapshot.read_head(b"")
