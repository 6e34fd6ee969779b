"""The subprotocol ovos-bus.v1 on the wire: a client says what it wants to hear, and hears that."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from ovos_bus.subscriptions import MAX_ORDER_CHARS, SUBSCRIBE, UNSUBSCRIBE, Bounds
from tests.daemon.test_tokens import KITCHEN, Guarded, client
from tests.support.processes import Daemon
from tests.support.rawsocket import PING, PONG, RawClient, frame

StartDaemon = Callable[..., Daemon]

OFFER = {"Sec-WebSocket-Protocol": "ovos-bus.v1"}


class Subscriber(RawClient):
    """A client that uses subscriptions."""

    def __init__(self, port: int, **headers: str) -> None:
        super().__init__(port, headers=OFFER | headers)

    def order(self, what: str, *types: str) -> None:
        self.say_message(what, types=list(types))

    def subscribe(self, *types: str) -> None:
        self.order(SUBSCRIBE, *types)

    def unsubscribe(self, *types: str) -> None:
        self.order(UNSUBSCRIBE, *types)

    def settled(self) -> list[str]:
        """Wait until the bus has taken all that was said; return the types that came meanwhile."""
        self.send(frame(b"?", PING))
        types = []
        while (received := self.read_frame()) != (PONG, b"?"):
            types.append(json.loads(received[1])["type"])
        return types


def page(daemon: Daemon, path: str) -> str:
    connection = HTTPConnection("127.0.0.1", daemon.port, timeout=10)
    connection.request("GET", path)
    text = connection.getresponse().read().decode()
    connection.close()
    return text


def metric(daemon: Daemon, name: str) -> int:
    found = re.search(rf"^ovos_bus_{name} (\S+)$", page(daemon, "/metrics"), re.MULTILINE)
    assert found is not None
    return int(float(found[1]))


def numbers(daemon: Daemon) -> list[Any]:
    """Return what the page says of each client's subscriptions."""
    return [each["subscriptions"] for each in json.loads(page(daemon, "/clients"))["clients"]]


@pytest.mark.parametrize(
    ("offer", "selected"),
    [
        ("ovos-bus.v1", True),
        ("chat, ovos-bus.v1 ,mqtt", True),
        ("ovos-bus.v2", False),
        ("OVOS-BUS.V1", False),
        ("", False),
    ],
)
def test_it_is_selected_when_it_is_offered(daemon: Daemon, offer: str, selected: bool) -> None:
    """Perhaps among others, of which none is ever selected."""
    with RawClient(daemon.port, headers={"Sec-WebSocket-Protocol": offer}) as client:
        answer = "Sec-Websocket-Protocol: ovos-bus.v1\r\n"
        assert (answer.lower() in client.headers.lower() + "\r\n") is selected
        assert ("sec-websocket-protocol" in client.headers.lower()) is selected
        client.say_message("x")
        client.send(frame(b"?", PING))
        received = client.read_frame()
        assert (received == (PONG, b"?")) is selected


def test_nothing_but_the_greeting_comes_before_it_subscribes(daemon: Daemon) -> None:
    """Then the types that it named, whoever says them, and itself is no exception."""
    with Subscriber(daemon.port) as one, RawClient(daemon.port) as other:
        assert one.greeting is not None
        assert one.greeting["type"] == "connected"
        one.say_message("a")
        other.read_until("a")
        other.say_message("b")
        other.read_until("b")
        assert one.settled() == []

        one.subscribe("a", "b")
        assert one.settled() == []
        for type_ in ("a", "b", "c"):
            other.say_message(type_)
        other.read_until("c")
        one.say_message("a")
        assert one.settled() == ["a", "b", "a"]

        one.unsubscribe("b", "never.asked.for")
        assert one.settled() == []
        for type_ in ("b", "a"):
            other.say_message(type_)
        other.read_until("a")
        assert one.read_message()["type"] == "a"


def test_subscribe_then_ask_never_misses_the_answer(daemon: Daemon) -> None:
    """In one write: what comes after an order is answered with the order in force."""
    with Subscriber(daemon.port) as one, RawClient(daemon.port) as answering:

        def answer() -> None:
            for _ in range(200):
                n = answering.read_until("ask")[-1]["data"]["n"]
                answering.say_message(f"answer.{n}")

        thread = threading.Thread(target=answer)
        thread.start()
        for n in range(200):
            order = {"type": SUBSCRIBE, "data": {"types": [f"answer.{n}"]}}
            ask = {"type": "ask", "data": {"n": n}}
            one.send(b"".join(frame(json.dumps(each).encode()) for each in (order, ask)))
            assert one.read_message()["type"] == f"answer.{n}"
            one.unsubscribe(f"answer.{n}")
        thread.join()
        assert one.settled() == []


