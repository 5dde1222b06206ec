"""The engine's small decisions, without a network."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import errors, wire
from sync import codec, files, lanes, live, nudge, runner, session


@given(failures=st.integers(0, 10_000), seed=st.integers())
def test_waiting_has_full_jitter_and_a_cap(failures: int, seed: int) -> None:
    wait = runner.backoff(failures, rng=random.Random(seed))

    assert 0 <= wait <= min(300, 2.0 ** min(failures, 9))


def test_a_server_that_asks_for_a_pause_gets_at_least_that() -> None:
    assert 7 <= runner.backoff(1, asked=7.0, rng=random.Random(1)) <= 9


@given(failures=st.integers(1, 10_000), seed=st.integers())
def test_a_phone_with_work_to_send_looks_for_the_server_more_often(failures: int, seed: int) -> None:
    urgent = nudge.pause(failures, urgent=True, rng=random.Random(seed))
    idle = nudge.pause(failures, urgent=False, rng=random.Random(seed))

    assert 0.2 <= urgent <= min(8.2, idle)
    assert idle <= 64.2


def test_failures_are_spread_over_the_whole_time() -> None:
    waits = sorted(runner.backoff(5, rng=random.Random(seed)) for seed in range(1000))

    assert waits[100] < 6
    assert waits[900] > 26


def test_pages_grow_while_they_are_quick_and_shrink_when_they_are_slow() -> None:
    assert lanes.next_limit(1000, 1000, 0.002) == 2000
    assert lanes.next_limit(4000, 4000, 0.02) == wire.MAX_PAGE
    assert lanes.next_limit(2000, 2000, 0.1) == 1000
    assert lanes.next_limit(1000, 1000, 9.0) == lanes.SMALLEST_PAGE
    assert lanes.next_limit(800, 3, 0.1) == 800


def test_parts_of_a_file_are_as_large_as_the_line_allows() -> None:
    assert files.next_chunk(256 * 1024, 0.1) == 512 * 1024
    assert files.next_chunk(256 * 1024, 10.0) == 128 * 1024
    assert files.next_chunk(256 * 1024, 1.0) == 256 * 1024
    assert files.next_chunk(files.SMALLEST, 99.0) == files.SMALLEST
    assert files.next_chunk(files.LARGEST, 0.0) == files.LARGEST


def page(*rows: list[object], columns: tuple[str, ...] = ("id", "ver", "name")) -> wire.Page:
    block = wire.Block(table="leads", columns=columns, rows=rows)
    return wire.Page(
        cursor="", more=False, blocks=[block], removed=[], scopes=[], server_ms=0, incarnation="i"
    )


@pytest.mark.parametrize("row", [["a", 1], ["a", "1", "x"], [1, 1, "x"], ["a", 1, "x", "y"], []])
def test_a_row_that_does_not_fit_its_header_is_refused(row: list[object]) -> None:
    with pytest.raises(ValueError, match="header"):
        codec.checked_page(page(row))


def test_both_forms_of_the_header_are_read() -> None:
    assert codec.checked_page(page(["a", 1, "x"]))
    assert codec.checked_page(page(["a", 1, "x"], columns=("name",)))


@pytest.mark.parametrize("answer", [{}, {"user": {}}, {"user": None, "access_token": "a"}])
def test_a_sign_in_answer_of_somebody_else_is_recognised(answer: dict[str, object]) -> None:
    with pytest.raises(errors.NotOurServerError):
        session.grant_of(answer)


def test_tiles_are_put_together_from_the_parts_of_the_answer() -> None:
    answer = {
        "metrics": {"bot_success": {"name": "bot_success", "value": 0.5, "interval": [0.4, 0.6]}},
        "comparisons": {"bot_success": {"previous": 0.4, "change": 0.25, "label": "x"}},
        "trends": {"bot_success": [0.1, None, 0.2]},
        "trend_points": ["2026-11-20", "2026-11-21", "2026-11-22"],
        "performance_tiers": {"bot_success": "watch"},
        "last_updated": "2026-11-22T16:00:00+00:00",
    }

    tiles, as_of = live.tiles_of(answer)

    assert tiles["bot_success"]["interval"] == {"low": 0.4, "high": 0.6}
    assert (tiles["bot_success"]["tier"], tiles["bot_success"]["trend"]) == ("watch", [0.1, None, 0.2])
    assert as_of == datetime(2026, 11, 22, 16, tzinfo=UTC)
    with pytest.raises(errors.NotOurServerError):
        live.tiles_of({"metrics": 1})
