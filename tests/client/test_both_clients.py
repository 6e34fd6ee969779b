"""What the two clients have in common: one suite that runs against each."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import queue
import signal
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from ovos_bus_client import Message, Session, SessionManager
from ovos_bus_client.errors import ClientClosed, NotRunning
from tests.support.drivers import (
    TIMEOUT,
    AsyncDriver,
    Inbox,
    Kind,
    SyncDriver,
    asynchronous,
    running,
)
from tests.support.impostor import Guest, Impostor
from tests.support.processes import Daemon

# What "at once" may take on a machine that is busy with something else.
SOON = 4.0

Records = list[logging.LogRecord]


async def watch(client: SyncDriver, *events: str) -> dict[str, Inbox]:
    inboxes = {event: Inbox() for event in events}
    for event, inbox in inboxes.items():
        await client.on(event, inbox)
    return inboxes


async def beat(client: SyncDriver) -> None:
    """Return when everything that was emitted before has been handed out and handled."""
    inbox = Inbox()
    await client.on("test.beat", inbox)
    await client.emit(Message("test.beat"))
    await inbox.take()
    await client.remove("test.beat", inbox)


def take_warning(silence: Records, text: str) -> None:
    (record,) = silence
    assert text in record.getMessage()
    assert record.levelno == logging.WARNING
    silence.clear()


def echo(guest: Guest) -> None:
    """Be a bus of one."""
    guest.shake_hands()
    while True:
        opcode, payload = guest.read_frame()
        guest.send(payload, opcode)


# ---------------------------------------------------------------------- messages


@asynchronous
async def test_a_message_comes_back_by_way_of_the_bus(kind: Kind, daemon: Daemon) -> None:
    """A client gets its own message from the bus: equal, but another object."""
    async with running(kind, daemon.port) as client:
        inbox = (await watch(client, "t"))["t"]
        message = Message("t", {"n": 1}, {"source": "me"})
        await client.emit(message)

        got = await inbox.take()
        assert got == message
        assert got is not message
        assert message.context["session"]["session_id"] == "default"


@asynchronous
async def test_messages_come_in_order(kind: Kind, daemon: Daemon) -> None:
    """An ordered handler gets what another client emits, in order."""
    async with running(kind, daemon.port) as one, running(kind, daemon.port) as two:
        inbox = (await watch(two, "t"))["t"]
        for n in range(200):
            await one.emit(Message("t", {"n": n}))

        assert await inbox.take_data(200) == list(range(200))


@asynchronous
async def test_once_is_once(kind: Kind, daemon: Daemon) -> None:
    """A handler for once gets one message, however often it was registered."""
    async with running(kind, daemon.port) as client:
        inbox = Inbox()
        await client.once("t", inbox)
        await client.once("t", inbox)
        for n in range(3):
            await client.emit(Message("t", {"n": n}))

        assert await inbox.take_data(1) == [0]
        await beat(client)
        assert inbox.empty


@asynchronous
async def test_a_removed_handler_is_not_called(kind: Kind, daemon: Daemon) -> None:
    """Removing ends `on`, `once` and `on_collect`; others stay."""
    async with running(kind, daemon.port) as client:
        gone, stays = Inbox(), (await watch(client, "t"))["t"]
        for register in (client.on, client.once, client.on_collect):
            await register("t", gone)
            await client.remove("t", gone)
        await client.emit(Message("t"))

        await stays.take()
        await beat(client)
        assert gone.empty


@asynchronous
async def test_removing_what_is_not_there_costs_a_warning(kind: Kind, silence: Records) -> None:
    """An unknown function, an unknown type and a second removal are warned of, not raised."""
    client, inbox = kind(1), Inbox()
    await client.on("t", inbox)
    for event, function in (("t", print), ("unknown", inbox)):
        await client.remove(event, function)
        take_warning(silence, f"'{event}'")
    await client.remove("t", inbox)
    assert silence == []
    await client.remove("t", inbox)
    take_warning(silence, "'t'")
    await client.close()


@asynchronous
async def test_all_handlers_of_a_type_may_be_removed(kind: Kind, daemon: Daemon) -> None:
    """Removing all listeners ends all of one type, and needs a type."""
    async with running(kind, daemon.port) as client:
        inboxes = await watch(client, "t", "u")
        await client.remove_all_listeners("t")
        with pytest.raises(ValueError, match="event_name is None"):
            await client.remove_all_listeners(None)
        await client.emit(Message("t"))
        await client.emit(Message("u"))

        await inboxes["u"].take()
        await beat(client)
        assert inboxes["t"].empty


@asynchronous
async def test_one_function_may_answer_several_collections(kind: Kind, daemon: Daemon) -> None:
    """A function registered with `on_collect` for two types can be removed from each."""
    async with running(kind, daemon.port) as client:
        inbox = Inbox()
        await client.on_collect("a", inbox)
        await client.on_collect("b", inbox)
        await client.remove("a", inbox)
        await client.remove("b", inbox)
        await client.emit(Message("a"))
        await client.emit(Message("b"))

        await beat(client)
        assert inbox.empty


@asynchronous
async def test_an_error_in_a_handler_is_told(kind: Kind, daemon: Daemon, silence: Records) -> None:
    """The log names the type and the handler; the local event `error` gets the exception."""

    def stumble(message: Message) -> None:
        raise ValueError("stumbled")

    async with running(kind, daemon.port) as client:
        errors = (await watch(client, "error"))["error"]
        await client.on("t", stumble)
        await client.emit(Message("t"))

        assert repr(await errors.take()) == "ValueError('stumbled')"
        await beat(client)
        assert errors.empty
        (record,) = silence
        assert "stumble of 't' failed: ValueError('stumbled')" in record.getMessage()
        silence.clear()


@asynchronous
async def test_an_error_in_a_handler_of_errors_is_told_once(
    kind: Kind, daemon: Daemon, silence: Records
) -> None:
    """A handler of `error` that fails itself costs a line in the log, and is not called again."""
    calls = []

    def stumble(problem: Any) -> None:
        calls.append(problem)
        raise ValueError("stumbled again")

    async with running(kind, daemon.port) as client:
        await client.on("error", stumble)
        await client.on("t", stumble)
        await client.emit(Message("t"))
        while len(silence) < 2:
            await asyncio.sleep(0.005)
        await beat(client)

        assert len(calls) == len(silence) == 2
        silence.clear()


@asynchronous
async def test_a_tap_comes_before_every_handler(kind: Kind, daemon: Daemon) -> None:
    """`tap` calls in the order of the bus, before every handler, until `untap`."""
    async with running(kind, daemon.port) as client:
        taken: list[Any] = []
        inbox = (await watch(client, "t"))["t"]
        await client.tap("t", taken.append)
        await client.emit(Message("t", {"n": 1}))
        assert (await inbox.take()) is taken[0]
        await client.untap("t", taken.append)
        await client.untap("never", taken.append)


# ---------------------------------------------------------------------- answers


@asynchronous
async def test_an_answer_is_waited_for(kind: Kind, daemon: Daemon) -> None:
    """`wait_for_response` returns the answer, of the usual type or of any that was named."""
    async with running(kind, daemon.port) as client, running(kind, daemon.port) as other:
        await other.answer("q", lambda question: question.response({"n": 1}))
        await other.answer("r", lambda question: question.reply("b", {"n": 2}))
        await beat(other)

        answer = await client.wait_for_response(Message("q"), timeout=TIMEOUT)
        assert (answer.msg_type, answer.data) == ("q.response", {"n": 1})
        answer = await client.wait_for_response(Message("r"), ["a", "b"], TIMEOUT)
        assert (answer.msg_type, answer.data) == ("b", {"n": 2})
        answer = await client.wait_for_response(Message("r"), "b", TIMEOUT)
        assert answer.data == {"n": 2}
        assert not any(t in client.client.pending for t in ("q.response", "a", "b"))


@asynchronous
async def test_an_answer_at_once_is_not_missed(kind: Kind) -> None:
    """An answer that the bus sends together with the question's echo counts."""

    def answer(guest: Guest) -> None:
        guest.shake_hands()
        guest.read_frame()
        while True:
            _, payload = guest.read_frame()
            if b'"q"' in payload:
                guest.say("q.response", n=1)

    with Impostor(answer) as server:
        async with running(kind, server.port) as client:
            for _ in range(20):
                found = await client.wait_for_response(Message("q"), timeout=TIMEOUT)
                assert found.data == {"n": 1}


