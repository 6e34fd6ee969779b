"""What the clients ask the bus for, on a real daemon and on servers that look closely."""

from __future__ import annotations

import asyncio
import json
import logging
import queue
import time
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from pyee.base import EventEmitter

from ovos_bus_client import Message, MessageBusClient, SessionManager
from ovos_bus_client._core import flight
from ovos_bus_client._core.interest import PROTOCOL, SUBSCRIBE, UNSUBSCRIBE
from ovos_bus_client._core.times import ORDER_TIMEOUT
from ovos_bus_client.client import MessageWaiter
from ovos_bus_client.errors import WrongSetting
from tests.support.config import configure
from tests.support.drivers import TIMEOUT, Inbox, Kind, SyncDriver, asynchronous, running
from tests.support.impostor import Guest, Impostor
from tests.support.processes import Daemon
from tests.support.rawsocket import CLOSE, PING, PONG, TEXT, RawClient

Records = list[logging.LogRecord]


async def beat(client: SyncDriver) -> None:
    """Return when everything that was sent to a client before has been handed out."""
    assert await client.flush(TIMEOUT)
    assert await client.wait_for_response(Message("test.beat"), "test.beat", timeout=TIMEOUT)


async def messages_sent_to(daemon: Daemon, client: SyncDriver) -> int:
    """Return how many messages the bus has sent to a client, its greeting among them."""
    assert await client.flush(TIMEOUT)

    def read() -> list[Mapping[str, Any]]:
        with urllib.request.urlopen(f"http://127.0.0.1:{daemon.port}/clients") as page:
            listed: list[Mapping[str, Any]] = json.load(page)["clients"]
        return listed

    (count,) = (
        each["sent"]["messages"]
        for each in await asyncio.to_thread(read)
        if each["name"] == client.client.name
    )
    return int(count)


def say_all(daemon: Daemon, *types: str) -> None:
    """Have somebody else say messages of these types, and return when the bus has them."""
    with RawClient(daemon.port) as speaker:
        for type_ in types:
            speaker.say_message(type_)
        speaker.say_message("test.end")
        speaker.read_until("test.end")


class Witness:
    """A bus of one that writes down what its guest says. It speaks `PROTOCOL`."""

    def __init__(self, *, answers: bool = True) -> None:
        self._answers = answers
        self.pings: queue.Queue[bytes] = queue.Queue()
        self.heard: queue.Queue[dict[str, Any]] = queue.Queue()
        self.guests: queue.Queue[Guest] = queue.Queue()

    def serve(self, guest: Guest) -> None:
        guest.shake_hands(PROTOCOL)
        self.guests.put(guest)
        while True:
            opcode, payload = guest.read_frame()
            if opcode == TEXT:
                self.heard.put(json.loads(payload))
            elif opcode == PING:
                self.pings.put(payload)
                if self._answers:
                    guest.send(payload, PONG)
            elif opcode == CLOSE:
                return guest.send(payload, CLOSE)

    async def next(self, *types: str) -> dict[str, Any]:
        """Return the next message of one of some types."""
        while True:
            message = await asyncio.to_thread(self.heard.get, True, TIMEOUT)
            if message["type"] in types:
                return dict(message)


# ---------------------------------------------------------------------- what is sent


@asynchronous
async def test_what_nobody_listens_to_is_not_sent(kind: Kind, daemon: Daemon) -> None:
    """Not one byte of it; what a client says itself is no exception."""
    async with running(kind, daemon.port, name="me") as client:
        before = await messages_sent_to(daemon, client)
        await asyncio.to_thread(say_all, daemon, *["t"] * 50)
        await client.emit(Message("t"))

        assert await messages_sent_to(daemon, client) == before


