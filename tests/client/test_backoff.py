"""How long a client waits before it dials again."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovos_bus_client._core.backoff import (
    FIRST,
    GREETING,
    LOCAL_CAP,
    PATIENCE,
    REMOTE_CAP,
    Backoff,
    is_local,
)


@pytest.mark.parametrize(("local", "cap"), [(True, LOCAL_CAP), (False, REMOTE_CAP)])
def test_delays_grow_from_the_first_to_the_cap_and_stay_there(local: bool, cap: float) -> None:
    """Without the random part each delay is longer than the one before, up to the cap."""
    backoff = Backoff(local, rand=lambda: 0.0)
    delays = [backoff.next_delay() for _ in range(60)]

    assert delays[0] == FIRST
    assert delays[-1] == cap
    assert all(earlier < later or later == cap for earlier, later in pairwise(delays))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=50), st.booleans())
def test_a_delay_is_between_half_and_all_of_its_longest(chances: list[float], local: bool) -> None:
    """The random part takes off at most a half, whatever the dice say."""
    dice = iter(chances)
    backoff = Backoff(local, rand=lambda: next(dice))

    for _ in chances:
        delay = backoff.next_delay()
        assert backoff.longest / 2 <= delay <= backoff.longest


def test_a_connection_begins_anew() -> None:
    """After a connection that stood, the next outage starts with the first delay."""
    backoff = Backoff(local=True, rand=lambda: 0.0)
    for _ in range(10):
        backoff.next_delay()
    backoff.reset()

    assert backoff.longest == 0.0
    assert backoff.next_delay() == FIRST


def back(local: bool, chances: Sequence[float], ready: float) -> tuple[float, float]:
    """Say when a client that lost the bus at 0 is back, and until when it waits for others."""
    dice = (chances[n % len(chances)] for n in count())
    backoff, now = Backoff(local, rand=lambda: next(dice)), 0.0
    while now < ready or not backoff.longest:
        now += backoff.next_delay()
    return now, now + backoff.others


CHANCES = st.lists(st.floats(0, 1), min_size=1, max_size=50)


@given(CHANCES, CHANCES, st.floats(0, 100), st.booleans())
def test_all_are_back_before_anybody_is_done_waiting(
    one: list[float], other: list[float], ready: float, local: bool
) -> None:
    """Whatever the dice say, who lost the bus with us has dialed before we speak, or takes ages."""
    began, until = back(local, one, ready)
    other_began, _ = back(local, other, ready)

    assert other_began <= until - GREETING or until - began == pytest.approx(PATIENCE + GREETING)


def test_without_an_outage_nobody_is_waited_for() -> None:
    """A client that finds its bus at once speaks at once."""
    assert Backoff(local=True).others == 0.0


@pytest.mark.parametrize(
    ("host", "local"),
    [("localhost", True), ("127.0.0.1", True), ("127.3.2.1", True), ("::1", True), ("bus", False)],
)
def test_a_bus_on_this_machine_is_known_by_its_name(host: str, local: bool) -> None:
    """Loopback names and addresses are this machine; every other may be another."""
    assert is_local(host) is local
