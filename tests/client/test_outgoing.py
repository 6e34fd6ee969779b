"""What a client has to say, from `emit` to the proof that the bus has it."""

from __future__ import annotations

from collections import deque

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ovos_bus_client._core.outgoing import Outgoing


def test_texts_leave_in_order() -> None:
    """First kept, first to leave."""
    outgoing = Outgoing(10, 100)
    assert outgoing.next() is None
    outgoing.keep(b"1")
    outgoing.keep(b"2")

    assert [outgoing.next(), outgoing.next(), outgoing.next()] == [b"1", b"2", None]


def test_nothing_leaves_while_it_is_held() -> None:
    """What is held stays, however much it is: it leaves in a moment."""
    outgoing = Outgoing(2, 100)
    outgoing.held = True
    assert not any(outgoing.keep(bytes([n])) for n in range(5))
    assert outgoing.next() is None
    assert len(outgoing) == 5
    outgoing.held = False

    assert outgoing.next() == b"\0"


def test_what_is_too_much_is_counted() -> None:
    """Beyond the limit the oldest go; the first of them is told, and their number can be had."""
    outgoing = Outgoing(2, 100)

    assert [outgoing.keep(bytes([n])) for n in range(4)] == [False, False, True, False]
    assert outgoing.reset() == 2
    assert outgoing.reset() == 0
    assert outgoing.next() == b"\2"


def test_what_was_lost_leaves_before_all_others() -> None:
    """What was under way when the link broke is sent again first, in its order."""
    outgoing = Outgoing(10, 100)
    for n in range(5):
        outgoing.keep(bytes([n]))
    for _ in range(3):
        outgoing.next()
    outgoing.came(b"\0")
    outgoing.link_lost(orderly=True)

    assert [outgoing.next() for _ in range(5)] == [b"\1", b"\2", b"\3", b"\4", None]


class Bus(RuleBasedStateMachine):
    """
    A client's outgoing texts and a bus that echoes what it has.

    What the connection took may still be lost with it, from any point on.
    """

    def __init__(self) -> None:
        super().__init__()
        self.outgoing = Outgoing(100_000, 10_000_000)
        self.count = 0
        self.under_way: deque[bytes] = deque()  # the connection took it, the bus has it not
        self.to_come: deque[bytes] = deque()  # the bus has it, we have not seen it again
        self.delivered: list[bytes] = []
        self.link_was_lost = False
        # A bus has to be seen to send us our own before anything is sent again.
        self.outgoing.keep(b"first")
        self.send()
        self.arrive()
        self.see()

    @rule(many=st.integers(1, 5))
    def keep(self, many: int) -> None:
        for _ in range(many):
            self.outgoing.keep(b"%d" % self.count)
            self.count += 1

    @rule()
    def send(self) -> None:
        text = self.outgoing.next()
        if text is not None:
            self.under_way.append(text)

    @rule()
    def not_taken(self) -> None:
        text = self.outgoing.next()
        if text is not None:
            self.outgoing.stayed(text)

    @precondition(lambda self: self.under_way)
    @rule()
    def arrive(self) -> None:
        text = self.under_way.popleft()
        self.delivered.append(text)
        self.to_come.append(text)

    @precondition(lambda self: self.to_come)
    @rule()
    def see(self) -> None:
        self.outgoing.came(self.to_come.popleft())

    @rule()
    def hear_another(self) -> None:
        self.outgoing.came(b"of somebody else")

    @rule(arrived=st.integers(0, 5))
    def lose_the_link(self, arrived: int) -> None:
        for _ in range(min(arrived, len(self.under_way))):
            self.delivered.append(self.under_way.popleft())
        self.under_way.clear()
        self.to_come.clear()
        self.outgoing.link_lost()
        self.link_was_lost = True

    @invariant()
    def first_deliveries_are_in_order(self) -> None:
        firsts = [int(text) for text in dict.fromkeys(self.delivered) if text != b"first"]
        assert firsts == list(range(len(firsts)))

    @invariant()
    def nothing_comes_twice_without_a_loss(self) -> None:
        assert self.link_was_lost or len(set(self.delivered)) == len(self.delivered)

    def teardown(self) -> None:
        while (text := self.outgoing.next()) is not None:
            self.under_way.append(text)
        self.delivered.extend(self.under_way)
        assert {b"%d" % n for n in range(self.count)} <= set(self.delivered)
        self.first_deliveries_are_in_order()


TestBus = Bus.TestCase
TestBus.__doc__ = "Every text is delivered, in order; and twice only if a link was lost."
TestBus.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
