"""Many answers to one question, and how long to wait for them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ovos_bus_client._core.collection import GATHERING, Collection
from ovos_bus_client.message import Message
from tests.support.wires import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


class Asked(Collection):
    """A question, and what may come after it."""

    def promise(self, handler: object, timeout: object = 1.0, query: str | None = None) -> bool:
        data = {"query": query or self.query, "handler": handler, "timeout": timeout}
        return self.handling(Message("q.handling", data))

    def answer(self, handler: object, n: int = 0, query: str | None = None) -> bool:
        data = {"query": query or self.query, "handler": handler, "n": n}
        return self.response(Message("q.response", data))


@pytest.fixture
def ask(clock: Clock) -> Callable[..., Asked]:
    """Ask a question: 0.2 s to speak up, 3 s in all."""

    def make(
        shortest: float = 0.2,
        longest: float = 3.0,
        is_enough: Callable[[Message], bool] | None = None,
    ) -> Asked:
        return Asked(shortest, longest, is_enough, clock)

    return make


def test_somebody_has_to_speak_up(ask: Callable[..., Asked], clock: Clock) -> None:
    """It is over after `min_timeout` if nobody has spoken up."""
    asked = ask()
    assert asked.remaining == pytest.approx(0.2)
    clock.advance(0.2)

    assert asked.remaining == pytest.approx(0, abs=1e-9)


def test_it_ends_when_all_that_spoke_up_have_answered(
    ask: Callable[..., Asked], clock: Clock
) -> None:
    """After the last answer nothing is waited for, but for those slower to speak up."""
    asked = ask()
    assert asked.promise("a")
    assert asked.promise("b", 2.0)
    assert asked.remaining == pytest.approx(2.0)
    assert asked.answer("b")
    assert asked.remaining == pytest.approx(1.0)
    assert asked.answer("a")
    assert asked.remaining == pytest.approx(GATHERING)
    clock.advance(GATHERING)
    assert asked.remaining == pytest.approx(0, abs=1e-9)

    assert [answer.data["handler"] for answer in asked.answers] == ["b", "a"]


def test_a_late_answer_ends_it_at_once(ask: Callable[..., Asked], clock: Clock) -> None:
    """Once the time to gather is over, the last answer is the end."""
    asked = ask()
    asked.promise("a")
    clock.advance(0.5)
    assert asked.remaining == pytest.approx(0.5)
    asked.answer("a")

    assert asked.remaining == 0


def test_whoever_does_not_keep_a_promise_is_not_waited_for(
    ask: Callable[..., Asked], clock: Clock
) -> None:
    """When the promised time is over, so is the wait."""
    asked = ask()
    asked.promise("a", 0.5)
    clock.advance(0.6)

    assert asked.remaining == 0


def test_a_promise_can_be_extended(ask: Callable[..., Asked], clock: Clock) -> None:
    """A second promise of the same handler counts from when it came."""
    asked = ask()
    asked.promise("a", 0.5)
    clock.advance(0.4)
    asked.promise("a", 1.5)

    assert asked.remaining == pytest.approx(1.5)


def test_it_ends_whoever_promised_what(ask: Callable[..., Asked], clock: Clock) -> None:
    """`max_timeout` is the end."""
    asked = ask()
    asked.promise("a", 1000)
    assert asked.remaining == pytest.approx(3.0)
    clock.advance(2.9)
    asked.promise("a", 1000)
    assert asked.remaining == pytest.approx(0.1)
    clock.advance(0.2)

    assert asked.remaining == 0


@pytest.mark.parametrize("timeout", [None, "2", [1]])
def test_a_promise_without_a_time_holds_to_the_end(
    timeout: object, ask: Callable[..., Asked]
) -> None:
    """A time that is no number is as long as it may be."""
    asked = ask()
    asked.promise("a", timeout)

    assert asked.remaining == pytest.approx(3.0)


def test_an_answer_needs_no_promise(ask: Callable[..., Asked]) -> None:
    """Whoever answers without a word before is counted all the same."""
    asked = ask()
    assert asked.answer("a", 7)

    assert asked.answers[0].data["n"] == 7
    assert asked.remaining == pytest.approx(GATHERING)


def test_other_questions_are_others(ask: Callable[..., Asked]) -> None:
    """What names another question changes nothing."""
    asked = ask()
    assert not asked.promise("a", query="other")
    assert not asked.answer("a", query="other")
    assert asked.answers == []
    assert asked.remaining == pytest.approx(0.2)
    assert asked.query != ask().query


def test_one_answer_may_be_enough(ask: Callable[..., Asked]) -> None:
    """With `is_enough` an answer ends it, whoever else has promised one; later ones are kept."""
    asked = ask(is_enough=lambda answer: answer.data["n"] == 2)
    asked.promise("a")
    asked.answer("b", 1)
    assert asked.remaining > 0
    asked.answer("c", 2)
    asked.answer("d", 1)

    assert asked.remaining == 0
    assert len(asked.answers) == 3


def test_the_clock_starts_when_the_question_leaves(ask: Callable[..., Asked], clock: Clock) -> None:
    """What passes between making and asking does not count."""
    asked = ask()
    clock.advance(10)
    asked.begin()

    assert asked.remaining == pytest.approx(0.2)


def test_no_time_is_no_time(ask: Callable[..., Asked]) -> None:
    """With a `max_timeout` of 0 nothing is waited for."""
    asked = ask(longest=0)
    asked.promise("a")

    assert asked.remaining == 0
