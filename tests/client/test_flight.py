"""What has left and has not come back."""

from __future__ import annotations

import pytest

from ovos_bus_client._core.flight import (
    ASK_AGAIN_SECONDS,
    ASK_BYTES,
    ASK_MESSAGES,
    ASK_SECONDS,
    FRESH,
    MAX_AGE,
    Flight,
    answers,
)
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


# ---------------------------------------------------------------------- the bus is asked


def asking(clock: Clock | None = None) -> Flight:
    """Return one on a connection whose bus does not send us our own."""
    flight = Flight(clock=clock or Clock())
    flight.begin(asks=True)
    return flight


def test_an_answer_vouches_for_all_that_was_said_before() -> None:
    """What left behind the question is not in its answer."""
    flight = asking()
    flight.left(b"1")
    flight.left(b"2")
    question = flight.question()
    flight.left(b"3")
    assert question is not None
    flight.answered(question)

    assert flight.lost(orderly=True) == [b"3"]


def test_what_was_not_answered_is_lost() -> None:
    """Neither somebody else's ping nor the text itself vouches for anything."""
    flight = asking()
    flight.left(b"1")
    assert flight.question() is not None
    for answer in (b"", b"said", b"said 1", b"said 2.1", b"unsaid 1.1", b"said 1.1 ", b"\0" * 16):
        flight.answered(answer)
    flight.came(b"1")

    assert flight.lost(orderly=True) == [b"1"]


def test_the_bus_is_asked_with_the_first_of_what_is_said() -> None:
    """Then for a while not again, and then once for all that was said meanwhile."""
    clock = Clock()
    flight = asking(clock)
    assert flight.patience is None
    assert flight.question() is None
    flight.left(b"1")
    assert flight.patience == 0
    assert flight.question() is not None
    assert flight.question() is None
    flight.left(b"2")
    clock.advance(ASK_SECONDS / 2)
    assert flight.patience == pytest.approx(ASK_SECONDS / 2)
    assert flight.question() is None
    clock.advance(ASK_SECONDS)

    assert flight.patience == 0
    question = flight.question()
    assert question is not None
    assert flight.patience == pytest.approx(ASK_SECONDS)
    flight.answered(question)
    clock.advance(ASK_SECONDS)
    assert flight.patience is None


@pytest.mark.parametrize(("count", "size"), [(ASK_MESSAGES, 1), (2, ASK_BYTES // 2)])
def test_after_much_the_bus_is_asked_at_once(count: int, size: int) -> None:
    """Else more than is kept could be under way."""
    flight = asking()
    flight.left(b"x")
    assert flight.question() is not None
    for _ in range(count - 1):
        flight.left(b"x" * size)
        assert flight.question() is None
    flight.left(b"x" * size)

    assert flight.question() is not None


def test_what_stayed_is_not_asked_about() -> None:
    """A text that the connection did not take is no reason to ask."""
    flight, text = asking(), b"1"
    flight.left(text)
    flight.stayed(text)

    assert flight.question() is None


def test_the_goodbye_vouches_for_what_was_heard() -> None:
    """A bus that stops says how many messages it has read, those about the connection included."""
    flight = asking()
    flight.passed()
    for text in (b"1", b"2", b"3"):
        flight.left(text)

    assert flight.lost(orderly=True, goodbye="the bus stops, it heard 3 messages") == [b"3"]


def test_a_goodbye_that_says_nothing_vouches_for_nothing() -> None:
    """What older buses say is no number."""
    flight = asking()
    flight.left(b"1")

    assert flight.lost(orderly=True, goodbye="the bus stops") == [b"1"]


def test_a_connection_counts_anew() -> None:
    """The answer to a question on another connection would be about something else."""
    flight = asking()
    flight.left(b"1")
    old = flight.question()
    assert flight.lost() == [b"1"]
    flight.begin(asks=True)
    flight.left(b"1")
    flight.left(b"2")
    question = flight.question()
    assert old is not None
    assert question is not None
    flight.answered(question)

    assert flight.lost(orderly=True) == []


def test_what_was_vouched_for_just_now_is_said_again_if_the_bus_dies() -> None:
    """It may have been on its way to others."""
    clock = Clock()
    flight = asking(clock)
    flight.left(b"1")
    question = flight.question()
    assert question is not None
    flight.answered(question)
    clock.advance(FRESH / 2)

    assert flight.lost() == [b"1"]


def test_a_question_that_is_not_answered_is_asked_again() -> None:
    """Of several pings a bus may answer only the last, and that may be another's."""
    clock = Clock()
    flight = asking(clock)
    flight.left(b"1")
    flight.question()
    clock.advance(ASK_SECONDS)
    assert flight.question() is None
    assert flight.patience == pytest.approx(ASK_AGAIN_SECONDS - ASK_SECONDS)
    clock.advance(ASK_AGAIN_SECONDS)
    assert flight.patience == 0
    question = flight.question()
    assert question is not None
    flight.answered(question)

    assert flight.patience is not None  # for a moment, nothing is asked
    clock.advance(ASK_SECONDS)
    assert flight.patience is None


def test_an_answer_tells_what_was_asked_before() -> None:
    """On one connection, the answer to a later question is one to an earlier one, too."""
    flight = asking()
    flight.left(b"1")
    first, again = flight.ask(), flight.ask()
    flight.left(b"2")
    later = flight.ask()
    flight.begin(asks=True)
    flight.left(b"1")
    flight.left(b"2")
    elsewhere = flight.ask()

    assert answers(first, first)
    assert answers(again, first)
    assert answers(later, first)
    assert not answers(first, later)
    assert not answers(elsewhere, first)
    assert not answers(b"", first)
    assert not answers(first, b"")