@asynchronous
async def test_what_somebody_listens_to_is_sent(kind: Kind, daemon: Daemon) -> None:
    """To `on`, `once`, a tap, the emitter itself and a wait; and nothing besides."""
    async with running(kind, daemon.port, name="me") as client:
        boxes = {way: Inbox() for way in ("on", "once", "tap", "emitter")}
        before = await messages_sent_to(daemon, client)
        await client.on("a", boxes["on"])
        await client.once("b", boxes["once"])
        await client.tap("c", boxes["tap"])
        client.client.emitter.on("d", boxes["emitter"])
        waiting = asyncio.ensure_future(client.wait_for_message("e", TIMEOUT))
        while "e" not in client.client.pending:
            await asyncio.sleep(0)
        assert await client.flush(TIMEOUT)
        await asyncio.to_thread(say_all, daemon, *"abcdefgh")

        assert (await waiting).msg_type == "e"
        assert [(await box.take()).msg_type for box in boxes.values()] == ["a", "b", "c", "d"]
        assert await messages_sent_to(daemon, client) == before + 5


@asynchronous
async def test_a_handler_registered_before_the_start_counts(kind: Kind, daemon: Daemon) -> None:
    """A connection begins with what is listened to already."""
    client, inbox = kind(daemon.port), Inbox()
    await client.on("t", inbox)
    await client.start()
    await client.wait_until_connected()
    assert await client.flush(TIMEOUT)
    await asyncio.to_thread(say_all, daemon, "t")

    assert (await inbox.take()).msg_type == "t"
    await client.close()


@asynchronous
async def test_whoever_wants_every_frame_gets_every_frame(kind: Kind, daemon: Daemon) -> None:
    """The local event `message` is a subscription to everything, as long as it lasts."""
    async with running(kind, daemon.port, name="me") as client:
        inbox, other = Inbox(), Inbox()
        await client.on("t", other)
        await beat(client)
        await client.on("message", inbox)
        await asyncio.to_thread(say_all, daemon, "a", "t")
        assert [json.loads(await inbox.take())["type"] for _ in range(3)] == ["a", "t", "test.end"]
        assert (await other.take()).msg_type == "t"

        await client.remove("message", inbox)
        await asyncio.to_thread(say_all, daemon, "a")  # the first costs the subscription
        before = await messages_sent_to(daemon, client)
        await asyncio.to_thread(say_all, daemon, *"aabb", "t")
        assert (await other.take()).msg_type == "t"
        assert await messages_sent_to(daemon, client) == before + 1


# ---------------------------------------------------------------------- no answer is missed


@asynchronous
async def test_an_answer_is_never_missed(kind: Kind, daemon: Daemon) -> None:
    """Who asks something new each time is told each time, and so are many who ask at once."""
    async with running(kind, daemon.port) as asker, running(kind, daemon.port) as answerer:
        for n in range(100):
            await answerer.answer(f"q{n}", Message.response)
        assert await answerer.flush(TIMEOUT)
        for n in range(50):
            assert await asker.wait_for_response(Message(f"q{n}"), timeout=TIMEOUT)
        answers = await asyncio.gather(
            *(asker.wait_for_response(Message(f"q{n}"), timeout=TIMEOUT) for n in range(50, 100))
        )

        assert [answer.msg_type for answer in answers] == [f"q{n}.response" for n in range(50, 100)]


@asynchronous
async def test_an_answer_is_not_missed_right_after_a_reconnect(
    kind: Kind, start_daemon: Callable[..., Daemon], silence: Records
) -> None:
    """On a new connection a client asks for all that it wants before it says anything."""
    daemon = start_daemon()
    async with running(kind, daemon.port) as client:
        heard, opened, closed = Inbox(), Inbox(), Inbox()
        await client.on("t", heard)
        await client.on("open", opened)
        await client.on("close", closed)
        for n in range(3):
            daemon.stop()
            await closed.take()
            daemon = start_daemon(port=daemon.port)
            await client.emit(Message("t", {"n": n}))
            await opened.take()
            assert await heard.take_data(1) == [n]
            assert await client.wait_for_response(Message("u"), "u", timeout=TIMEOUT)
    assert {record.levelno for record in silence} == {logging.WARNING}
    silence.clear()


