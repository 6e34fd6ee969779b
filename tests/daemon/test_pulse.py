"""When a client is asked whether it is alive, and when it is dead."""

from __future__ import annotations

from ovos_bus.pulse import Pulse, Sign
from tests.support.wires import Clock


def test_who_is_silent_is_asked_once_and_then_dead() -> None:
    """After the interval it is asked, and after the timeout from then on it is dead."""
    clock = Clock()
    pulse = Pulse(30, 10, clock)
    found = []
    for _ in range(41):
        found.append(pulse.feel())
        clock.advance(1)

    assert [n for n, sign in enumerate(found) if sign is Sign.ASK] == [30]
    assert [n for n, sign in enumerate(found) if sign is Sign.DEAD] == [40]


def test_whatever_is_heard_is_a_sign_of_life() -> None:
    """Also after the question, and the silence begins anew."""
    clock = Clock()
    pulse = Pulse(30, 10, clock)
    clock.advance(30)
    assert pulse.feel() is Sign.ASK
    clock.advance(9)
    pulse.heard = True
    assert pulse.feel() is Sign.ALIVE
    clock.advance(29)

    assert pulse.feel() is Sign.ALIVE
    clock.advance(1)
    assert pulse.feel() is Sign.ASK


def test_an_excuse_counts_as_a_sign_of_life() -> None:
    """Who cannot be heard is not judged, and has the whole time when it can."""
    clock = Clock()
    pulse = Pulse(30, 10, clock)
    clock.advance(30)
    pulse.feel()
    clock.advance(10)
    assert pulse.feel(excused=True) is Sign.ALIVE
    clock.advance(29)

    assert pulse.feel() is Sign.ALIVE


def test_an_interval_of_zero_asks_nobody() -> None:
    """And nobody is found dead."""
    clock = Clock()
    pulse = Pulse(0, 10, clock)
    clock.advance(1e6)

    assert pulse.feel() is Sign.ALIVE
