"""
Each fault that users of the client have reported, or that was found by running it, by its name.

The numbers are those of the reports in the facts about the client; where another file tests a
fault already, the table says where.
"""

from __future__ import annotations

import ast
import queue
import socket
from collections.abc import Callable
from typing import Any

import pytest

from ovos_bus_client import Message, MessageBusClient, Session, SessionManager
from tests.support.drivers import AsyncDriver, Inbox, SyncDriver, asynchronous
from tests.support.impostor import Guest, Impostor
from tests.support.processes import ROOT, Daemon

TIMEOUT = 10.0

Connect = Callable[..., MessageBusClient]

HERE = "test_known_pains"

COVERED = {
    "1 crash at interpreter shutdown": "test_client::test_a_program_may_end_amid_traffic",
    "2 process hangs at exit": "test_client::test_a_program_may_end_while_the_bus_is_away",
    "2 close is ignored while backing off": (
        "test_both_clients::test_a_client_that_waits_for_the_bus_may_be_closed"
    ),
    "3 an odd greeting reconnects for ever": f"{HERE}::test_an_odd_greeting_costs_nothing",
    "4 half-open connection": "test_faults::test_a_half_open_connection_is_noticed",
    "5 layers above are not told of a new connection": (
        f"{HERE}::test_every_new_connection_is_told"
    ),
    "6 a late bus is not reached": "test_client::test_a_bus_that_starts_later_is_found",
    "7 a retry only every 60 s": f"{HERE}::test_a_local_bus_is_looked_for_every_second",
    "8 messages lost around a restart": (
        "test_faults::test_a_bus_that_is_killed_under_load_loses_nothing"
    ),
    "8 connected_event stays set": (
        "test_both_clients::test_what_was_emitted_during_an_outage_arrives_in_order"
    ),
    "9 errors on first boot": "test_client::test_a_bus_that_starts_later_is_found",
    "10 storms of warnings": (
        "test_both_clients::test_a_client_that_waits_for_the_bus_may_be_closed"
    ),
    "11 one session overwrites everyone's default": (
        f"{HERE}::test_a_message_of_the_default_session_does_not_change_it"
    ),
    "13 an answer for another": "test_both_clients::test_answers_are_told_apart_by_session",
    "14 a response loses its routing": f"{HERE}::test_a_response_goes_back",
    "15 extend is ignored": "test_collector::test_somebody_needs_more_time",
    "15 collecting takes a fixed time": "test_collector::test_everybody_answers",
    "16 the pool starves": "test_pool::test_it_never_starves",
    "17 handlers of other clients are called": f"{HERE}::test_clients_share_no_handlers",
    "18 removing kills others' handlers": "test_client::test_a_removed_handler_is_not_called",
    "18 a skill that goes takes others' handlers along": (
        "test_events::test_a_container_removes_only_its_own"
    ),
    "19 remove raises": "test_both_clients::test_removing_what_is_not_there_costs_a_warning",
    "20 handlers are called twice": "test_client::test_a_function_registered_twice_is_called_once",
    "20 a failed shutdown leaves handlers": (
        "test_events::test_a_shutdown_that_fails_leaves_no_handler"
    ),
    "22 no TLS with a certificate of one's own": "test_encrypted_client::test_a_client_speaks_tls",
    "found: 44 ms of Nagle": f"{HERE}::test_small_messages_are_not_held_back",
    "found: replies cross": "test_both_clients::test_answers_are_told_apart_by_session",
    "found: handlers overtake each other": "test_both_clients::test_messages_come_in_order",
    "found: recursion per reconnect": "test_faults::test_a_thousand_outages_leave_nothing_behind",
    "found: a closed client comes back": "test_client::test_a_closed_client_stays_closed",
    "found: once leaks for lists of types": f"{HERE}::test_nothing_is_left_of_a_wait_for_several",
    "found: the ssl setting is ignored": "test_encrypted_client::test_a_client_speaks_tls",
    "found: import * is broken": "test_exports::test_everything_can_be_imported_at_once",
    "found: a collector cannot be iterated": (
        "test_collector::test_iteration_yields_answers_as_they_come"
    ),
    "found: the status of an event is never answered": (
        "test_scheduler::test_the_status_of_an_event_is_answered"
    ),
    "found: a scheduled event cannot be updated": "test_events::test_data_can_be_changed",
    "found: a crash loses the schedule": "test_scheduler::test_it_survives_being_killed",
    "found: a bad frame disconnects": (
        "test_both_clients::test_a_frame_that_is_no_message_costs_a_line"
    ),
}


@pytest.mark.parametrize("place", sorted(set(COVERED.values())))
def test_the_table_is_true(place: str) -> None:
    """Each test that the table names is there."""
    file, _, name = place.partition("::")
    tree = ast.parse((ROOT / "tests" / "client" / f"{file}.py").read_text())

    assert name in {getattr(node, "name", None) for node in tree.body}


@pytest.fixture(params=[SyncDriver, AsyncDriver], ids=["sync", "async"])
def kind(request: pytest.FixtureRequest) -> Any:
    return request.param