@asynchronous
async def test_answers_are_collected(kind: Kind, daemon: Daemon) -> None:
    """Neither who promises nor who answers is missed, the first time either."""
    async with running(kind, daemon.port) as asker, running(kind, daemon.port) as answerer:
        for n in range(20):
            await answerer.collector(f"who{n}", lambda question: question.success())
        assert await answerer.flush(TIMEOUT)
        for n in range(20):
            answers = await asker.collect_responses(Message(f"who{n}"), max_timeout=TIMEOUT)
            assert len(answers) == 1


@asynchronous
async def test_a_handler_that_comes_as_the_last_one_goes_is_told(
    kind: Kind, daemon: Daemon
) -> None:
    """Giving back and asking for one type at once ends with whoever listens being told."""
    async with running(kind, daemon.port) as client, running(kind, daemon.port) as other:
        for n in range(200):
            inbox = Inbox()
            await other.emit(Message("t"))  # for nobody here, so the type is given back
            await client.on("t", inbox)
            await client.emit(Message("t", {"n": n}))
            while (await inbox.take()).data.get("n") != n:
                pass
            await client.remove("t", inbox)


@asynchronous
async def test_a_handler_is_told_of_what_others_say_from_then_on() -> None:
    """When `on`, `once` or the making of a wait returns, the bus knows of it."""
    witness = Witness(answers=False)
    with Impostor(witness.serve) as server:
        client, inbox = SyncDriver(server.port), Inbox()
        await client.start()
        guest = await asyncio.to_thread(witness.guests.get, True, TIMEOUT)
        guest.send(await asyncio.to_thread(witness.pings.get, True, TIMEOUT), PONG)
        await client.wait_until_connected()
        for register in (
            lambda: client.client.on("a", inbox),
            lambda: client.client.once("b", inbox),
            lambda: MessageWaiter(client.client, "c"),
        ):
            registering = asyncio.ensure_future(asyncio.to_thread(register))
            question = await asyncio.to_thread(witness.pings.get, True, TIMEOUT)
            assert not registering.done()
            guest.send(question, PONG)
            await asyncio.wait_for(registering, TIMEOUT)
        assert not client.client._mute
        await client.close()


@asynchronous
async def test_a_bus_that_does_not_answer_holds_up_no_program() -> None:
    """The first handler waits for it, the next thousand do not."""
    witness = Witness(answers=False)
    with Impostor(witness.serve) as server:
        client, inbox = SyncDriver(server.port), Inbox()
        await client.start()
        guest = await asyncio.to_thread(witness.guests.get, True, TIMEOUT)
        guest.send(await asyncio.to_thread(witness.pings.get, True, TIMEOUT), PONG)
        await client.wait_until_connected()
        await client.on("a", inbox)
        assert client.client._mute
        before = time.monotonic()
        for n in range(1000):
            await client.on(f"t{n}", inbox)

        assert time.monotonic() - before < 1000 * ORDER_TIMEOUT / 10
        await client.close()


@asynchronous
async def test_a_client_is_connected_when_the_bus_knows_what_it_wants(kind: Kind) -> None:
    """Before that, what others say could pass it by."""
    witness = Witness(answers=False)
    with Impostor(witness.serve) as server:
        client, opened = kind(server.port), Inbox()
        await client.on("open", opened)
        await client.start()
        guest = await asyncio.to_thread(witness.guests.get, True, TIMEOUT)
        question = await asyncio.to_thread(witness.pings.get, True, TIMEOUT)
        assert (await witness.next("ovos.session.sync"))["type"] == "ovos.session.sync"
        assert not client.connected
        assert opened.empty
        guest.send(question, PONG)

        await opened.take()
        assert client.connected
        await client.close()


# ---------------------------------------------------------------------- what is said for it


