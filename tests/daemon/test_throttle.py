"""One log line now, and a count of those that were left out."""

from __future__ import annotations

from ovos_bus.throttle import INTERVAL, Throttle
from tests.support.wires import Clock


def test_the_first_line_is_said_at_once() -> None:
    """Nothing was left out before it."""
    assert Throttle(clock=Clock()).more() == ""


def test_lines_within_the_interval_are_counted() -> None:
    """The next line that may be said tells how many were not."""
    clock = Clock()
    throttle = Throttle(clock=clock)
    throttle.more()
    clock.advance(INTERVAL - 0.01)
    assert [throttle.more() for _ in range(3)] == [None, None, None]
    clock.advance(0.01)

    assert throttle.more() == " (and 3 more since the last such line)"
    assert throttle.more() is None


def test_nothing_left_out_is_not_mentioned() -> None:
    """Lines further apart than the interval are all said, without a count."""
    clock = Clock()
    throttle = Throttle(5.0, clock)

    for _ in range(3):
        assert throttle.more() == ""
        clock.advance(5.0)
