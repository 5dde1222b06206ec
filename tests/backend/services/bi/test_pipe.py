"""What the deals in the pipe will bring: known as it was known then, and corrected by what came before."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from backend.services.bi import backtest, forecast
from backend.services.bi.backtest import History
from backend.services.bi.material import Material
from backend.services.bi.pipe import pipe
from backend.storage.warehouse.forecasts import State
from tests.backend.services.bi import planted

UNTIL = date(2026, 11, 19)


def _deal(number: int, first: date, *steps: tuple[str, int], cents: int = 1_000_000) -> list[State]:
    return [
        State(
            deal_id=planted.uid(number),
            day=first + timedelta(days=after),
            stage=stage,
            sells=False,
            gross_cents=cents,
            source="",
        )
        for stage, after in steps
    ]


def test_deals_under_contract_are_expected_when_such_deals_closed() -> None:
    closed = [_deal(n, UNTIL - timedelta(days=200 + n), ("contract", 0), ("closed", 25)) for n in range(12)]
    waiting = _deal(99, UNTIL - timedelta(days=10), ("contract", 0))

    found = pipe([state for course in (*closed, waiting) for state in course]).expected(UNTIL, 6)

    assert found is not None
    assert found[0].sum() == pytest.approx(0.85 * 1_000_000)
    assert int(found[0].argmax()) == 2  # fifteen days from now
    assert found[1][0] == 0  # nothing closed within a week of being heard of
    assert found[1][5] == 1


def test_the_pipe_knows_only_what_was_known_then() -> None:
    closed = [_deal(n, UNTIL - timedelta(days=300), ("contract", 0), ("closed", 30)) for n in range(12)]
    late = _deal(50, UNTIL - timedelta(days=5), ("contract", 0), cents=9_000_000)
    everything = pipe([state for course in (*closed, late) for state in course])

    assert everything.expected(UNTIL - timedelta(days=280), 4) is None  # none had closed yet
    before = everything.expected(UNTIL - timedelta(days=6), 4)
    assert before is not None
    assert before[0].sum() == 0


def _contracts(closing: float) -> Material:
    """Deals that close forty days after their contract, this share of them; the others are lost."""
    rng = np.random.default_rng(2)
    first = UNTIL - timedelta(weeks=90)
    states: list[State] = []
    weeks = np.zeros(90)
    for n in range(160):
        day, cents = int(rng.integers(0, 90 * 7)), int(rng.lognormal(14, 1))
        closes = rng.random() < closing
        steps = ("contract", day), ("closed" if closes else "lost", day + 40)
        states += _deal(n, first, *steps, cents=cents)
        if closes and (day + 39) // 7 < 90:
            weeks[(day + 39) // 7] += cents
    known = pipe([state for state in states if state.day <= UNTIL])
    return Material(
        history=History(weeks=weeks, until=UNTIL, pipe=known), days=630, deals_won=160, price_spread=1.3
    )


def test_a_pipe_that_tells_wins_over_means() -> None:
    said = forecast.told(_contracts(1.0), 30)

    assert said["model"] in {"pipe", "corrected_pipe"}
    by_model = {line["model"]: line["wape"] for line in said["backtest"]["candidates"]}
    assert by_model["pipe"] < 0.8 * by_model["recent_mean"]


def test_a_pipe_whose_odds_are_not_our_own_is_corrected_by_what_came_before() -> None:
    material = _contracts(0.5)  # of a contract's 85 % by the market
    tracks = {track.model: track for track in backtest.tried(material.history, 5, material.deal)}
    plain, corrected = (tracks[name] for name in ("pipe", "corrected_pipe"))

    assert (corrected.wape() or 9) < 0.9 * (plain.wape() or 0)
    assert 0.5 < corrected.correction < 0.75
    assert corrected.now(material.history, 5) == pytest.approx(
        plain.now(material.history, 5) * corrected.correction
    )


def test_a_correction_knows_only_what_was_over() -> None:
    material = _contracts(0.5)
    later = History(
        weeks=np.concatenate([material.history.weeks[:70], material.history.weeks[70:] * 5]),
        until=UNTIL,
        pipe=material.history.pipe,
    )
    one, two = (
        next(track for track in backtest.tried(history, 5) if track.model == "corrected_pipe")
        for history in (material.history, later)
    )

    for trial, other in zip(one.trials, two.trials, strict=True):
        if trial.known + 5 <= 70:
            assert trial.said == pytest.approx(other.said)
    assert two.correction > one.correction