@asynchronous
async def test_a_connection_begins_with_one_order(kind: Kind) -> None:
    """A thousand handlers are asked for in one message, before anything else is said."""
    witness = Witness()
    with Impostor(witness.serve) as server:
        client, inbox = kind(server.port), Inbox()
        for n in range(900):
            await client.on(f"t{n}", inbox)
        await client.start()
        await client.wait_until_connected()
        await client.emit(Message("last"))
        first = await asyncio.to_thread(witness.heard.get, True, TIMEOUT)
        second = await asyncio.to_thread(witness.heard.get, True, TIMEOUT)
        third = await asyncio.to_thread(witness.heard.get, True, TIMEOUT)
        await client.close()

    assert first["type"] == SUBSCRIBE
    assert {f"t{n}" for n in range(900)} < set(first["data"]["types"])
    assert "ovos.session.update_default" in first["data"]["types"]
    assert (second["type"], third["type"]) == ("ovos.session.sync", "last")


@asynchronous
async def test_a_question_asked_again_costs_no_order(kind: Kind) -> None:
    """The answer's type is asked for once, and given back when it comes for nobody."""
    witness = Witness()
    with Impostor(witness.serve) as server:
        async with running(kind, server.port) as client:
            guest = witness.guests.get(timeout=TIMEOUT)
            await witness.next(SUBSCRIBE)
            for n in range(3):
                asking = asyncio.ensure_future(client.wait_for_response(Message("q")))
                if n == 0:
                    order = await witness.next(SUBSCRIBE, "q")
                    assert order["data"]["types"] == ["q.response"]
                assert (await witness.next(SUBSCRIBE, "q"))["type"] == "q"
                guest.say("q.response")
                assert await asking
            guest.say("q.response")
            order = await witness.next(SUBSCRIBE, UNSUBSCRIBE)

    assert order == {"type": UNSUBSCRIBE, "data": {"types": ["q.response"]}, "context": {}}


# ---------------------------------------------------------------------- who gets everything


class Reader(MessageBusClient):
    """A client that reads the frames itself."""

    def __init__(self, port: int, **options: Any) -> None:
        self.types: queue.Queue[str] = queue.Queue()
        super().__init__("127.0.0.1", port, "/core", False, **options)

    def on_message(self, *args: Any) -> None:
        self.types.put(json.loads(args[-1])["type"])
        super().on_message(*args)


@asynchronous
async def test_a_subclass_that_reads_itself_is_sent_everything(daemon: Daemon) -> None:
    """It gets what nobody registered for, as it always has."""
    client = Reader(daemon.port)
    client.run_in_thread()
    assert client.connected_event.wait(TIMEOUT)
    await asyncio.to_thread(say_all, daemon, "t")

    while client.types.get(timeout=TIMEOUT) != "t":
        pass
    client.close()


class Foreign(EventEmitter):
    """An emitter that is none of ours."""

    def shutdown(self) -> None:
        """There is nothing to end."""


@asynchronous
async def test_a_foreign_emitter_is_sent_everything(kind: Kind, daemon: Daemon) -> None:
    """We would not know who listens there."""
    async with running(kind, daemon.port, name="me", emitter=Foreign()) as client:
        before = await messages_sent_to(daemon, client)
        await asyncio.to_thread(say_all, daemon, "t", "u")

        assert await messages_sent_to(daemon, client) == before + 3  # and the end