@asynchronous
async def test_no_answer_is_none(kind: Kind, daemon: Daemon) -> None:
    """When time is up, both ways of waiting return `None`, and nobody waits any more."""
    async with running(kind, daemon.port) as client:
        assert await client.wait_for_message("t", 0.01) is None
        assert await client.wait_for_response(Message("q"), timeout=0.01) is None
        assert await client.wait_for_response(Message("q"), ["a", "b"], timeout=0) is None
        assert not any(t in client.client.pending for t in ("t", "q.response", "a", "b"))


@asynchronous
async def test_a_message_is_waited_for(kind: Kind, daemon: Daemon) -> None:
    """`wait_for_message` returns the next message of a type; several may wait for it."""
    async with running(kind, daemon.port) as client:
        waits = [asyncio.ensure_future(client.wait_for_message("t", TIMEOUT)) for _ in range(3)]
        while "t" not in client.client.pending or len(client.client.pending._by_type["t"]) < 3:
            await asyncio.sleep(0)
        await client.emit(Message("t", {"n": 5}))

        assert [message.data["n"] for message in await asyncio.gather(*waits)] == [5, 5, 5]


@asynchronous
async def test_answers_are_told_apart_by_session(kind: Kind, daemon: Daemon) -> None:
    """Of several waits for one type at a time, each gets the answer of its own session."""
    async with running(kind, daemon.port) as client, running(kind, daemon.port) as other:
        questions: list[Message] = []
        everybody = threading.Event()

        def keep(question: Message) -> None:
            questions.append(question)
            if len(questions) == 10:
                everybody.set()

        await other.on("q", keep)
        await beat(other)
        asked = [
            Message("q", {"n": n}, {"session": {"session_id": f"session-{n}"}}) for n in range(10)
        ]
        waits = [asyncio.ensure_future(client.wait_for_response(q, timeout=TIMEOUT)) for q in asked]
        assert await asyncio.to_thread(everybody.wait, TIMEOUT)
        for question in reversed(questions):
            await other.emit(question.response(question.data))

        answers = await asyncio.gather(*waits)
        assert [answer.data["n"] for answer in answers] == list(range(10))


