"""Who is sent a message of a type, and how much may be asked for."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovos_bus.audience import Audience
from ovos_bus.errors import TooManyTypes
from ovos_bus.message_types import Types
from ovos_bus.outbox import Outbox
from ovos_bus.subscriptions import Bounds
from tests.support.wires import ReadyWire

BOUNDS = Bounds(types=3, size=10, total_types=5, total_size=18)

letters = st.text("ab", max_size=3)
patterns = st.sets(letters.filter(bool) | letters.map(lambda text: text + "*"))


def client(name: str = "a") -> Outbox:
    return Outbox(name, ReadyWire(), lambda: 0.0)


def subscriber(audience: Audience, *types: str, may: Types | None = None) -> Outbox:
    new = client()
    audience.join(new, may, subscribes=True)
    audience.subscribe(new, types)
    return new


@given(patterns, letters)
def test_a_set_of_types_holds_what_its_patterns_match(these: set[str], type_: str) -> None:
    """Whatever is left out because something else covers it."""
    types = Types(these)

    assert (type_ in types) == any(fnmatchcase(type_, pattern) for pattern in these)
    assert types.everything == ("*" in these)
    covered = [*types.exact, *types.prefixes]
    assert not any(
        name.startswith(prefix) and name is not prefix
        for name in covered
        for prefix in types.prefixes
    )


@given(st.lists(patterns, max_size=5), letters)
def test_each_is_found_once_who_may_hear(roles: list[set[str]], type_: str) -> None:
    """However many patterns of a client match, and in whatever order clients came."""
    audience = Audience()
    clients = [client() for _ in roles]
    for each, may in zip(clients, roles, strict=True):
        audience.join(each, Types(may))
    hearing = [c for c, may in zip(clients, roles, strict=True) if type_ in Types(may)]

    assert sorted(audience.choosy(type_), key=id) == sorted(hearing, key=id)
    for each in clients:
        assert audience.leave(each)
    assert audience.choosy(type_) == audience.everyone == ()
    assert not audience.is_choosy


def test_nothing_is_left_of_those_who_leave() -> None:
    """The index is as large as what is in it."""
    audience = Audience()
    gone = [subscriber(audience, "a", "b"), subscriber(audience, "b", "*")]
    gone.append(subscriber(audience, "c", may=Types(["c*"])))
    audience.restrict(gone[0], Types(["a", "d*"]))
    gone.append(client())
    audience.join(gone[-1], Types(["e*", "f"]))
    for each in gone:
        assert audience.leave(each)
        assert not audience.leave(each)

    assert (len(audience), audience.named, audience._size) == (0, 0, 0)
    assert audience._by_name == audience._by_type == audience._by_prefix == {}
    assert (audience._lengths, audience._starred) == ((), set())


@pytest.mark.parametrize(
    ("before", "types", "words"),
    [
        ([], ["a", "b", "c", "d"], "4 types, and 3 is the limit"),
        (["a", "b"], ["c", "d"], "4 types, and 3 is the limit"),
        ([], ["a" * 11], "11 bytes of types, and 10 is the limit"),
        (["aaaaa"], ["\N{EURO SIGN}" * 2], "11 bytes of types, and 10 is the limit"),
    ],
)
def test_one_client_is_bounded(before: list[str], types: list[str], words: str) -> None:
    """What would be too much changes nothing, and the error says how much there would be."""
    audience = Audience(BOUNDS)
    one = subscriber(audience, *before)
    with pytest.raises(TooManyTypes) as refusal:
        audience.subscribe(one, types)

    assert str(refusal.value) == words
    assert audience.subscriptions(one) == len(before)
    assert all(not audience.choosy(type_) for type_ in types)


@pytest.mark.parametrize(
    ("each", "words"),
    [
        (["a", "b"], "6 types of all clients, and 5 is the limit"),
        (["a" * 9], "27 bytes of types of all clients, and 18 is the limit"),
    ],
)
def test_all_together_are_bounded(each: list[str], words: str) -> None:
    """Who leaves, unsubscribes or is sent everything makes room for others."""
    audience = Audience(BOUNDS)
    clients = [subscriber(audience, *each), subscriber(audience, *each), subscriber(audience)]
    with pytest.raises(TooManyTypes) as refusal:
        audience.subscribe(clients[2], each)
    assert str(refusal.value) == words

    audience.unsubscribe(clients[0], each)
    audience.subscribe(clients[2], each)
    audience.overfill(clients[1])
    audience.subscribe(clients[0], each)
    audience.leave(clients[0])
    audience.subscribe(subscriber(audience), each)
    assert audience.named == 2 * len(each)


def test_what_is_named_already_costs_nothing() -> None:
    """A client that says everything again, as after a doubt, is not over the limit."""
    audience = Audience(BOUNDS)
    one = subscriber(audience, "a", "b", "c")
    audience.subscribe(one, ["c", "b", "a", "*"])
    audience.subscribe(one, ["a", "a"])
    audience.unsubscribe(one, ["*", "nothing"])

    assert audience.subscriptions(one) == 3
    assert audience.choosy("a") == (one,)


@pytest.mark.parametrize("may", [None, Types(["a", "b*"])])
def test_who_was_overfull_stays_so(may: Types | None) -> None:
    """It may have been refused a name, so no order makes it miss anything any more."""
    audience = Audience(BOUNDS)
    one = subscriber(audience, "a", may=may)
    audience.overfill(one)
    for types in (["a", "*"], ["z"]):
        audience.unsubscribe(one, types)
        audience.subscribe(one, types)

    assert audience.subscriptions(one) is None
    assert audience.is_sent_everything(one) is (may is None)
    assert {type_ for type_ in "abz" if one in audience.choosy(type_) + audience.everyone} == (
        set("abz") if may is None else set("ab")
    )


def test_who_does_not_subscribe_has_nothing_to_order() -> None:
    """Orders change nothing for a client that is sent everything anyway."""
    audience = Audience(BOUNDS)
    one = client()
    audience.join(one, None)
    audience.subscribe(one, ["a"])
    audience.unsubscribe(one, ["*"])

    assert audience.everyone == (one,)
    assert (audience.subscriptions(one), audience.named) == (None, 0)
