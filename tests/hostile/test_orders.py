"""Subscriptions as a weapon: one row is an order, and what it may cost."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ovos_bus.subscriptions import SUBSCRIBE, UNSUBSCRIBE, Bounds
from tests.hostile.arena import Arena
from tests.hostile.support import count
from tests.support.rawsocket import PING, PONG, RawClient, frame

BOUNDS = Bounds()


def order(types: str, what: str = SUBSCRIBE) -> bytes:
    return frame(f'{{"type": "{what}", "data": {{"types": {types}}}}}'.encode())


def names(number: int, prefix: str = "t") -> str:
    return json.dumps([f"{prefix}{n}" for n in range(number)])


# What is attacked | the list of types | MiB it may cost
CASES: list[tuple[str, str, int]] = [
    ("no list", '"speak"', 16),
    ("nothing", "[]", 16),
    ("4 million empty types", "[" + ",".join(['""'] * 4 * 10**6) + "]", 96),
    ("4 million types", "[" + ",".join(['"a"'] * 4 * 10**6) + "]", 128),
    ("a million types", names(10**6), 96),
    ("a type of 20 MiB", '["' + "x" * 20 * 2**20 + '"]', 160),
    ("a type of a megabyte", '["' + "x" * 2**20 + '"]', 32),
    ("half a million times the same", "[" + ",".join(['"a"'] * 500_000) + "]", 96),
    ("half pairs", '["' + "\\ud800" * 100_000 + '"]', 32),
    ("100,000 lists deep", "[" * 100_000 + "]" * 100_000, 16),
    ("a type that clears the screen", '["\\u001b[2J", 1]', 16),
]


@contextmanager
def subscriber(arena: Arena) -> Iterator[RawClient]:
    with arena.client(headers={"Sec-WebSocket-Protocol": "ovos-bus.v1"}) as client:
        yield client


def settle(client: RawClient) -> None:
    client.send(frame(b"settled", PING))
    while client.read_frame() != (PONG, b"settled"):
        pass


@pytest.mark.parametrize(("types", "growth"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_an_order(arena: Arena, types: str, growth: int) -> None:
    """It is obeyed, dropped, or answered with everything; its sender stays, and is heard."""
    with arena.attacked(growth), subscriber(arena) as client:
        for what in (SUBSCRIBE, UNSUBSCRIBE, SUBSCRIBE):
            client.send(order(types, what))
        client.send(order('["after"]') + frame(b'{"type": "after"}'))
        while client.read_message()["type"] != "after":
            pass


def test_a_flood_of_orders(arena: Arena) -> None:
    """Names by the thousand, everything, nothing: as fast as a client can."""
    with arena.attacked(48), subscriber(arena) as client:
        many = names(BOUNDS.types)
        client.send(order(many))
        for _ in range(1000):
            client.send((order('["*"]') + order('["*"]', UNSUBSCRIBE)) * 5)
        for _ in range(20):
            client.send(order(many, UNSUBSCRIBE) + order(many))
        settle(client)


def test_as_many_types_as_all_may_name(arena: Arena) -> None:
    """The limit for all holds, whoever comes; those who leave take their types along."""
    clients = BOUNDS.total_types // BOUNDS.types + 5
    with arena.attacked(192):
        there = [
            arena.client(headers={"Sec-WebSocket-Protocol": "ovos-bus.v1"}) for _ in range(clients)
        ]
        for number, client in enumerate(there):
            client.send(order(names(BOUNDS.types, f"ovos.some.skill.{number}.")))
            settle(client)
        assert count(arena.port, "subscriptions") == BOUNDS.total_types
        for client in there:
            client.socket.close()
        while count(arena.port, "subscriptions"):
            pass


def test_types_that_nobody_has_named(arena: Arena) -> None:
    """Publishing ever new types keeps nothing of them."""
    with arena.attacked(), subscriber(arena) as client:
        client.send(order('["a"]'))
        for first in range(0, 100_000, 1000):
            types = itertools.islice(itertools.count(first), 1000)
            client.send(b"".join(frame(b'{"type": "new.%d"}' % n) for n in types))
        settle(client)