@asynchronous
async def test_answers_are_told_apart_by_a_key(kind: Kind, daemon: Daemon) -> None:
    """With `same`, the answer is the one that shares a value with the question."""
    async with running(kind, daemon.port) as client, running(kind, daemon.port) as other:
        questions: list[Message] = []
        everybody = threading.Event()

        def keep(question: Message) -> None:
            questions.append(question)
            if len(questions) == 5:
                everybody.set()

        await other.on("q", keep)
        await beat(other)
        waits = [
            asyncio.ensure_future(
                client.wait_for_response(Message("q", {"n": n}), timeout=TIMEOUT, same="n")
            )
            for n in range(5)
        ]
        assert await asyncio.to_thread(everybody.wait, TIMEOUT)
        for question in reversed(questions):
            await other.emit(question.response(question.data))

        answers = await asyncio.gather(*waits)
        assert [answer.data["n"] for answer in answers] == list(range(5))
        with pytest.raises(KeyError):
            await client.wait_for_response(Message("q"), same="n")


@asynchronous
async def test_a_question_that_cannot_be_asked_leaves_nothing_behind(
    kind: Kind, daemon: Daemon
) -> None:
    """If the question cannot be written, that is raised, and nobody waits for its answer."""
    async with running(kind, daemon.port) as client:
        with pytest.raises(ValueError, match=r"data\.n"):
            await client.wait_for_response(Message("q", {"n": float("nan")}))
        assert "q.response" not in client.client.pending


@asynchronous
async def test_answers_are_collected(kind: Kind, daemon: Daemon) -> None:
    """All who said that they would answer have done so: that is the end, long before time is up."""
    async with contextlib.AsyncExitStack() as stack:
        asker, *others = [
            await stack.enter_async_context(running(kind, daemon.port)) for _ in range(4)
        ]
        inboxes = [Inbox() for _ in others]
        for other, inbox in zip(others, inboxes, strict=True):
            await other.on_collect("q", inbox, TIMEOUT)
            await beat(other)
        begun = time.monotonic()
        asking = asyncio.ensure_future(asker.collect_responses(Message("q"), TIMEOUT, 20))
        questions = [await inbox.take() for inbox in inboxes]
        for other in others:  # now all have spoken up, however slow the machine is
            assert await other.flush(TIMEOUT)
        for n, (other, question) in enumerate(zip(others, questions, strict=True)):
            await other.emit(question.success({"n": n}))
        answers = await asking

        assert sorted(answer.data["n"] for answer in answers) == [0, 1, 2]
        assert all(answer.data["succeeded"] for answer in answers)
        assert time.monotonic() - begun < SOON