@asynchronous
async def test_subscriptions_may_be_switched_off(
    kind: Kind, daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`websocket.subscriptions: false` is how it was."""
    configure(monkeypatch, websocket={"subscriptions": False})
    async with running(kind, daemon.port, name="me") as client:
        before = await messages_sent_to(daemon, client)
        await asyncio.to_thread(say_all, daemon, "t", "u")

        assert await messages_sent_to(daemon, client) == before + 3  # and the end


@asynchronous
async def test_the_switch_is_true_or_false(kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    """Anything else is an error that names the key and the value."""
    configure(monkeypatch, websocket={"subscriptions": "no"})
    with pytest.raises(WrongSetting, match=r"websocket\.subscriptions.*'no'"):
        kind(1)


@asynchronous
async def test_a_bus_that_knows_no_subscriptions_is_not_asked(kind: Kind) -> None:
    """It selects nothing of what the client offers, and hears nothing of the matter."""
    heard: queue.Queue[str] = queue.Queue()
    offers: queue.Queue[str] = queue.Queue()

    def serve(guest: Guest) -> None:
        guest.shake_hands()
        offers.put(guest.request)
        while True:
            opcode, payload = guest.read_frame()
            if opcode == TEXT:
                heard.put(json.loads(payload)["type"])
            guest.send(payload, opcode)

    with Impostor(serve) as server:
        async with running(kind, server.port) as client:
            inbox = Inbox()
            await client.on("t", inbox)
            await client.emit(Message("t"))
            await inbox.take()
            assert await client.wait_for_response(Message("q"), "q")

    offer = f"Sec-WebSocket-Protocol: {PROTOCOL}".lower()
    assert offer in offers.get(timeout=TIMEOUT).lower()
    assert [heard.get(timeout=TIMEOUT) for _ in range(3)] == ["ovos.session.sync", "t", "q"]


# ---------------------------------------------------------------------- nothing is lost


@asynchronous
async def test_what_was_not_vouched_for_is_said_again(
    kind: Kind, silence: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bus that takes messages and answers no ping may have lost them; a pong says it has not."""
    monkeypatch.setattr(flight, "FRESH", 0.0)  # else what arrived just before is said again, too
    connections: queue.Queue[list[str]] = queue.Queue()

    def serve(guest: Guest) -> None:
        guest.shake_hands(PROTOCOL)
        heard: list[str] = []
        dies = connections.empty() and first.is_set()
        while True:
            opcode, payload = guest.read_frame()
            if opcode == TEXT:
                heard.append(json.loads(payload)["type"])
            elif opcode == PING and not (dies and "lost" in heard):
                guest.send(payload, PONG)
            if heard and heard[-1] == "end":
                connections.put(heard)
                if dies:
                    return

    first = asyncio.Event()
    first.set()
    with Impostor(serve) as server:
        async with running(kind, server.port) as client:
            await client.emit(Message("arrived"))
            assert await client.flush(TIMEOUT)
            await client.emit(Message("lost"))
            await client.emit(Message("end"))
            before = await asyncio.to_thread(connections.get, True, TIMEOUT)
            first.clear()
            again = await asyncio.to_thread(connections.get, True, TIMEOUT)

    assert [type_ for type_ in before if "." not in type_] == ["arrived", "lost", "end"]
    assert [type_ for type_ in again if "." not in type_] == ["lost", "end"]
    assert "no connection" in silence.pop().getMessage()


@asynchronous
async def test_a_restart_repeats_nothing(
    kind: Kind, start_daemon: Callable[..., Daemon], silence: Records
) -> None:
    """A bus that stops in order says what it has heard; nobody hears that twice, or not at all."""
    daemon = start_daemon()
    async with running(kind, daemon.port) as client, running(kind, daemon.port) as other:
        inbox, closed, opened = Inbox(), Inbox(), Inbox()
        await other.on("t", inbox)
        await client.on("close", closed)
        await client.on("open", opened)
        assert await other.flush(TIMEOUT)
        for n in range(300):
            await client.emit(Message("t", {"n": n}))
        stopping = asyncio.ensure_future(asyncio.to_thread(daemon.stop))
        await closed.take()
        await stopping
        start_daemon(port=daemon.port)
        await opened.take()
        await client.emit(Message("t", {"n": "end"}))
        got = []
        while not got or got[-1] != "end":
            got += await inbox.take_data(1)

    assert got == [*range(300), "end"]
    assert SessionManager.default_session.session_id == "default"
    silence.clear()
