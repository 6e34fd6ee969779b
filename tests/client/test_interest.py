"""What a client wants to be sent."""

from __future__ import annotations

import json
from collections.abc import Iterable

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from ovos_bus_client._core.interest import BATCH, EVERYTHING, SUBSCRIBE, UNSUBSCRIBE, Interest


class Bus:
    """The other end: what it was asked for."""

    def __init__(self) -> None:
        self.types: set[str] = set()
        self.orders = 0

    def hear(self, text: bytes | None) -> None:
        if text is None:
            return
        self.orders += 1
        order = json.loads(text)
        assert order["data"]["types"]
        change = {SUBSCRIBE: self.types.update, UNSUBSCRIBE: self.types.difference_update}
        change[order["type"]](order["data"]["types"])

    def sends(self, type_: str) -> bool:
        return EVERYTHING in self.types or type_ in self.types


def interest(wanted: Iterable[str]) -> tuple[set[str], Interest, Bus]:
    """Return what is wanted, which may be changed, and both ends."""
    here = set(wanted)
    return here, Interest(here.__contains__, lambda: tuple(here)), Bus()


def begun(wanted: Iterable[str] = ()) -> tuple[set[str], Interest, Bus]:
    here, interest_, bus = interest(wanted)
    for text in interest_.begin():
        bus.hear(text)
    return here, interest_, bus


def test_a_thousand_types_are_asked_for_in_few_messages() -> None:
    """A connection begins with all types that are listened to, many in a message."""
    wanted = [f"t{n}" for n in range(2 * BATCH + 1)]
    _, _, bus = begun(wanted)

    assert bus.types == set(wanted)
    assert bus.orders == 3


def test_a_type_is_asked_for_once() -> None:
    """What was asked for already is not asked for again."""
    here, interest_, bus = begun(["a"])
    here.add("b")

    assert not interest_.lacks(["a"])
    assert interest_.lacks(["a", "b"])
    bus.hear(interest_.ask(["a", "b"]))
    assert not interest_.lacks(["b"])
    assert interest_.ask(["b"]) is None
    assert (bus.types, bus.orders) == ({"a", "b"}, 2)


def test_what_can_be_no_type_is_not_asked_for() -> None:
    """A program may listen to anything; a bus would drop all of such an order (M3)."""
    _, interest_, bus = begun(["", "a"])

    assert bus.types == {"a"}
    assert not interest_.lacks([""])
    assert interest_.ask(["", None]) is None  # type: ignore[list-item]


def test_a_type_is_kept_until_it_costs_something() -> None:
    """Nobody listens any more, and still it is asked for until a message comes for nobody."""
    here, interest_, bus = begun(["a"])
    here.clear()
    assert not interest_.lacks(["a"])
    bus.hear(interest_.give_back("a"))

    assert bus.types == set()
    assert interest_.lacks(["a"])
    assert interest_.give_back("a") is None


def test_what_is_wanted_is_not_given_back() -> None:
    """Somebody began to listen while the message was looked at."""
    _, interest_, bus = begun(["a"])

    assert interest_.give_back("a") is None
    assert not interest_.lacks(["a"])
    assert bus.types == {"a"}


def test_everything_is_given_back_first() -> None:
    """Where nobody wants everything any more, that is what a message for nobody was sent for."""
    here, interest_, bus = begun(["a", EVERYTHING])
    here.remove(EVERYTHING)
    bus.hear(interest_.give_back("x"))
    assert bus.types == {"a"}

    assert interest_.give_back("x") is None  # the bus has not read it yet


def test_a_bus_that_sends_everything_is_asked_for_nothing() -> None:
    """Before a connection, after it, and with a bus that knows no subscriptions."""
    _, interest_, _ = interest(["a"])
    assert not interest_.lacks(["b"])
    assert interest_.ask(["b"]) is None
    list(interest_.begin())
    assert interest_.lacks(["b"])
    interest_.end()

    assert not interest_.lacks(["b"])
    assert interest_.ask(["b"]) is None
    assert interest_.give_back("a") is None


class Conversation(RuleBasedStateMachine):
    """Handlers come and go, messages come, connections are lost and made."""

    types = st.sampled_from(["a", "b", "c", EVERYTHING])

    def __init__(self) -> None:
        super().__init__()
        self.here, self.interest, self.bus = begun()

    @rule(type_=types)
    def somebody_listens(self, type_: str) -> None:
        self.here.add(type_)
        if self.interest.lacks([type_]):
            self.bus.hear(self.interest.ask([type_]))

    @rule(type_=types)
    def nobody_listens(self, type_: str) -> None:
        self.here.discard(type_)

    @rule(type_=st.sampled_from(["a", "b", "c", "d"]))
    def a_message_comes(self, type_: str) -> None:
        if self.bus.sends(type_) and type_ not in self.here and EVERYTHING not in self.here:
            before = len(self.bus.types)
            self.bus.hear(self.interest.give_back(type_))
            assert len(self.bus.types) == before - 1

    @rule()
    def the_connection_is_lost(self) -> None:
        self.interest.end()
        self.bus.types.clear()
        for text in self.interest.begin():
            self.bus.hear(text)

    @invariant()
    def what_is_wanted_is_sent(self) -> None:
        assert self.here <= self.bus.types


TestConversation = Conversation.TestCase
TestConversation.settings = settings(max_examples=50, stateful_step_count=30, deadline=None)