@asynchronous
async def test_one_answer_may_be_enough(kind: Kind, daemon: Daemon) -> None:
    """`direct_return_func` ends a collection although somebody has promised to answer still."""
    async with running(kind, daemon.port) as asker, running(kind, daemon.port) as other:
        await other.collector("q", lambda question: None)
        await other.collector("q", lambda question: question.success({"n": 1}))
        await beat(other)
        begun = time.monotonic()
        answers = await asker.collect_responses(
            Message("q"), 5, 20, lambda answer: answer.data["n"] == 1
        )

        assert [answer.data["n"] for answer in answers] == [1]
        assert time.monotonic() - begun < SOON


@asynchronous
async def test_nobody_answers(kind: Kind, daemon: Daemon) -> None:
    """Where nobody speaks up, the collection is empty after `min_timeout`."""
    async with running(kind, daemon.port) as client:
        begun = time.monotonic()
        assert await client.collect_responses(Message("q"), 0.05, 20) == []
        assert 0.05 <= time.monotonic() - begun < SOON


@asynchronous
async def test_a_question_of_another_kind_is_not_collected(
    kind: Kind, daemon: Daemon, silence: Records
) -> None:
    """A message that was only emitted costs whoever collects a warning, and is not handled."""
    async with running(kind, daemon.port) as client:
        inbox = Inbox()
        await client.on_collect("t", inbox)
        await client.emit(Message("t"))
        await beat(client)
        await beat(client)

        assert inbox.empty
        take_warning(silence, "collect_responses")


# ---------------------------------------------------------------------- sessions


@asynchronous
async def test_a_client_of_the_device_follows_its_session(kind: Kind, daemon: Daemon) -> None:
    """The orchestrator's update shows in what is emitted afterwards, also with a given one."""
    given = SessionManager.default_session
    async with running(kind, daemon.port, session=given) as client:
        data = {"session_data": {"session_id": "default", "lang": "pt-PT"}}
        await client.emit(Message("ovos.session.update_default", data))
        await beat(client)
        message = Message("t")
        await client.emit(message)

        assert message.context["session"]["lang"] == "pt-PT"


@asynchronous
async def test_a_client_may_have_its_own_session(kind: Kind, daemon: Daemon) -> None:
    """A session of its own is put into what names none, and left out of what does."""
    async with running(kind, daemon.port, session=Session("mine")) as client:
        bare, other = Message("t"), Message("t", context={"session": {"session_id": "other"}})
        await client.emit(bare)
        await client.emit(other)

        assert bare.context["session"]["session_id"] == client.client.session_id == "mine"
        assert other.context == {"session": {"session_id": "other"}}


# ---------------------------------------------------------------------- outages


@asynchronous
async def test_what_was_emitted_during_an_outage_arrives_in_order(
    kind: Kind, start_daemon: Callable[..., Daemon], silence: Records
) -> None:
    """The bus dies and comes back: connected_event tells, events tell, and nothing is lost."""
    daemon = start_daemon()
    async with running(kind, daemon.port) as client:
        events = await watch(client, "open", "close", "reconnecting", "t")
        daemon.signal(signal.SIGKILL)
        await events["close"].take()
        assert not client.connected
        for n in range(100):
            await client.emit(Message("t", {"n": n}))
        await events["reconnecting"].take()
        assert events["open"].empty
        again = start_daemon(port=daemon.port)
        await events["open"].take()
        assert client.connected
        assert await client.flush(TIMEOUT)

        assert await events["t"].take_data(100) == list(range(100))
        await beat(client)
        assert events["t"].empty
        take_warning(silence, f"no connection to ws://127.0.0.1:{again.port}/core")


