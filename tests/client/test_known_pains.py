"""
Each fault that users of the client have reported, or that was found by running it, by its name.

The reports are numbered as in the facts about the client of today; where another file tests a fault
already, the table says where.
"""

from __future__ import annotations

import ast
import queue
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ovos_bus_client import Message, MessageBusClient, Session, SessionManager
from ovos_bus_client.client import skill_connection
from tests.support.drivers import AsyncDriver, Inbox, SyncDriver, asynchronous
from tests.support.impostor import Guest, Impostor
from tests.support.processes import ROOT, Daemon, Program, environment

TIMEOUT = 10.0

Connect = Callable[..., MessageBusClient]

HERE = "client/test_known_pains"
BOTH = "client/test_both_clients"
SESSIONS = "client/test_session_manager"

# By the number of the report: the fault, and the tests that show that it is gone.
REPORTED: dict[int, dict[str, str]] = {
    1: {"crash at interpreter shutdown": "client/test_client::test_a_program_may_end_amid_traffic"},
    2: {
        "the process hangs at exit": (
            "client/test_client::test_a_program_may_end_while_the_bus_is_away"
        ),
        "close is ignored while backing off": (
            "client/test_closing::test_it_may_be_closed_in_every_state"
        ),
    },
    3: {"an odd greeting reconnects for ever": f"{HERE}::test_an_odd_greeting_costs_nothing"},
    4: {
        "a half-open connection is never noticed": (
            "client/test_keep_alive::test_a_half_open_connection_is_noticed"
        )
    },
    5: {"layers above are not told of a connection": f"{HERE}::test_every_new_connection_is_told"},
    6: {
        "a late bus is not reached": "client/test_client::test_a_bus_that_starts_later_is_found",
        "nobody says where it was looked for": f"{HERE}::test_an_outage_costs_one_line",
    },
    7: {"a retry only every 60 s": f"{HERE}::test_a_local_bus_is_looked_for_every_second"},
    8: {
        "messages are lost around a restart": (
            "client/test_faults::test_a_bus_that_is_killed_under_load_loses_nothing"
        ),
        "connected_event stays set": (
            f"{BOTH}::test_what_was_emitted_during_an_outage_arrives_in_order"
        ),
    },
    9: {"errors on first boot": f"{HERE}::test_an_outage_costs_one_line"},
    10: {"storms of warnings": f"{HERE}::test_an_outage_costs_one_line"},
    11: {
        "one session overwrites everyone's default": (
            f"{HERE}::test_a_message_of_the_default_session_does_not_change_it"
        )
    },
    12: {
        "a skill's own process knows no sessions": (
            f"{HERE}::test_a_process_that_only_has_a_client_knows_sessions"
        )
    },
    13: {
        "an answer for another": f"{BOTH}::test_answers_are_told_apart_by_session",
        "two satellites get mixed up": f"{SESSIONS}::test_two_satellites_get_mixed_up",
    },
    14: {"a response loses its routing": f"{HERE}::test_a_response_goes_back"},
    15: {
        "extend is ignored": "client/test_collector::test_somebody_needs_more_time",
        "collecting takes a fixed time": "client/test_collector::test_everybody_answers",
    },
    16: {
        "the pool starves": "client/test_pool::test_it_never_starves",
        "handlers that ask starve each other": f"{HERE}::test_handlers_that_ask_are_all_answered",
    },
    17: {"handlers of other clients are called": f"{HERE}::test_clients_share_no_handlers"},
    18: {
        "removing kills others' handlers": f"{BOTH}::test_a_removed_handler_is_not_called",
        "a skill that goes takes others' handlers along": (
            "client/test_events::test_a_container_removes_only_its_own"
        ),
    },
    19: {"remove raises": f"{BOTH}::test_removing_what_is_not_there_costs_a_warning"},
    20: {
        "a handler is called twice": (
            "client/test_client::test_a_function_registered_twice_is_called_once"
        ),
        "a failed shutdown leaves handlers": (
            f"{HERE}::test_a_skill_that_failed_to_shut_down_leaves_no_handlers"
        ),
        "a failed shutdown leaves handlers of events": (
            "client/test_events::test_a_shutdown_that_fails_leaves_no_handler"
        ),
    },
    21: {
        "the bus is open to all the network": (
            "daemon/test_config::test_beyond_loopback_has_to_be_meant"
        ),
        "a client looks for it on 0.0.0.0": (
            "client/test_util::test_the_bus_is_on_this_machine_unless_told"
        ),
    },
    22: {
        "no TLS with a certificate of one's own": (
            "client/test_encrypted_client::test_a_client_speaks_tls"
        )
    },
    23: {"pins break installations": "compat/test_oldest::test_the_oldest_releases_will_do"},
    24: {
        "wait_while_speaking misses the end": (
            f"{SESSIONS}::TestWaiting::test_wait_while_speaking_misses_the_end"
        ),
        "wait_while_speaking does not wait": f"{HERE}::test_speaking_is_waited_for",
    },
    25: {
        "commands hang for ever without a bus": (
            "client/test_scripts::test_without_a_bus_there_is_a_hint"
        )
    },
}

