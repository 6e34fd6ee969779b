"""The delays between attempts to connect."""

from __future__ import annotations

from itertools import islice, pairwise

import pytest

from ovos_bus_client._core.backoff import FACTOR, FIRST, LOCAL_CAP, REMOTE_CAP, delays


@pytest.mark.parametrize("cap", [LOCAL_CAP, REMOTE_CAP])
def test_delays_grow_to_the_cap_and_stay_there(cap: float) -> None:
    """Without the random part, each delay is the one before times the factor, up to the cap."""
    got = list(islice(delays(cap, lambda: 0.0), 50))

    assert got[0] == FIRST
    assert got[-1] == cap
    for before, after in pairwise(got):
        assert after == min(before * FACTOR, cap)


def test_the_random_part_takes_off_up_to_a_half() -> None:
    """The longest random part halves each delay, and no more."""
    full = islice(delays(5.0, lambda: 0.0), 20)
    half = islice(delays(5.0, lambda: 1.0), 20)

    assert [delay / 2 for delay in full] == list(half)


def test_two_clients_do_not_come_at_once() -> None:
    """The random part is drawn anew for each delay and each client."""
    one, two = list(islice(delays(5.0), 10)), list(islice(delays(5.0), 10))

    assert one != two
    assert all(FIRST / 2 <= delay <= 5.0 for delay in one + two)


def test_a_bus_that_restarts_is_found_at_once() -> None:
    """The first attempts on this machine come within little more than a second."""
    assert sum(islice(delays(LOCAL_CAP, lambda: 0.0), 4)) < 1.2