@asynchronous
async def test_the_first_thing_said_is_about_now(kind: Kind) -> None:
    """On a new connection the session is asked for first; then comes what was kept, in order."""
    heard: queue.Queue[list[bytes]] = queue.Queue()

    def serve(guest: Guest) -> None:
        guest.shake_hands()
        heard.put([guest.read_frame()[1] for _ in range(51)])
        guest.read_until_closed()

    with Impostor(serve) as server:
        client = kind(server.port)
        await client.start()
        for n in range(50):
            await client.emit(Message("t", {"n": n}))
        frames = await asyncio.to_thread(heard.get, True, TIMEOUT)
        await client.close()

    first, *others = [Message.deserialize(text) for text in frames]
    assert first.msg_type == "ovos.session.sync"
    assert [message.data.get("n") for message in others] == list(range(50))


@asynchronous
async def test_more_than_is_kept_is_counted(
    kind: Kind, start_daemon: Callable[..., Daemon], silence: Records
) -> None:
    """The oldest go when too much is emitted; that is said when it begins and when it ends."""
    daemon = start_daemon()
    async with running(kind, daemon.port, max_unsent_messages=20) as client:
        events = await watch(client, "open", "close", "t")
        daemon.signal(signal.SIGKILL)
        await events["close"].take()
        silence.clear()
        for n in range(30):
            await client.emit(Message("t", {"n": n}))
        take_warning(silence, "the oldest is dropped")
        start_daemon(port=daemon.port)

        await events["open"].take()
        take_warning(silence, "10 messages were dropped")
        assert await events["t"].take_data(20) == list(range(10, 30))


@asynchronous
async def test_a_lost_message_is_sent_again(kind: Kind, silence: Records) -> None:
    """What had left and was not seen to come back is sent once more, before everything else."""
    connections = iter((True, False))

    def serve(guest: Guest) -> None:
        guest.shake_hands()
        takes_and_dies = next(connections)
        while True:
            opcode, payload = guest.read_frame()
            if takes_and_dies and b'"lost"' in payload:
                return
            guest.send(payload, opcode)

    with Impostor(serve) as server:
        async with running(kind, server.port) as client:
            events = await watch(client, "t", "lost")
            await client.emit(Message("t", {"n": 0}))
            assert await events["t"].take_data(1) == [0]
            await client.emit(Message("lost", {"n": 1}))
            await client.emit(Message("t", {"n": 2}))

            assert await events["lost"].take_data(1) == [1]
            said = await events["t"].take_data(1)
            if said == [0]:  # it came back so shortly before that others may not have it
                said = await events["t"].take_data(1)
            assert said == [2]
            await beat(client)
            assert events["t"].empty
            assert events["lost"].empty
    take_warning(silence, "no connection")


@asynchronous
async def test_flush_waits_until_the_bus_has_read_it_all(kind: Kind, daemon: Daemon) -> None:
    """When `flush` returns true, everything has left, and comes back; no wait is left behind."""
    async with running(kind, daemon.port) as client:
        inbox = (await watch(client, "t"))["t"]
        for n in range(50):
            await client.emit(Message("t", {"n": n}))
        assert await client.flush(TIMEOUT)

        assert await inbox.take_data(50) == list(range(50))
        assert client.client._arrivals == []


@asynchronous
async def test_flush_gives_up(kind: Kind) -> None:
    """Without a bus `flush` says after its time that not everything has left."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = kind(server.getsockname()[1])
        await client.start()
        await client.emit(Message("t"))
        assert await client.flush(0.05) is False
        assert client.client._arrivals == []
        await client.close()


@asynchronous
async def test_a_frame_that_is_no_message_costs_a_line(kind: Kind, silence: Records) -> None:
    """After nonsense from the bus the same connection goes on; the log says what came."""

    def serve(guest: Guest) -> None:
        guest.shake_hands()
        guest.read_frame()
        guest.send(b'{"type":')
        guest.say("t", n=1)
        guest.read_until_closed()

    with Impostor(serve) as server:
        client = kind(server.port)
        inbox = (await watch(client, "t"))["t"]
        await client.start()
        assert await inbox.take_data(1) == [1]
        assert client.connected
        await client.close()
        assert server.guests.qsize() <= 1
    take_warning(silence, "no message")


@asynchronous
async def test_a_binary_frame_is_a_message(kind: Kind) -> None:
    """A frame that says it is binary is read as the UTF-8 it is."""

    def serve(guest: Guest) -> None:
        guest.shake_hands()
        guest.send('{"type":"t","data":{"n":"é"}}'.encode(), 2)
        guest.read_until_closed()

    with Impostor(serve) as server:
        client = kind(server.port)
        inbox = (await watch(client, "t"))["t"]
        await client.start()
        assert await inbox.take_data(1) == ["é"]
        await client.close()


# ---------------------------------------------------------------------- life


@asynchronous
async def test_emit_needs_a_client_that_was_started(
    kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Emitting through a client that nobody started is an error that older callers catch, too."""
    monkeypatch.setattr("ovos_bus_client.client.client.START_TIMEOUT", 0.01)
    client = kind(1)
    with pytest.raises(NotRunning) as caught:
        await client.emit(Message("t"))
    assert isinstance(caught.value, ValueError)
    await client.close()


