"""A log line now and then, and a count of those that were left out."""

from __future__ import annotations

from ovos_bus.throttle import (
    CLIENTS,
    INTERVAL,
    LINES_PER_PEER,
    PEERS,
    ROOM,
    Once,
    Onces,
    Throttle,
    Throttles,
)
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


def test_several_lines_may_be_allowed_in_an_interval() -> None:
    """Those beyond are counted, and the count comes with the next interval's first."""
    clock = Clock()
    throttle = Throttle(clock=clock, lines=2)
    assert [throttle.more() for _ in range(4)] == ["", "", None, None]
    clock.advance(INTERVAL)

    assert [throttle.more() for _ in range(3)] == [
        " (and 2 more since the last such line)",
        "",
        None,
    ]


def test_each_peer_has_a_throttle_of_its_own() -> None:
    """One that is noisy does not silence another."""
    throttles = Throttles(clock=Clock())
    while throttles.more("noisy") is not None:
        pass

    assert throttles.more("quiet") == ""


def test_a_thousand_peers_share_a_bounded_table() -> None:
    """Those for whom there is no room are held to one throttle together."""
    throttles = Throttles(clock=Clock())
    said = [throttles.more(f"peer {n}") for n in range(1000)]

    assert len(throttles) == PEERS
    assert said.count("") == PEERS + LINES_PER_PEER


def test_peers_with_nothing_to_remember_make_room() -> None:
    """After the interval others have a throttle of their own; what was left out is kept."""
    clock = Clock()
    throttles = Throttles(clock=clock)
    for _ in range(LINES_PER_PEER + 3):
        throttles.more("noisy")
    for n in range(PEERS):
        throttles.more(f"peer {n}")
    clock.advance(INTERVAL)

    assert throttles.more("new") == ""
    assert len(throttles) == 2
    assert throttles.more("noisy") == " (and 3 more since the last such line)"


def test_each_thing_is_told_once_until_there_are_too_many() -> None:
    """Then one in an interval, with the number of those that were left out."""
    clock = Clock()
    once = Once(clock=clock)
    said = [once.more(f"thing {n % 100}") for n in range(200)]
    assert said.count("") == ROOM + 1
    assert said.count(None) == 200 - ROOM - 1
    clock.advance(INTERVAL)

    assert once.more("thing 0") is None
    # Of the 200, those that were told one by one came twice.
    assert once.more("new") == f" (and {200 - 2 * ROOM - 1} more since the last such line)"


def test_each_client_of_each_entry_has_its_own() -> None:
    """What one was told of is news of another."""
    onces = Onces(clock=Clock())

    assert onces.more("kitchen", "a", "t") == ""
    assert onces.more("kitchen", "a", "t") is None
    assert onces.more("kitchen", "b", "t") == ""
    assert onces.more("", "a", "t") == ""


def test_clients_that_come_again_as_somebody_else_share_one_throttle() -> None:
    """A thousand of an entry are few lines; those of another entry have their own."""
    clock = Clock()
    onces = Onces(clock=clock)
    said = [onces.more("kitchen", f"client {n}", "t") for n in range(1000)]

    assert said.count("") == CLIENTS + 1
    assert onces.more("kitchen", "client 0", "t") is None
    assert onces.more("", "client 1000", "t") == ""
    clock.advance(INTERVAL)
    left_out = 1000 - CLIENTS - 1
    last = onces.more("kitchen", "client 1000", "t")
    assert last == f" (and {left_out} more since the last such line)"
