"""How long answers are kept: by how often they really change."""

from __future__ import annotations

import random

from backend.cache.ttl import LONGEST_FACTOR, SHORTEST, Adaptive


def adaptive() -> Adaptive:
    return Adaptive(base=300, rng=random.Random(1))


def within(seconds: float, wanted: float) -> bool:
    return 0.9 * wanted <= seconds <= 1.1 * wanted


def test_what_is_not_known_yet_is_kept_for_the_base() -> None:
    assert within(adaptive().seconds(b"q", cost_seconds=0), 300)


def test_what_changes_every_minute_is_kept_half_of_one() -> None:
    ttl = adaptive()
    for turn in range(20):
        ttl.learn(b"q", str(turn).encode(), turn * 60.0)

    assert within(ttl.seconds(b"q", cost_seconds=0), 30)


def test_an_answer_that_stays_the_same_is_no_change() -> None:
    ttl = adaptive()
    for turn in range(20):
        ttl.learn(b"q", b"the same", turn * 60.0)

    assert within(ttl.seconds(b"q", cost_seconds=0), 300)


def test_a_dear_answer_is_kept_longer() -> None:
    assert within(adaptive().seconds(b"q", cost_seconds=1.0), 1_500)


def test_there_is_a_shortest_and_a_longest_time() -> None:
    ttl = adaptive()
    ttl.learn(b"fast", b"1", 0)
    ttl.learn(b"fast", b"2", 0.01)
    ttl.learn(b"slow", b"1", 0)
    ttl.learn(b"slow", b"2", 1e6)

    assert within(ttl.seconds(b"fast", cost_seconds=0), SHORTEST)
    assert within(ttl.seconds(b"slow", cost_seconds=0), 300 * LONGEST_FACTOR)
    assert within(ttl.seconds(b"slow", cost_seconds=0, longest=30), 30)


def test_answers_that_were_made_together_do_not_end_together() -> None:
    ttl = adaptive()

    assert len({ttl.seconds(b"q", cost_seconds=0) for _ in range(50)}) > 40
