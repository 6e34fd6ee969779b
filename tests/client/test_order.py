"""Tests of `ovos_bus_client.apis._order`: saying things in the order in which they were decided."""

from __future__ import annotations

import threading

import pytest

from ovos_bus_client.apis._order import Order
from ovos_bus_client.message import Message

TIMEOUT = 10.0


def test_what_waits_is_said_in_order() -> None:
    """Everything that was added is said, first things first."""
    order, said = Order(), list[str]()
    order.add(lambda m: said.append(m.msg_type), [Message("a"), Message("b")])
    order.add(lambda m: said.append(m.msg_type), [Message("c")])
    order.say()
    order.say()

    assert said == ["a", "b", "c"]


def test_what_is_added_while_something_is_said_comes_after_it() -> None:
    """Nothing overtakes the rest of what is being said, and nothing is forgotten."""
    order, said = Order(), list[str]()

    def emit(message: Message) -> None:
        if message.msg_type == "a":
            order.add(emit, [Message("late")])
            order.say()
        said.append(message.msg_type)

    order.add(emit, [Message("a"), Message("b")])
    order.say()

    assert said == ["a", "b", "late"]


def test_a_failure_costs_only_what_belongs_to_it() -> None:
    """The first error is raised in the end; the rest of its group is dropped, others are said."""
    order, said = Order(), list[str]()

    def emit(message: Message) -> None:
        if message.msg_type.startswith("bad"):
            raise ValueError(message.msg_type)
        said.append(message.msg_type)

    order.add(emit, [Message("a"), Message("bad1"), Message("b")])
    order.add(emit, [Message("bad2")])
    order.add(emit, [Message("c")])
    with pytest.raises(ValueError, match="bad1"):
        order.say()
    order.say()

    assert said == ["a", "c"]


def test_many_threads_lose_nothing() -> None:
    """Each message is said once, those of a thread in its order, never two at a time."""
    order, said = Order(), list[tuple[int, int]]()
    busy, together = threading.Lock(), threading.Barrier(8)
    overlaps = []

    def emit(message: Message) -> None:
        if not busy.acquire(blocking=False):
            overlaps.append(message)
            return
        said.append((message.data["thread"], message.data["number"]))
        busy.release()

    def work(thread: int) -> None:
        together.wait(TIMEOUT)
        for number in range(200):
            order.add(emit, [Message("a", {"thread": thread, "number": number})])
            order.say()

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(TIMEOUT)

    assert overlaps == []
    assert len(said) == 1600
    assert all([n for t, n in said if t == thread] == list(range(200)) for thread in range(8))
