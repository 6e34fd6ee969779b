"""One point in time."""

from __future__ import annotations

import time

from ovos_bus_client._core.deadline import Deadline


class HandClock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_it_counts_down_to_nothing_and_not_below() -> None:
    """What remains shrinks with the clock and ends at 0."""
    clock = HandClock()
    deadline = Deadline(3.0, clock)
    seen = []
    for _ in range(5):
        seen.append((deadline.remaining, deadline.passed))
        clock.now += 1

    assert seen == [(3.0, False), (2.0, False), (1.0, False), (0.0, True), (0.0, True)]


def test_none_never_ends() -> None:
    """Without seconds there is nothing to count down and no end."""
    clock = HandClock()
    deadline = Deadline(None, clock)
    clock.now += 1e9

    assert deadline.remaining is None
    assert not deadline.passed


def test_zero_has_passed_at_once() -> None:
    """No time is no time, which differs from no end."""
    assert Deadline(0.0, HandClock()).passed
    assert Deadline(-1.0, HandClock()).remaining == 0.0


def test_it_uses_a_clock_that_does_not_go_back() -> None:
    """By default the system's monotonic clock counts."""
    before = time.monotonic()
    deadline = Deadline(1000.0)

    assert deadline.remaining is not None
    assert deadline.remaining <= 1000.0 - (time.monotonic() - before) + 1.0