def test_orders_take_effect_where_they_stand(daemon: Daemon) -> None:
    """Between messages of one write, on and off, with nothing before, after or out of order."""
    with Subscriber(daemon.port) as one:
        texts = []
        for n in range(100):
            for type_, data in (
                (SUBSCRIBE, {"types": ["n"]}),
                ("n", {"n": n}),
                ("n", {"n": n + 0.5}),
                (UNSUBSCRIBE, {"types": ["n"]}),
                ("n", {"n": "not to be heard"}),
            ):
                texts.append(frame(json.dumps({"type": type_, "data": data}).encode()))
        one.send(b"".join(texts))
        heard = [one.read_message()["data"]["n"] for _ in range(200)]

        assert heard == [n / 2 for n in range(200)]
        assert one.settled() == []


def test_a_star_is_everything(daemon: Daemon) -> None:
    """Without it, the client is back at the types that it named."""
    with Subscriber(daemon.port) as one, RawClient(daemon.port) as other:
        one.subscribe("a")
        one.subscribe("*")
        one.subscribe("b")
        assert one.settled() == []
        assert numbers(daemon) == ["all", "all"]
        for type_ in ("a", "x"):
            other.say_message(type_)
        other.read_until("x")
        one.unsubscribe("*")
        assert one.settled() == ["a", "x"]
        assert numbers(daemon) == [2, "all"]
        for type_ in ("x", "b", "a"):
            other.say_message(type_)
        other.read_until("a")
        assert one.settled() == ["b", "a"]


def test_without_the_subprotocol_orders_are_messages(daemon: Daemon) -> None:
    """They are relayed, also to those who subscribed to them, and change nothing."""
    with RawClient(daemon.port) as plain, Subscriber(daemon.port) as one:
        one.subscribe(SUBSCRIBE)
        assert one.settled() == []
        plain.say_message(SUBSCRIBE, types=["a"])
        assert plain.read_message()["type"] == SUBSCRIBE
        assert one.read_message()["data"] == {"types": ["a"]}
        plain.say_message("b")
        assert plain.read_message()["type"] == "b"
        assert metric(daemon, "orders_total") == 1


def test_who_subscribes_changes_nothing_for_the_others(daemon: Daemon) -> None:
    """Everybody sees one order: each subscriber a part of what a plain client sees."""
    with RawClient(daemon.port) as plain:
        subscribers = [Subscriber(daemon.port) for _ in range(3)]
        for at, each in enumerate(subscribers):
            each.subscribe("all", f"n.{at}", f"n.{(at + 1) % 3}")
            assert each.settled() == []

        def talk(talker: RawClient, who: int) -> None:
            for n in range(300):
                talker.say_message(f"n.{n % 4}", who=who, n=n)

        talkers = [*subscribers, plain]
        threads = [
            threading.Thread(target=talk, args=(talker, who)) for who, talker in enumerate(talkers)
        ]
        for thread in threads:
            thread.start()
        seen = [plain.read_message() for _ in range(4 * 300)]
        for thread in threads:
            thread.join()
        plain.say_message("all")
        for at, each in enumerate(subscribers):
            types = {f"n.{at}", f"n.{(at + 1) % 3}"}
            expected = [m["data"] for m in seen if m["type"] in types]
            assert [m["data"] for m in each.read_until("all")[:-1]] == expected
            each.socket.close()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("{}", "data.types is missing"),
        ("[]", "data is not an object"),
        ('{"types": "a"}', "data.types is not a list"),
        ('{"types": ["a", 1]}', r"data.types\[1\] is not a string"),
        ('{"types": ["a", ""]}', r"data.types\[1\] is empty"),
    ],
)
@pytest.mark.parametrize("order", [SUBSCRIBE, UNSUBSCRIBE])
def test_a_malformed_order_is_dropped_whole(
    daemon: Daemon, order: str, data: str, reason: str
) -> None:
    """One warning says why, and the connection and what it hears stay as they were."""
    with Subscriber(daemon.port) as one:
        one.subscribe("b")
        one.say(f'{{"type": "{order}", "data": {data}}}')
        daemon.expect_warning(f"dropped a malformed message of client 1 .*: {reason}: ")
        one.say_message("a")
        one.say_message("b")
        assert one.settled() == ["b"]

    assert metric(daemon, "malformed_total") == 1
    assert metric(daemon, "orders_total") == 1


def test_who_names_too_many_types_is_sent_everything(daemon: Daemon) -> None:
    """With a warning that says the limit: nothing is missed that was asked for."""
    with Subscriber(daemon.port) as one, Subscriber(daemon.port) as other:
        most = Bounds().types
        one.subscribe(*(f"t{n}" for n in range(most)))
        assert one.settled() == []
        assert numbers(daemon) == [most, 0]
        assert metric(daemon, "subscriptions") == most
        one.subscribe("one.more")
        daemon.expect_warning(f"sending everything to client 1 .*: {most + 1} types, and {most} is")
        one.unsubscribe("*")
        one.subscribe("two.more")
        assert one.settled() == []
        for type_ in ("anything", "one.more"):
            other.say_message(type_)
        assert other.settled() == []
        assert one.settled() == ["anything", "one.more"]
        assert numbers(daemon) == ["all", 0]

    assert metric(daemon, "overfilled_total") == 1
    assert metric(daemon, "subscriptions") == 0