# Found by running the client of today; nobody has reported these.
FOUND = {
    "44 ms of Nagle": f"{HERE}::test_small_messages_are_not_held_back",
    "replies cross": f"{BOTH}::test_answers_are_told_apart_by_session",
    "prune_sessions wipes all": f"{SESSIONS}::test_prune_sessions_wipes_all",
    "remove_context is inverted": "client/test_intent_context::test_remove_context_is_inverted",
    "handlers overtake each other": f"{BOTH}::test_messages_come_in_order",
    "recursion per reconnect": "client/test_faults::test_outages_leave_nothing_behind",
    "a closed client comes back": (
        "client/test_closing::test_a_client_closed_in_an_outage_comes_back_to_life"
    ),
    "once leaks for lists of types": f"{HERE}::test_nothing_is_left_of_a_wait_for_several",
    "the registry of sessions grows": f"{SESSIONS}::test_the_registry_is_bounded",
    "the ssl setting is ignored": "client/test_encrypted_client::test_a_client_speaks_tls",
    "import * is broken": "client/test_exports::test_everything_can_be_imported_at_once",
    "a collector cannot be iterated": (
        "client/test_collector::test_iteration_yields_answers_as_they_come"
    ),
    "the status of an event is never answered": (
        "client/test_scheduler::test_the_status_of_an_event_is_answered"
    ),
    "a scheduled event cannot be updated": "client/test_events::test_data_can_be_changed",
    "a crash loses the schedule": "client/test_scheduler::test_it_survives_being_killed",
    "a bad frame disconnects": f"{BOTH}::test_a_frame_that_is_no_message_costs_a_line",
}

PLACES = {place for faults in REPORTED.values() for place in faults.values()} | set(FOUND.values())


@pytest.mark.parametrize("place", sorted(PLACES))
def test_the_table_is_true(place: str) -> None:
    """Each test that the table names is there, and says in a sentence what it shows."""
    file, *names = place.split("::")
    node: Any = ast.parse((ROOT / "tests" / f"{file}.py").read_text())
    for name in names:
        (node,) = (child for child in node.body if getattr(child, "name", None) == name)

    assert names[-1].startswith("test_")
    assert ast.get_docstring(node)


def test_every_report_has_a_test() -> None:
    """The table leaves out none of the 25 reports."""
    assert sorted(REPORTED) == list(range(1, 26))
    assert all(REPORTED.values())


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


@asynchronous
async def test_an_outage_costs_one_line(kind: Any, silence: list[Any]) -> None:
    """Attempt after attempt, and whatever is emitted: one warning, with address and reason."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    client, attempts = kind(port), Inbox()
    await client.on("reconnecting", attempts)
    await client.start()
    for n in range(6):
        await client.emit(Message("t", {"n": n}))
        await attempts.take()
    await client.close()

    (line,) = (record.getMessage() for record in silence)
    assert f"no connection to ws://127.0.0.1:{port}/core" in line
    assert "refused" in line.lower()
    silence.clear()


SKILL = """
import sys, threading
from ovos_bus_client import MessageBusClient, SessionManager

bus = MessageBusClient("127.0.0.1", int(sys.argv[1]), "/core", False)

def answer(message):
    known = SessionManager.sessions["sat-7"]
    bus.emit(message.response({"lang": known.lang, "speaking": known.is_speaking}))

