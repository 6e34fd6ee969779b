"""Who waits for an answer."""

from __future__ import annotations

import threading

from ovos_bus_client._core.pending import Expected, Pending
from ovos_bus_client.message import Message


def state(expected: Expected) -> str:
    """Return how a wait stands."""
    if not expected.answer.done():
        return "waiting"
    return "given up" if expected.answer.cancelled() else "answered"


def test_a_message_completes_every_wait_for_its_type() -> None:
    """All who wait for a type get the same message; others go on waiting."""
    pending = Pending()
    one, two, other = (pending.expect([type_]) for type_ in ("t", "t", "u"))
    message = Message("t")
    pending.offer(message)

    assert one.answer.result(0) is two.answer.result(0) is message
    assert state(other) == "waiting"
    assert "t" not in pending
    assert "u" in pending


def test_a_wait_is_completed_once() -> None:
    """Of several messages a wait gets the first."""
    pending = Pending()
    expected = pending.expect(["t"])
    first = Message("t", {"n": 1})
    pending.offer(first)
    pending.offer(Message("t", {"n": 2}))

    assert expected.answer.result(0) is first


def test_any_of_several_types_will_do() -> None:
    """A wait for several types ends with the first message of any, and is gone from all."""
    pending = Pending()
    expected = pending.expect(["a", "b", "a", "c"])
    message = Message("b")

    assert expected.types == ("a", "b", "c")
    assert all(type_ in pending for type_ in "abc")
    pending.offer(message)
    assert expected.answer.result(0) is message
    assert not any(type_ in pending for type_ in "abc")


def test_nothing_is_left_of_a_wait_that_is_given_up() -> None:
    """A wait that is given up is cancelled and forgotten; others for the type are not."""
    pending = Pending()
    gone, stays = pending.expect(["a", "b"]), pending.expect(["b"])
    pending.give_up(gone)
    message = Message("b")
    pending.offer(message)

    assert state(gone) == "given up"
    assert stays.answer.result(0) is message
    assert "a" not in pending
    assert "b" not in pending


def test_giving_up_a_wait_that_has_its_answer_changes_nothing() -> None:
    """The answer stays, however often the wait is given up."""
    pending = Pending()
    expected = pending.expect(["t"])
    message = Message("t")
    pending.offer(message)
    pending.give_up(expected)
    pending.give_up(expected)

    assert expected.answer.result(0) is message


def test_a_message_that_nobody_waits_for_is_nobodys() -> None:
    """An offer without a wait leaves nothing behind: a later wait does not get it."""
    pending = Pending()
    pending.offer(Message("t"))

    assert state(pending.expect(["t"])) == "waiting"


def test_closing_gives_up_every_wait() -> None:
    """After close, no wait goes on, and none begins."""
    pending = Pending()
    before = [pending.expect(["a", "b"]), pending.expect(["b"])]
    pending.close()
    after = pending.expect(["a"])
    pending.close()

    assert [state(expected) for expected in (*before, after)] == ["given up"] * 3
    assert "a" not in pending
    assert "b" not in pending


def test_answers_and_giving_up_may_race() -> None:
    """Whoever is first, each wait ends once: it has its answer, or it is given up."""
    pending, rounds = Pending(), 300
    gates = [threading.Barrier(3) for _ in range(rounds)]
    waits: list[Expected] = []
    made = [threading.Event() for _ in range(rounds)]
    errors: list[BaseException] = []

    def run(step: object) -> None:
        try:
            for n in range(rounds):
                gates[n].wait(10)
                step(n)  # type: ignore[operator]
        except BaseException as error:
            errors.append(error)
            raise

    def expect_and_give_up(n: int) -> None:
        expected = pending.expect(["t", "u"])
        waits.append(expected)
        made[n].set()
        pending.give_up(expected)

    def offer(type_: str) -> object:
        def step(n: int) -> None:
            if n % 2:
                made[n].wait(10)
            pending.offer(Message(type_, {"n": n}))

        return step

    threads = [
        threading.Thread(target=run, args=(step,))
        for step in (expect_and_give_up, offer("t"), offer("u"))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert errors == []
    assert len(waits) == rounds
    assert all(expected.answer.done() for expected in waits)
    assert "t" not in pending
    assert "u" not in pending
