"""Who waits for an answer."""

from __future__ import annotations

import threading

import pytest

from ovos_bus_client._core.pending import Expected, Pending, addressees, same_value, session_id_of
from ovos_bus_client.message import Message


def state(expected: Expected) -> str:
    """Return how a wait stands."""
    if not expected.over:
        return "waiting"
    return "given up" if expected.answer is None else "answered"


def test_a_message_completes_every_wait_for_its_type() -> None:
    """All who wait for a type get the same message; others go on waiting."""
    pending = Pending()
    one, two, other = (pending.expect([type_]) for type_ in ("t", "t", "u"))
    message = Message("t")
    pending.offer(message)

    assert one.answer is two.answer is message
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

    assert expected.answer is first


def test_any_of_several_types_will_do() -> None:
    """A wait for several types ends with the first message of any, and is gone from all."""
    pending = Pending()
    expected = pending.expect(["a", "b", "a", "c"])
    message = Message("b")

    assert expected.types == ("a", "b", "c")
    assert all(type_ in pending for type_ in "abc")
    pending.offer(message)
    assert expected.answer is message
    assert not any(type_ in pending for type_ in "abc")


def test_nothing_is_left_of_a_wait_that_is_given_up() -> None:
    """A wait that is given up is cancelled and forgotten; others for the type are not."""
    pending = Pending()
    gone, stays = pending.expect(["a", "b"]), pending.expect(["b"])
    pending.give_up(gone)
    message = Message("b")
    pending.offer(message)

    assert state(gone) == "given up"
    assert stays.answer is message
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

    assert expected.answer is message


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


@pytest.mark.parametrize(
    ("session", "whose"),
    [
        ("a", {"a", "any"}),  # those of its session, and those to whom sessions mean nothing
        ("b", {"b", "any"}),
        ("c", {"default", "any"}),  # nobody's: the device's
        ("default", {"default", "any"}),
        (None, {"default", "any"}),  # without a session, it is the device's
    ],
)
def test_an_answer_is_for_those_of_its_session(session: str | None, whose: set[str]) -> None:
    """Among waits of several sessions, those of the message's own have it."""
    waiting = {
        name: Expected(["t"], None if name == "any" else name)
        for name in ("a", "b", "default", "any")
    }
    context = {} if session is None else {"session": {"session_id": session}}
    found = addressees(list(waiting.values()), Message("t", context=context))

    assert {name for name, expected in waiting.items() if expected in found} == whose


def test_an_answer_that_lost_its_session_is_for_everybody() -> None:
    """If nobody waits for the device, a message of the device's session answers all waits."""
    waiting = [Expected(["t"], "a"), Expected(["t"], "b"), Expected(["t"])]

    assert addressees(waiting, Message("t")) == waiting


def test_an_answer_of_a_stranger_is_nobodys() -> None:
    """A message of a session of which nobody waits completes no wait of another."""
    pending = Pending()
    expected = pending.expect(["t"], "a")
    pending.offer(Message("t", context={"session": {"session_id": "b"}}))
    assert state(expected) == "waiting"
    pending.offer(Message("t", context={"session": {"session_id": "a"}}))
    assert state(expected) == "answered"


@pytest.mark.parametrize("context", [{}, {"session": None}, {"session": {}}])
def test_a_message_without_a_session_is_the_devices(context: dict[str, object]) -> None:
    """The id of no session is ``default``."""
    assert session_id_of(Message("t", context=context)) == "default"


def test_question_and_answer_may_share_a_value() -> None:
    """`same_value` looks into data, then into context, and compares what it finds."""
    accepts = same_value("id", Message("q", {"id": 7}, {"id": 1}))

    assert accepts(Message("q.response", {"id": 7}))
    assert accepts(Message("q.response", {}, {"id": 7}))
    assert not accepts(Message("q.response", {"id": 8}, {"id": 7}))
    assert not accepts(Message("q.response"))
    assert same_value("id", Message("q", {}, {"id": None}))(Message("r", {"id": None}))


def test_the_question_has_to_have_the_value() -> None:
    """A key that the question does not have is an error that names both."""
    with pytest.raises(KeyError, match="q has no 'id'"):
        same_value("id", Message("q"))


def test_a_wait_takes_only_what_it_accepts() -> None:
    """A message that a wait does not accept leaves it waiting, and may answer another."""
    pending = Pending()
    picky = pending.expect(["t"], accepts=lambda message: message.data.get("n") == 2)
    other = pending.expect(["t"])
    pending.offer(Message("t", {"n": 1}))
    assert (state(picky), state(other)) == ("waiting", "answered")
    pending.offer(Message("t", {"n": 2}))

    assert picky.answer.data == {"n": 2}


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
    assert all(expected.over for expected in waits)
    assert "t" not in pending
    assert "u" not in pending