def test_a_million_types_are_not_read(daemon: Daemon) -> None:
    """An order that is longer than what could be kept costs no more than its text."""
    with Subscriber(daemon.port) as one:
        text = json.dumps({"type": SUBSCRIBE, "data": {"types": ["t"] * 1_000_000}})
        assert len(text) > MAX_ORDER_CHARS
        before = daemon.memory()
        one.say(text)
        daemon.expect_warning(f"everything to client 1 .* and {MAX_ORDER_CHARS} is the limit")
        assert one.settled() == []
        one.say_message("anything")
        assert one.settled() == ["anything"]

    # Its text came in fragments of 64 KiB and is held several times; its strings would be 60 MB.
    assert daemon.memory() - before < 10 * len(text)


def test_a_flood_of_orders_leaves_the_others_alone(daemon: Daemon) -> None:
    """While one client changes its mind about thousands of types, a pair misses nothing."""
    with (
        RawClient(daemon.port) as one,
        RawClient(daemon.port) as other,
        Subscriber(daemon.port) as fool,
    ):
        fool.subscribe(*(f"t{n}" for n in range(Bounds().types)))
        toggle = [{"type": each, "data": {"types": ["*"]}} for each in (SUBSCRIBE, UNSUBSCRIBE)]
        orders = b"".join(frame(json.dumps(each).encode()) for each in toggle)
        done = threading.Event()

        def change_its_mind() -> None:
            while not done.is_set():
                fool.send(orders * 10)

        def read() -> None:
            while fool.read_frame() != (PONG, b"end"):
                pass

        threads = [threading.Thread(target=work) for work in (change_its_mind, read)]
        for thread in threads:
            thread.start()
        for n in range(300):
            one.say_message("n", n=n)
            assert [each.read_message()["data"]["n"] for each in (one, other)] == [n, n]
        done.set()
        threads[0].join()
        fool.send(frame(b"end", PING))
        threads[1].join()


def test_a_role_decides_what_a_subscription_can_have(
    start_daemon: StartDaemon, tmp_path: Path
) -> None:
    """Role and subscription; other rules leave the subscription as it is."""

    def rules(*subscribe: str) -> str:
        default = '[default]\npublish = ["*"]\nsubscribe = ["*"]\n'
        return default + client("kitchen", KITCHEN, [], list(subscribe))

    bus = Guarded(start_daemon, tmp_path, rules("a", "b.*"))
    with (
        bus.join() as one,
        Subscriber(bus.daemon.port, Authorization=f"Bearer {KITCHEN}") as kitchen,
    ):

        def said(*types: str) -> list[str]:
            for type_ in types:
                one.say_message(type_)
            one.read_until(types[-1])
            return kitchen.settled()

        kitchen.subscribe("a", "b.1", "secret")
        assert kitchen.settled() == []
        assert said("a", "b.1", "b.2", "secret") == ["a", "b.1"]

        bus.reload(rules("secret", "b.*"))
        bus.daemon.wait_for("rules of .*tokens of kitchen")
        while "a" in (heard := said("a", "b.1", "b.2", "secret")):
            pass  # the line of the start was the same, so the rules are not read again yet
        assert heard == ["b.1", "secret"]

        kitchen.subscribe("*")
        assert kitchen.settled() == []
        assert said("a", "b.1", "b.2", "secret") == ["b.1", "b.2", "secret"]
        kitchen.unsubscribe("*", "b.1")
        assert kitchen.settled() == []
        assert said("a", "b.1", "b.2", "secret") == ["secret"]


def test_other_libraries_negotiate_it(daemon: Daemon) -> None:
    """tornado's own client does, and the daemon answers in the words that it expects."""

    async def converse() -> list[str]:
        one: WebSocketClientConnection = await websocket_connect(
            f"ws://127.0.0.1:{daemon.port}/core", subprotocols=["ovos-bus.v1"]
        )
        assert one.selected_subprotocol == "ovos-bus.v1"
        for type_, data in ((SUBSCRIBE, {"types": ["b"]}), ("a", {}), ("b", {})):
            await one.write_message(json.dumps({"type": type_, "data": data}))
        heard = [json.loads(str(await one.read_message()))["type"] for _ in range(2)]
        one.close()
        while await one.read_message() is not None:
            pass
        return heard

    assert asyncio.run(converse()) == ["connected", "b"]


def test_orders_are_not_counted_as_messages(daemon: Daemon) -> None:
    """They are counted on their own, and the page tells how many types a client subscribes to."""
    with Subscriber(daemon.port) as one, RawClient(daemon.port):
        one.subscribe("a", "b")
        one.unsubscribe("b")
        one.say_message("a")
        assert one.settled() == ["a"]
        clients = json.loads(page(daemon, "/clients"))["clients"]

        assert [each["subscriptions"] for each in clients] == [1, "all"]
        assert [each["received"]["messages"] for each in clients] == [1, 0]
        assert [each["sent"]["messages"] for each in clients] == [2, 2]
        assert (metric(daemon, "received_total"), metric(daemon, "orders_total")) == (1, 2)
        assert metric(daemon, "delivered_total") == 2