@asynchronous
async def test_an_odd_greeting_costs_nothing(kind: Any) -> None:
    """A greeting with keys that nobody knows is a message, and the connection stays."""
    connections: list[Guest] = []

    def serve(guest: Guest) -> None:
        guest.shake_hands()
        connections.append(guest)
        guest.send(b'{"type":"connected","data":null,"context":{"session":null},"x":[],"__msg":1}')
        guest.say("after")
        guest.read_until_closed()

    with Impostor(serve) as server:
        client, greeting, after = kind(server.port), Inbox(), Inbox()
        await client.on("connected", greeting)
        await client.on("after", after)
        await client.start()
        assert (await greeting.take()).data == {}
        await after.take()
        assert client.connected
        await client.close()
    assert len(connections) == 1


@asynchronous
async def test_every_new_connection_is_told(kind: Any, silence: list[Any]) -> None:
    """Layers above hear `close` and `open` for each connection, and can shake hands again."""
    connections: list[Guest] = []

    def serve(guest: Guest) -> None:
        guest.shake_hands()
        connections.append(guest)
        assert b"session.sync" in guest.read_frame()[1]
        if len(connections) > 3:
            guest.read_until_closed()

    with Impostor(serve) as server:
        client, told = kind(server.port), queue.Queue[str]()
        for event in ("open", "close"):
            await client.on(event, lambda event=event: told.put(event))
        await client.start()
        both = Inbox()
        await client.on("reconnecting", both)
        for _ in range(3):
            await both.take()
        await client.wait_until_connected()
        await client.close()
    events = [told.get_nowait() for _ in range(told.qsize())]
    assert events.count("open") == len(connections) == 4
    assert events.count("close") >= 3
    silence.clear()


def test_a_local_bus_is_looked_for_every_second(make_client: Connect) -> None:
    """However long the bus is away, a client on its machine waits a second at most."""
    client = make_client(1)

    assert max(client._backoff.next_delay() for _ in range(1000)) <= 1.0


def test_a_message_of_the_default_session_does_not_change_it(
    daemon: Daemon, connect: Connect
) -> None:
    """Only the orchestrator's topic changes the default session, whatever a message carries."""
    client, inbox = connect(daemon.port), queue.Queue[Message]()
    client.on("t", inbox.put)
    session = {"session_id": "default", "lang": "xx-XX"}
    client.emit(Message("t", {}, {"session": session}))
    assert inbox.get(timeout=TIMEOUT).context["session"] == session
    client.emit(Message("t"))

    assert inbox.get(timeout=TIMEOUT).context["session"] == {"session_id": "default"}
    assert SessionManager.default_session.serialize() == Session("default").serialize()


def test_a_response_goes_back(daemon: Daemon, connect: Connect) -> None:
    """An answer names as its destination where the question came from."""
    asker, other = connect(daemon.port), connect(daemon.port)
    other.on("q", lambda question: other.emit(question.response()))
    assert other.flush(TIMEOUT)
    question = Message("q", {}, {"source": "satellite", "destination": "skills", "extra": 1})
    answer = asker.wait_for_response(question, timeout=TIMEOUT)

    assert answer is not None
    context = {key: answer.context[key] for key in ("source", "destination", "extra")}
    assert context == {"source": "skills", "destination": "satellite", "extra": 1}


def test_clients_share_no_handlers(daemon: Daemon, connect: Connect) -> None:
    """Of two clients in a process, each calls only its own handlers, once."""
    one, two = connect(daemon.port), connect(daemon.port)
    calls: queue.Queue[str] = queue.Queue()
    one.on("t", lambda message: calls.put("one"))
    two.on("t", lambda message: calls.put("two"))
    one.emit(Message("t"))
    for client in (one, two):
        for _ in range(2):
            assert client.wait_for_response(Message("beat"), "beat", TIMEOUT) is not None

    assert sorted(calls.get(timeout=TIMEOUT) for _ in range(2)) == ["one", "two"]
    assert calls.empty()


@asynchronous
async def test_small_messages_are_not_held_back(kind: Any, daemon: Daemon) -> None:
    """The client's socket does not wait for more to send."""
    client = kind(daemon.port)
    await client.start()
    await client.wait_until_connected()
    if isinstance(client, AsyncDriver):
        found = client.client._connection.protocol.stream.socket
    else:
        found = client.client.client.sock.sock

    assert found.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    await client.close()


@asynchronous
async def test_nothing_is_left_of_a_wait_for_several(kind: Any, daemon: Daemon) -> None:
    """After a wait for several types there is no listener for any of them."""
    client = kind(daemon.port)
    await client.start()
    await client.wait_until_connected()
    for _ in range(5):
        found = await client.wait_for_response(Message("q"), ["a", "q", "b"], TIMEOUT)
        assert found.msg_type == "q"

    assert not any(t in client.client.pending for t in ("a", "q", "b"))
    assert not any(client.client.emitter.listeners(t) for t in ("a", "q", "b"))
    await client.close()