async def close_quickly(client: SyncDriver) -> None:
    begun = time.monotonic()
    await client.close()
    assert time.monotonic() - begun < SOON
    assert not client.connected


@asynchronous
async def test_a_client_may_be_closed_before_it_starts(kind: Kind) -> None:
    """Closing needs no start before it, may be done again, and is for good."""
    client = kind(1)
    await close_quickly(client)
    await close_quickly(client)
    with pytest.raises(ClientClosed):
        await client.start()


@asynchronous
async def test_an_open_client_says_goodbye(kind: Kind) -> None:
    """Closing an open client sends a close frame."""
    frames: queue.Queue[int] = queue.Queue()

    def serve(guest: Guest) -> None:
        guest.shake_hands()
        while True:
            opcode, payload = guest.read_frame()
            frames.put(opcode)
            if opcode == 8:
                guest.send(payload, 8)
                return

    with Impostor(serve) as server:
        async with running(kind, server.port) as client:
            await close_quickly(client)
    opcodes = [frames.get(timeout=TIMEOUT) for _ in range(frames.qsize())]
    assert opcodes[-1] == 8


@pytest.mark.parametrize("greets", [True, False])
@asynchronous
async def test_a_bus_that_says_nothing_holds_up_no_close(kind: Kind, greets: bool) -> None:
    """A bus that does not answer, to the request or to the goodbye, is left."""
    arrived, closed = threading.Event(), threading.Event()

    def serve(guest: Guest) -> None:
        (guest.shake_hands if greets else guest.read_request)()
        arrived.set()
        closed.wait(TIMEOUT)

    with Impostor(serve) as server:
        client = kind(server.port)
        await client.start()
        assert await asyncio.to_thread(arrived.wait, TIMEOUT)
        await close_quickly(client)
        closed.set()


@asynchronous
async def test_a_client_that_waits_for_the_bus_may_be_closed(kind: Kind, silence: Records) -> None:
    """Closing during an outage ends the outage, and every wait for an answer."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    client = kind(port)
    inbox = (await watch(client, "reconnecting"))["reconnecting"]
    await client.start()
    await inbox.take()
    wait = asyncio.ensure_future(client.wait_for_message("t", None))
    while "t" not in client.client.pending:
        await asyncio.sleep(0)
    await close_quickly(client)

    assert await wait is None
    take_warning(silence, "no connection")


@asynchronous
async def test_emit_after_close_costs_one_warning(
    kind: Kind, daemon: Daemon, silence: Records
) -> None:
    """What is emitted through a closed client goes nowhere, which is said once."""
    async with running(kind, daemon.port) as client:
        await client.close()
        for _ in range(3):
            await client.emit(Message("t"))
        take_warning(silence, "the client is closed; 't' is not sent")


@asynchronous
async def test_a_handler_may_close_its_client(kind: Kind, daemon: Daemon) -> None:
    """Closing from within a handler works as from everywhere else."""
    closed = threading.Event()
    async with running(kind, daemon.port) as client:

        def close(message: Message) -> None:
            client.client.close()
            closed.set()

        async def close_soon(message: Message) -> None:
            await client.client.close()
            closed.set()

        await client.on("t", close_soon if isinstance(client, AsyncDriver) else close)
        await client.emit(Message("t"))
        assert await asyncio.to_thread(closed.wait, TIMEOUT)
        assert not client.connected
        with pytest.raises(ClientClosed):
            await client.start()
