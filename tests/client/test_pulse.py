"""When a bus is asked whether it is alive, and when it is dead."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ovos_bus_client._core.pulse import LATE, SOON, Pulse, Sign
from tests.support.wires import Clock

INTERVAL, TIMEOUT = 20, 10


def test_a_silent_bus_is_asked_and_then_dead() -> None:
    """After the interval it is asked, and after the timeout from then on it is dead."""
    clock = Clock()
    pulse = Pulse(INTERVAL, TIMEOUT, clock)
    found = []
    for _ in range(31):
        found.append(sign := pulse.feel())
        if sign is Sign.ASK:
            pulse.asked()
        clock.advance(1)

    assert [n for n, sign in enumerate(found) if sign is Sign.ASK] == [20]
    assert [n for n, sign in enumerate(found) if sign is Sign.DEAD] == [30]


def test_what_cannot_be_asked_now_is_asked_soon() -> None:
    """While no ping can leave, the bus is not judged, and there is another look soon."""
    clock = Clock()
    pulse = Pulse(INTERVAL, TIMEOUT, clock)
    clock.advance(3 * INTERVAL)

    assert pulse.feel() is Sign.ASK
    assert pulse.patience == SOON
    clock.advance(SOON)
    assert pulse.feel() is Sign.ASK


def test_who_could_not_listen_asks_once_more() -> None:
    """A program that was held up itself has not read what came meanwhile."""
    clock = Clock()
    pulse = Pulse(INTERVAL, TIMEOUT, clock)
    clock.advance(INTERVAL)
    pulse.asked()
    clock.advance(TIMEOUT + LATE)
    assert pulse.feel() is Sign.ASK
    pulse.asked()
    clock.advance(TIMEOUT)

    assert pulse.feel() is Sign.DEAD


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("hear"), st.floats(0, 100)),
            st.tuples(st.just("feel"), st.booleans()),  # whether a ping can leave
        ),
        max_size=60,
    )
)
def test_dead_is_who_has_left_a_question_unanswered(steps: list[tuple[str, float]]) -> None:
    """Whatever happens: nobody dies sooner, and nobody is asked who was heard just now."""
    clock = Clock()
    pulse = Pulse(INTERVAL, TIMEOUT, clock)
    heard_at, asked_at = clock(), None
    for step, value in steps:
        if step == "hear":
            clock.advance(value)
            pulse.heard()
            heard_at, asked_at = clock(), None
            continue
        clock.advance(pulse.patience)
        sign = pulse.feel()
        if sign is Sign.DEAD:
            assert asked_at is not None
            assert clock() - asked_at > TIMEOUT - 1e-6
            return
        if sign is Sign.ASK:
            assert clock() - heard_at > INTERVAL - 1e-6
            if value:
                pulse.asked()
                asked_at = clock()
