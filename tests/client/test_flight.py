"""What has left and has not come back."""

from __future__ import annotations

import pytest

from ovos_bus_client._core.flight import FRESH, MAX_AGE, Flight
from tests.support.wires import Clock


def test_what_came_back_is_not_lost() -> None:
    """Of what left, in order, only what did not come back may be lost."""
    flight = Flight()
    for text in (b"1", b"2", b"3"):
        flight.left(text)
    flight.came(b"1")

    assert len(flight) == 2
    assert flight.lost(orderly=True) == [b"2", b"3"]
    assert flight.lost(orderly=True) == []


def test_the_texts_of_others_say_nothing() -> None:
    """What somebody else sent proves nothing about ours."""
    flight = Flight()
    flight.left(b"1")
    flight.came(b"1")
    flight.left(b"2")
    flight.came(b"other")

    assert flight.lost(orderly=True) == [b"2"]


def test_a_bus_that_sends_us_nothing_of_ours_loses_nothing() -> None:
    """Where our own do not come back, there is no telling, and nothing is sent twice."""
    flight = Flight(comes_back=False)
    flight.left(b"1")
    flight.came(b"other")

    assert flight.lost(orderly=True) == []


def test_a_bus_is_believed_to_send_us_our_own() -> None:
    """What the first message of a program was lost with is not known to have arrived."""
    flight = Flight()
    flight.left(b"1")

    assert flight.lost() == [b"1"]


def test_a_bus_is_found_out_that_sends_us_nothing_of_ours() -> None:
    """After a text that should have come back long ago, nothing counts as lost, until one does."""
    clock = Clock()
    flight = Flight(clock=clock)
    flight.left(b"1")
    clock.advance(MAX_AGE + 0.1)
    flight.came(b"other")
    flight.left(b"2")
    assert flight.lost() == []

    flight.left(b"3")
    flight.came(b"3")
    flight.left(b"4")
    assert flight.lost(orderly=True) == [b"4"]


def test_what_stayed_has_not_left() -> None:
    """A text that the connection did not take is not under way."""
    flight = Flight()
    flight.left(b"1")
    flight.came(b"1")
    text = b"2"
    flight.left(text)
    flight.stayed(text)
    flight.stayed(text)

    assert len(flight) == 0
    assert flight.lost(orderly=True) == []


def test_equal_texts_are_counted() -> None:
    """Two equal texts come back twice."""
    flight = Flight()
    flight.left(b"1")
    flight.left(b"1")
    flight.came(b"1")

    assert flight.lost(orderly=True) == [b"1"]


def test_what_does_not_come_back_for_long_never_will() -> None:
    """A text that the bus dropped is given up when others come, so it hides none after it."""
    clock = Clock()
    flight = Flight(clock=clock)
    flight.left(b"0")
    flight.came(b"0")
    flight.left(b"dropped")
    clock.advance(MAX_AGE + 0.1)
    flight.left(b"1")
    flight.came(b"other")
    flight.came(b"1")

    assert flight.lost(orderly=True) == []


def test_it_holds_so_much_and_no_more() -> None:
    """Beyond a number or a size, the oldest are taken for arrived."""
    flight = Flight(max_messages=2, max_bytes=10)
    flight.left(b"0")
    flight.came(b"0")
    for text in (b"1", b"2", b"3"):
        flight.left(text)
    assert len(flight) == 2
    flight.left(b"123456789")

    assert flight.lost(orderly=True) == [b"3", b"123456789"]


@pytest.mark.parametrize(
    ("orderly", "again"), [(False, [b"late", b"under way"]), (True, [b"under way"])]
)
def test_what_came_back_just_before_the_bus_died_is_sent_again(
    orderly: bool, again: list[bytes]
) -> None:
    """It may not have reached the others; after a goodbye it has, and nothing is repeated."""
    times = iter([1.0, 1.0, 2.0, 2.0, 2.0, 2.0 + FRESH / 2, 2.0 + FRESH / 2])
    flight = Flight(clock=lambda: next(times))
    for text in (b"early", b"late"):
        flight.left(text)
        flight.came(text)
    flight.left(b"under way")

    assert flight.lost(orderly=orderly) == again
    assert flight.lost() == []