bus.on("what.is.known", answer)
bus.run_in_thread()
assert bus.flush(10)
print("ready")
threading.Event().wait()
"""


def test_a_process_that_only_has_a_client_knows_sessions(
    daemon: Daemon, connect: Connect, tmp_path: Path
) -> None:
    """Without a call to SessionManager, a skill's own process follows what becomes of sessions."""
    client = connect(daemon.port)
    skill = Program(["-c", SKILL, str(daemon.port)], environment(tmp_path))
    try:
        skill.wait_for("ready")
        context = {"session": {"session_id": "sat-7", "lang": "de-DE"}}
        client.emit(Message("recognizer_loop:audio_output_start", {}, context))
        # The next message says no more than who it is: the rest is remembered.
        context = {"session": {"session_id": "sat-7"}}
        question = Message("what.is.known", {}, context)
        answer = client.wait_for_response(question, timeout=TIMEOUT)
    finally:
        skill.process.kill()
        skill.stop()

    assert answer is not None, skill.output
    assert answer.data == {"lang": "de-DE", "speaking": True}


def test_handlers_that_ask_are_all_answered(daemon: Daemon, connect: Connect) -> None:
    """Twelve questions at a time, each handled by asking, six levels deep: all are answered."""
    client, asker = connect(daemon.port), connect(daemon.port)
    depth, chains = 6, 12

    def handle(message: Message) -> None:
        n, level = message.data["n"], message.data["level"]
        total = 0
        if level:
            question = Message("ask", {"n": n, "level": level - 1})
            answer = client.wait_for_response(question, f"answer.{n}.{level - 1}", TIMEOUT)
            total = answer.data["total"] + 1 if answer else -100
        client.emit(Message(f"answer.{n}.{level}", {"total": total}))

    client.on("ask", handle)
    assert client.flush(TIMEOUT)
    answers: queue.Queue[Message] = queue.Queue()
    for n in range(chains):
        asker.on(f"answer.{n}.{depth}", answers.put)
    for n in range(chains):
        asker.emit(Message("ask", {"n": n, "level": depth}))

    assert [answers.get(timeout=TIMEOUT * 2).data["total"] for _ in range(chains)] == [
        depth
    ] * chains


def test_a_skill_that_failed_to_shut_down_leaves_no_handlers(
    daemon: Daemon, connect: Connect
) -> None:
    """Whoever unloads a skill closes its connection, and with it go all handlers it left."""
    shared, calls = connect(daemon.port), queue.Queue[int]()

    def load(generation: int) -> MessageBusClient:
        client: MessageBusClient = skill_connection(shared, "skill", own=True)
        # A new function each time, as the methods of a new object are.
        client.on("t", lambda message: calls.put(generation))
        assert client.flush(TIMEOUT)
        return client

    skill = load(0)
    for generation in (1, 2):
        skill.close()  # it did not remove its handlers itself
        skill.emitter.shutdown()
        skill = load(generation)
    shared.emit(Message("t"))
    assert skill.wait_for_response(Message("beat"), "beat", TIMEOUT) is not None

    assert calls.get(timeout=TIMEOUT) == 2
    assert calls.empty()
    skill.close()
    skill.emitter.shutdown(wait=True)


def test_speaking_is_waited_for(daemon: Daemon, connect: Connect) -> None:
    """Of a real bus: it waits while the session speaks, and its end is the end of the wait."""
    begin, end = "recognizer_loop:audio_output_start", "recognizer_loop:audio_output_end"
    audio, session = connect(daemon.port), Session("sat-8")
    SessionManager.update(session)

    def say(topic: str, session_id: str = "sat-8") -> None:
        audio.emit(Message(topic, {}, {"session": {"session_id": session_id}}))

    say(begin)
    until = time.monotonic() + TIMEOUT
    while not SessionManager.is_speaking(session):
        assert time.monotonic() < until
        time.sleep(0.001)
    over = queue.Queue[bool]()
    waiting = threading.Thread(
        target=lambda: over.put(SessionManager.wait_while_speaking(TIMEOUT, session))
    )
    waiting.start()
    say(end, "somebody else")
    assert audio.wait_for_response(Message("beat"), "beat", TIMEOUT) is not None
    assert over.empty()
    say(end)

    assert over.get(timeout=TIMEOUT) is True
    waiting.join(TIMEOUT)
    assert not SessionManager.is_speaking(session)
