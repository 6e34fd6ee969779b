"""How much one sender may say while others catch up."""

from __future__ import annotations

import pytest

from ovos_bus.pace import CREDIT_BYTES, REFILL_BYTES_PER_SECOND, Pace
from tests.support.wires import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pace(clock: Clock) -> Pace:
    return Pace(clock)


def test_a_burst_is_free(pace: Pace) -> None:
    """A sender may say as much as its credit at once."""
    assert not pace.exhausted
    pace.pay(CREDIT_BYTES)
    assert not pace.exhausted


def test_a_flood_is_not(pace: Pace) -> None:
    """One byte more than the credit, and the sender has to wait."""
    for _ in range(CREDIT_BYTES // 1024):
        pace.pay(1024)
    pace.pay(1)

    assert pace.exhausted


def test_credit_grows_with_time(pace: Pace, clock: Clock) -> None:
    """A second of silence earns REFILL_BYTES_PER_SECOND."""
    pace.pay(CREDIT_BYTES + REFILL_BYTES_PER_SECOND // 2)
    clock.advance(0.49)
    assert pace.exhausted
    clock.advance(0.02)

    assert not pace.exhausted


def test_credit_is_never_more_than_full(pace: Pace, clock: Clock) -> None:
    """An hour of silence earns no more than one burst."""
    clock.advance(3600)
    pace.pay(CREDIT_BYTES + 1)

    assert pace.exhausted


def test_a_debt_is_never_more_than_a_full_credit(pace: Pace, clock: Clock) -> None:
    """One huge message costs its sender seconds, not minutes."""
    pace.pay(1000 * CREDIT_BYTES)
    clock.advance(CREDIT_BYTES / REFILL_BYTES_PER_SECOND - 0.01)
    assert pace.exhausted
    clock.advance(0.02)

    assert not pace.exhausted


def test_who_speaks_slower_than_the_refill_never_waits(pace: Pace, clock: Clock) -> None:
    """A sender that does not flood does not notice anything."""
    for _ in range(1000):
        pace.pay(REFILL_BYTES_PER_SECOND // 10)
        assert not pace.exhausted
        clock.advance(0.1)
