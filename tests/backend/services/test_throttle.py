"""Guessing passwords gets slower; nobody is locked out."""

from __future__ import annotations

import pytest

from backend.services import throttle
from domain import errors
from tests.fakes import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def gate(clock: FakeClock) -> throttle.Throttle:
    return throttle.Throttle(clock)


def fail(gate: throttle.Throttle, times: int, account: str = "ana", address: str = "10.0.0.1") -> None:
    for _ in range(times):
        gate.failed(account, address)


def wait_of(gate: throttle.Throttle, account: str = "ana", address: str = "10.0.0.1") -> float:
    try:
        gate.check(account, address)
    except errors.TooManyTriesError as fault:
        return fault.retry_after or 0
    return 0


def test_a_few_slips_cost_nothing(gate: throttle.Throttle) -> None:
    fail(gate, throttle.FREE_TRIES - 1)

    assert wait_of(gate) == 0


def test_each_further_try_waits_longer_up_to_a_minute(gate: throttle.Throttle) -> None:
    waits = []
    fail(gate, throttle.FREE_TRIES - 1)
    for _ in range(9):
        fail(gate, 1)
        waits.append(wait_of(gate))

    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_waiting_opens_the_gate(gate: throttle.Throttle, clock: FakeClock) -> None:
    fail(gate, throttle.FREE_TRIES + 2)

    clock.advance(wait_of(gate))

    assert wait_of(gate) == 0


def test_success_forgets_the_slips(gate: throttle.Throttle) -> None:
    fail(gate, throttle.FREE_TRIES - 1)
    gate.succeeded("ANA", "10.0.0.1")
    fail(gate, throttle.FREE_TRIES - 1)

    assert wait_of(gate) == 0


def test_old_slips_are_forgotten(gate: throttle.Throttle, clock: FakeClock) -> None:
    fail(gate, throttle.FREE_TRIES - 1)
    clock.advance(throttle.FORGET_AFTER + 1)
    fail(gate, 1)

    assert wait_of(gate) == 0


def test_owner_at_another_address_is_not_slowed(gate: throttle.Throttle) -> None:
    fail(gate, 20)

    assert wait_of(gate, address="10.0.0.2") == 0


def test_one_address_that_tries_many_accounts_is_slowed_on_all(gate: throttle.Throttle) -> None:
    for n in range(throttle.FREE_TRIES_PER_ADDRESS):
        gate.failed(f"user{n}", "10.0.0.1")

    assert wait_of(gate, account="somebody-new") > 0


def test_memory_stays_bounded(gate: throttle.Throttle) -> None:
    for n in range(30_000):
        gate.failed("x", f"10.0.{n}")

    assert len(gate._failures) <= 20_000
