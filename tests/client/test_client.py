"""The synchronous client, on a real daemon and on servers that misbehave."""

from __future__ import annotations

import gc
import logging
import math
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pyee.base import EventEmitter

from ovos_bus_client import Message, MessageBusClient, Session, SessionManager
from ovos_bus_client._core import backoff
from ovos_bus_client.client import client as client_module
from ovos_bus_client.client.pool import CORE_THREADS
from ovos_bus_client.errors import ClientClosed, MalformedMessage, NotRunning
from tests.support.impostor import Guest, Impostor
from tests.support.processes import ROOT, Daemon, Program, environment
from tests.support.rawsocket import CLOSE, RawClient

TIMEOUT = 10.0
# What "at once" may take on a machine that is busy with something else.
SOON = 4.0

Connect = Callable[..., MessageBusClient]
Records = list[logging.LogRecord]


class Inbox:
    """A handler that keeps what it gets."""

    def __init__(self) -> None:
        self._got: queue.Queue[Any] = queue.Queue()

    def __call__(self, *args: Any) -> None:
        self._got.put(args[0] if args else None)

    def take(self) -> Any:
        return self._got.get(timeout=TIMEOUT)

    def take_data(self, count: int) -> list[Any]:
        return [self.take().data.get("n") for _ in range(count)]

    @property
    def empty(self) -> bool:
        return self._got.empty()


def beat(client: MessageBusClient) -> None:
    """Return when everything that was emitted before has been handed out."""
    assert client.wait_for_response(Message("test.beat"), "test.beat", TIMEOUT) is not None
    # What waits gets a message before handlers do; a second one comes after all of the first.
    assert client.wait_for_response(Message("test.beat"), "test.beat", TIMEOUT) is not None


def drained(client: MessageBusClient) -> None:
    """Return when all handlers of what was emitted before have run."""
    beat(client)
    workers = CORE_THREADS
    barrier = threading.Barrier(workers + 1)
    for _ in range(workers):
        client.emitter.pool.call(barrier.wait, TIMEOUT)
    barrier.wait(TIMEOUT)


def in_thread(function: Callable[[], Any]) -> Callable[[], Any]:
    """Run a function in a thread; what is returned waits for its result."""
    results: queue.Queue[tuple[Any, BaseException | None]] = queue.Queue()

    def run() -> None:
        try:
            results.put((function(), None))
        except BaseException as error:
            results.put((None, error))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()

    def result() -> Any:
        value, error = results.get(timeout=TIMEOUT)
        thread.join(TIMEOUT)
        if error is not None:
            raise error
        return value

    return result


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def take_warning(silence: Records, text: str) -> None:
    """Expect exactly one record in the log, which says this."""
    (record,) = silence
    assert text in record.getMessage()
    assert record.levelno == logging.WARNING
    silence.clear()


def close_quickly(client: MessageBusClient) -> None:
    """Close, which must not take long and must leave no thread that reads."""
    begun = time.monotonic()
    client.close()
    assert time.monotonic() - begun < SOON
    assert client._runner is None or not client._runner.is_alive()
    assert not client.connected_event.is_set()


# ---------------------------------------------------------------------- messages


def test_a_message_comes_back_by_way_of_the_bus(daemon: Daemon, connect: Connect) -> None:
    """A client gets its own message as everybody does: from the bus, equal but another object."""
    client, inbox = connect(daemon.port), Inbox()
    client.on("t", inbox)
    message = Message("t", {"n": 1}, {"source": "me"})
    client.emit(message)

    got = inbox.take()
    assert got == message
    assert got is not message
    drained(client)
    assert inbox.empty


def test_nothing_is_handed_out_that_did_not_pass_the_bus(make_client: Connect) -> None:
    """While there is no bus, the handlers of an emitted message are not called."""
    inbox = Inbox()

    def swallow(guest: Guest) -> None:
        guest.shake_hands()
        guest.read_until_closed()

    with Impostor(swallow) as server:
        client = make_client(server.port)
        client.on("t", inbox)
        client.run_in_thread()
        client.emit(Message("t"))
        close_quickly(client)
    assert inbox.empty


def test_clients_talk_to_each_other(daemon: Daemon, connect: Connect) -> None:
    """What one client emits, another's handlers get, in order of sending if they are quick."""
    one, two, inbox = connect(daemon.port), connect(daemon.port), Inbox()
    two.on("t", inbox)
    beat(two)
    for n in range(100):
        one.emit(Message("t", {"n": n}))

    assert sorted(inbox.take_data(100)) == list(range(100))


def test_a_client_says_what_it_is(connect: Connect) -> None:
    """The request names the library and the program, and no origin, which only browsers have."""
    with Impostor(lambda guest: (guest.shake_hands(), guest.read_until_closed())) as server:  # type: ignore[func-returns-value]
        close_quickly(connect(server.port))
        request = server.guests.get(timeout=TIMEOUT).request

    assert "User-Agent: ovos-bus-client/1." in request
    assert "origin" not in request.lower()
    assert request.startswith("GET /core HTTP/1.1\r\n")


def test_a_new_client_asks_for_the_session(daemon: Daemon, connect: Connect) -> None:
    """Whoever connects asks the orchestrator for the default session (S7)."""
    with RawClient(daemon.port) as witness:
        connect(daemon.port)
        message = witness.read_until("ovos.session.sync")[-1]

    assert message["data"] == {}
    assert message["context"] == {"session": {"session_id": "default"}}


def test_the_default_session_is_kept_up_to_date(daemon: Daemon, connect: Connect) -> None:
    """The orchestrator's update changes the default session, and what is emitted from then on."""
    client, inbox = connect(daemon.port), Inbox()
    client.on("t", inbox)
    data = {"session_data": {"session_id": "default", "lang": "pt-PT", "x": [1]}}
    client.emit(Message("ovos.session.update_default", data))
    drained(client)
    client.emit(Message("t"))

    assert SessionManager.default_session.lang == "pt-PT"
    assert inbox.take().context["session"] == data["session_data"]


def test_the_owner_is_not_told_its_own_words_by_its_other_connections(
    daemon: Daemon, connect: Connect
) -> None:
    """A process of several connections that answers for the default session keeps its changes."""
    answering, heard = connect(daemon.port), []
    others = [connect(daemon.port) for _ in range(3)]
    for client in (answering, *others):
        inbox = Inbox()
        client.on("ovos.session.update_default", inbox)
        heard.append(inbox)
    for client in (answering, *others):
        drained(client)
    SessionManager.default_session.lang = "pt-PT"
    SessionManager.connect_to_bus(answering)
    SessionManager.default_session.lang = "de-DE"

    for inbox in heard:
        inbox.take()
    assert SessionManager.default_session.lang == "de-DE"


# ---------------------------------------------------------------------- handlers


def test_a_function_registered_twice_is_called_once(daemon: Daemon, connect: Connect) -> None:
    """The same function on the same type is one handler."""
    client, inbox = connect(daemon.port), Inbox()
    client.on("t", inbox)
    client.on("t", inbox)
    client.emit(Message("t"))

    inbox.take()
    drained(client)
    assert inbox.empty


def test_a_function_may_handle_several_types(daemon: Daemon, connect: Connect) -> None:
    """One function on two types is two handlers, and so are two functions on one type."""
    client, one, two = connect(daemon.port), Inbox(), Inbox()
    client.on("a", one)
    client.on("b", one)
    client.on("b", two)
    client.emit(Message("a"))
    client.emit(Message("b"))

    assert {one.take().msg_type, one.take().msg_type} == {"a", "b"}
    assert two.take().msg_type == "b"


@pytest.mark.parametrize("times", [1, 2])
def test_once_is_once(times: int, daemon: Daemon, connect: Connect) -> None:
    """A handler for once gets one message, however often it was registered."""
    client, inbox = connect(daemon.port), Inbox()
    for _ in range(times):
        client.once("t", inbox)
    for n in range(3):
        client.emit(Message("t", {"n": n}))

    assert inbox.take().data == {"n": 0}
    drained(client)
    assert inbox.empty


@pytest.mark.parametrize("register", ["on", "once"])
def test_a_removed_handler_is_not_called(register: str, daemon: Daemon, connect: Connect) -> None:
    """Removing ends `on`, and cancels a `once` that is still to come; others stay."""
    client, gone, stays = connect(daemon.port), Inbox(), Inbox()
    getattr(client, register)("t", gone)
    client.on("t", stays)
    client.remove("t", gone)
    client.emit(Message("t"))

    stays.take()
    drained(client)
    assert gone.empty


def test_a_removed_handler_may_come_back(daemon: Daemon, connect: Connect) -> None:
    """What was removed can be registered again."""
    client, inbox = connect(daemon.port), Inbox()
    client.on("t", inbox)
    client.remove("t", inbox)
    client.on("t", inbox)
    client.emit(Message("t"))

    inbox.take()


def test_removing_what_is_not_there_costs_a_warning(make_client: Connect, silence: Records) -> None:
    """An unknown function, an unknown type, a second removal, a spent type: warned, not raised."""
    client, inbox = make_client(1), Inbox()
    client.on("t", inbox)
    for event, function in (("t", print), ("unknown", inbox)):
        client.remove(event, function)
        take_warning(silence, f"'{event}'")
    client.remove("t", inbox)
    client.remove("t", inbox)
    take_warning(silence, "'t'")
    client.remove_all_listeners("t")
    client.remove("t", inbox)
    take_warning(silence, "'t'")


def test_all_handlers_of_a_type_may_be_removed(daemon: Daemon, connect: Connect) -> None:
    """Removing all listeners ends all of one type, and none of another; unknown types are fine."""
    client, gone, stays = connect(daemon.port), Inbox(), Inbox()
    client.on("t", gone)
    client.once("t", gone.take)
    client.on("u", stays)
    client.remove_all_listeners("t")
    client.remove_all_listeners("never heard of")
    client.emit(Message("t"))
    client.emit(Message("u"))

    stays.take()
    drained(client)
    assert gone.empty


def test_all_handlers_of_all_types_may_not_be_removed_by_accident(make_client: Connect) -> None:
    """No name is no reason to silence the whole client."""
    client = make_client(1)
    with pytest.raises(ValueError, match="event_name is None"):
        client.remove_all_listeners(None)  # type: ignore[arg-type]

    assert client.emitter.listeners("error")


def test_a_handler_may_remove_everything_of_its_type(daemon: Daemon, connect: Connect) -> None:
    """Also from within a handler for once, all handlers of the type can be removed."""
    client, done = connect(daemon.port), Inbox()

    def handler(message: Message) -> None:
        client.remove_all_listeners("t")
        done(message)

    client.once("t", handler)
    client.emit(Message("t"))

    done.take()


def test_every_frame_comes_as_text_to_those_who_want_it(daemon: Daemon, connect: Connect) -> None:
    """The local event `message` gets each frame as the text it is, whatever its type."""
    client, inbox = connect(daemon.port), Inbox()
    client.on("message", inbox)
    with RawClient(daemon.port) as other:
        other.say('{ "type":"nobody.wants", "data":{"é":1.50} }')

    texts = [inbox.take()]
    while "nobody.wants" not in texts[-1]:
        texts.append(inbox.take())
    assert texts[-1] == '{ "type":"nobody.wants", "data":{"é":1.50} }'


def test_an_error_in_a_handler_is_told(daemon: Daemon, connect: Connect, silence: Records) -> None:
    """A handler that raises is logged with its traceback and reaches the local event `error`."""
    client, errors, inbox = connect(daemon.port), Inbox(), Inbox()

    def broken(message: Message) -> None:
        raise LookupError("in a handler")

    client.on("error", errors)
    client.on("t", broken)
    client.on("u", inbox)
    client.emit(Message("t"))

    assert isinstance(errors.take(), LookupError)
    drained(client)
    (record,) = silence
    assert record.levelno == logging.ERROR
    assert "in a handler" in record.getMessage()
    assert record.exc_info is not None
    assert record.exc_info[0] is LookupError
    silence.clear()
    client.emit(Message("u"))
    inbox.take()


def test_an_error_in_a_handler_that_runs_in_the_reading_thread_is_told(
    daemon: Daemon, connect: Connect, silence: Records
) -> None:
    """With an emitter that has no pool, a handler's error is no reason to doubt the connection."""
    client, errors, inbox = connect(daemon.port, emitter=EventEmitter()), Inbox(), Inbox()

    def broken(message: Message) -> None:
        raise LookupError("in a handler")

    client.on("error", errors)
    client.on("t", broken)
    client.on("u", inbox)
    client.emit(Message("t"))
    client.emit(Message("u"))

    assert isinstance(errors.take(), LookupError)
    inbox.take()
    assert client.connected_event.is_set()
    (record,) = silence
    assert "in a handler" in record.getMessage()
    silence.clear()


def test_a_message_of_type_error_is_no_error(daemon: Daemon, connect: Connect) -> None:
    """The type `error` is anybody's to send; it does not count as a failure in here."""
    client, errors = connect(daemon.port), Inbox()
    client.on("error", errors)
    client.emit(Message("error"))

    assert errors.take().msg_type == "error"
    drained(client)


# ---------------------------------------------------------------------- waiting


def answer(client: MessageBusClient, type_: str, reply_type: str | None = None) -> None:
    """Let a client answer."""

    def handler(message: Message) -> None:
        client.emit(
            message.reply(reply_type, message.data)
            if reply_type
            else message.response(message.data)
        )

    client.on(type_, handler)
    beat(client)


def test_a_response_is_waited_for(daemon: Daemon, connect: Connect) -> None:
    """The answer to a question is the message of type `<type>.response`."""
    asker, answerer = connect(daemon.port), connect(daemon.port)
    answer(answerer, "ask")
    response = asker.wait_for_response(Message("ask", {"n": 1}), timeout=TIMEOUT)

    assert response is not None
    assert (response.msg_type, response.data) == ("ask.response", {"n": 1})


@pytest.mark.parametrize("reply_type", ["no", ["yes", "no"], ("no", "yes")])
def test_the_answer_may_have_another_type(
    reply_type: Any, daemon: Daemon, connect: Connect
) -> None:
    """The type of the answer may be named, and may be any of several."""
    client = connect(daemon.port)
    answer(client, "ask", "no")
    response = client.wait_for_response(Message("ask"), reply_type, TIMEOUT)

    assert response is not None
    assert response.msg_type == "no"
    assert not any(type_ in client.pending for type_ in ("yes", "no"))


def test_an_answer_that_comes_before_the_wait_counts(daemon: Daemon, connect: Connect) -> None:
    """A waiter listens from when it is made: an answer may come before anybody waits for it."""
    client = connect(daemon.port)
    waiter = client_module.MessageWaiter(client, "early")
    client.emit(Message("early"))
    beat(client)
    message = waiter.wait(0)

    assert message is not None
    assert message.msg_type == "early"


def test_a_message_is_waited_for(daemon: Daemon, connect: Connect) -> None:
    """The next message of a type ends the wait for it."""
    client = connect(daemon.port)
    asked = threading.Event()
    result = in_thread(lambda: (asked.set(), client.wait_for_message("t", TIMEOUT))[1])
    asked.wait(TIMEOUT)
    while "t" not in client.pending:
        os.sched_yield()
    client.emit(Message("t", {"n": 7}))

    assert result().data == {"n": 7}


def test_no_answer_is_none(daemon: Daemon, connect: Connect) -> None:
    """A wait that ends without an answer returns None and leaves nothing behind."""
    client = connect(daemon.port)
    handlers = client.emitter.event_names()

    assert client.wait_for_message("never", 0.01) is None
    assert client.wait_for_response(Message("never"), timeout=0.01) is None
    assert client.wait_for_response(Message("never"), ["a", "b"], 0) is None
    assert not any(t in client.pending for t in ("never", "never.response", "a", "b"))
    assert client.emitter.event_names() == handlers


def test_a_question_that_cannot_be_asked_leaves_nothing_behind(
    daemon: Daemon, connect: Connect
) -> None:
    """When the question is no message, nobody goes on waiting for the answer."""
    client = connect(daemon.port)
    with pytest.raises(MalformedMessage, match=r"data\.x"):
        client.wait_for_response(Message("ask", {"x": math.nan}))

    assert "ask.response" not in client.pending


def test_answers_do_not_queue_behind_handlers(daemon: Daemon, connect: Connect) -> None:
    """With a pool full of handlers that wait for answers, each still gets its answer."""
    client, answerer = connect(daemon.port), connect(daemon.port)
    answer(answerer, "ask")
    count = CORE_THREADS * 2
    done = Inbox()

    def handler(message: Message) -> None:
        n = message.data["n"]
        done(client.wait_for_response(Message("ask", {"n": n}), f"ask.{n}", TIMEOUT))

    answerer.on("ask", lambda m: answerer.emit(m.reply(f"ask.{m.data['n']}", m.data)))
    beat(answerer)
    client.on("start", handler)
    for n in range(count):
        client.emit(Message("start", {"n": n}))

    assert sorted(done.take_data(count)) == list(range(count))


def test_closing_ends_every_wait(daemon: Daemon, connect: Connect, silence: Records) -> None:
    """Who waits without end gets None when the client is closed, and so does who comes later."""
    client = connect(daemon.port)
    result = in_thread(lambda: client.wait_for_message("never", None))
    while "never" not in client.pending:
        os.sched_yield()
    close_quickly(client)

    assert result() is None
    assert client.wait_for_message("never", None) is None
    assert client.wait_for_response(Message("never"), timeout=None) is None
    take_warning(silence, "is closed")


# ---------------------------------------------------------------------- emit


@pytest.mark.parametrize("context", [{}, {"session": None}, {"source": "s"}])
def test_emit_adds_the_session_where_there_is_none(
    context: dict[str, Any], daemon: Daemon, connect: Connect
) -> None:
    """A message without a session gets the client's, also in the context of the sender."""
    client, inbox = connect(daemon.port, session=Session("mine", lang="de-DE")), Inbox()
    client.on("t", inbox)
    message = Message("t", {}, context)
    client.emit(message)

    assert client.session_id == "mine"
    assert inbox.take().context["session"] == {"session_id": "mine", "lang": "de-DE"}
    assert message.context["session"] == {"session_id": "mine", "lang": "de-DE"}


def test_a_client_of_the_device_follows_its_session(daemon: Daemon, connect: Connect) -> None:
    """A client that was given the default session uses what became of it, not what it was."""
    client, inbox = connect(daemon.port, session=Session("default", lang="de-DE")), Inbox()
    client.on("t", inbox)
    assert SessionManager.default_session.lang == "de-DE"
    SessionManager.update(Session("default", lang="pt-PT"))
    client.emit(Message("t"))

    assert inbox.take().context["session"] == {"session_id": "default", "lang": "pt-PT"}


@pytest.mark.parametrize("session", [{}, {"session_id": "theirs"}, {"x": 1}])
def test_emit_keeps_the_session_that_is_there(
    session: dict[str, Any], daemon: Daemon, connect: Connect
) -> None:
    """A message that has a session keeps it, also if it is empty, which is the device's own."""
    client, inbox = connect(daemon.port, session=Session("mine")), Inbox()
    client.on("t", inbox)
    client.emit(Message("t", {}, {"session": session}))

    assert inbox.take().context["session"] == session


class ForeignMessage:
    """Somebody else's message: three attributes and no more."""

    def __init__(self) -> None:
        self.msg_type, self.data, self.context = "foreign", {"n": 1}, {"source": "them"}


class SerializingMessage(ForeignMessage):
    """Somebody else's message with a text of its own."""

    def serialize(self) -> str:
        assert "session" in self.context
        return '{"type": "foreign", "data": {"n": 1}, "context": {"source": "them"}}'


def fake_message() -> Any:
    from ovos_utils.fakebus import Message as Fake

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # some releases want ours instead
        return Fake("foreign", {"n": 1}, {"source": "them"})


@pytest.mark.parametrize("make", [ForeignMessage, SerializingMessage, fake_message])
def test_messages_of_other_classes_are_emitted(
    make: Callable[[], Any], daemon: Daemon, connect: Connect
) -> None:
    """Anything with a type, data and a context goes over the bus as a message."""
    client, inbox = connect(daemon.port), Inbox()
    client.on("foreign", inbox)
    client.emit(make())

    got = inbox.take()
    assert (got.msg_type, got.data, got.context["source"]) == ("foreign", {"n": 1}, "them")


def echo(guest: Guest) -> None:
    """Be a bus of one."""
    guest.shake_hands()
    while True:
        opcode, payload = guest.read_frame()
        guest.send(payload, opcode)


def test_half_a_surrogate_pair_holds_up_nothing(connect: Connect) -> None:
    """Text that UTF-8 cannot encode is sent escaped, and what is emitted after it follows."""
    inbox = Inbox()
    with Impostor(echo) as server:
        client = connect(server.port)
        client.on("t", inbox)
        client.emit(Message("t", {"n": "\ud800"}))
        client.emit(Message("t", {"n": "after"}))

        assert set(inbox.take_data(2)) == {"\ud800", "after"}
        close_quickly(client)


def test_foreign_text_that_cannot_be_sent_holds_up_nothing(
    daemon: Daemon, connect: Connect
) -> None:
    """Text of another class that UTF-8 cannot encode is refused, and only that."""
    client, inbox = connect(daemon.port), Inbox()
    client.on("t", inbox)
    foreign = SerializingMessage()
    foreign.serialize = lambda: '{"type":"foreign","data":{"n":"\ud800"}}'  # type: ignore[method-assign]
    with pytest.raises(MalformedMessage):
        client.emit(foreign)
    client.emit(Message("t", {"n": 1}))

    assert inbox.take_data(1) == [1]


def test_emit_needs_a_client_that_runs(
    make_client: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Emitting through a client that nobody starts is an error that older callers catch, too."""
    monkeypatch.setattr(client_module, "START_TIMEOUT", 0.01)
    client = make_client(1)
    with pytest.raises(NotRunning, match="run_in_thread") as caught:
        client.emit(Message("t"))

    assert isinstance(caught.value, ValueError)


def test_emit_waits_for_the_client_to_be_started(
    daemon: Daemon, make_client: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else may start the client a moment later; what was emitted then goes out."""
    monkeypatch.setattr(client_module, "START_TIMEOUT", 60.0)
    client, inbox = make_client(daemon.port), Inbox()
    client.on("t", inbox)
    result = in_thread(lambda: client.emit(Message("t")))
    client.run_in_thread()

    result()
    inbox.take()


def test_emit_waits_for_the_start_and_not_for_the_bus(
    make_client: Connect, monkeypatch: pytest.MonkeyPatch, silence: Records
) -> None:
    """As soon as the client runs, emit keeps the message and returns, bus or no bus."""
    monkeypatch.setattr(client_module, "START_TIMEOUT", 60.0)
    client = make_client(free_port())
    result = in_thread(lambda: client.emit(Message("t")))
    client.run_in_thread()

    result()
    close_quickly(client)
    silence.clear()


def test_closing_ends_the_wait_for_the_start(
    make_client: Connect, monkeypatch: pytest.MonkeyPatch, silence: Records
) -> None:
    """A client that is closed instead of started does not keep those who emit."""
    monkeypatch.setattr(client_module, "START_TIMEOUT", 60.0)
    client = make_client(1)
    result = in_thread(lambda: client.emit(Message("t")))
    client.close()

    result()
    take_warning(silence, "is closed; 't' is not sent")


def test_emit_after_close_costs_a_warning(
    daemon: Daemon, connect: Connect, silence: Records
) -> None:
    """What is emitted through a closed client is not sent; that is one line, and no error."""
    client = connect(daemon.port)
    client.close()
    for _ in range(3):
        client.emit(Message("t"))

    take_warning(silence, "is closed; 't' is not sent")


def test_many_threads_may_emit(daemon: Daemon, connect: Connect) -> None:
    """What several threads emit at once arrives whole, in each one's order."""
    client, count = connect(daemon.port), 200
    with RawClient(daemon.port) as witness:

        def talk(name: str) -> None:
            for n in range(count):
                client.emit(Message("t", {"name": name, "n": n}))

        threads = [threading.Thread(target=talk, args=(name,)) for name in "abcd"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        client.emit(Message("end"))
        seen = [m["data"] for m in witness.read_until("end") if m["type"] == "t"]

    for name in "abcd":
        assert [data["n"] for data in seen if data["name"] == name] == list(range(count))


# ---------------------------------------------------------------------- outages


def watch(client: MessageBusClient) -> dict[str, Inbox]:
    """Listen to what a client tells of its connection."""
    inboxes = {event: Inbox() for event in ("open", "close", "reconnecting")}
    for event, inbox in inboxes.items():
        client.on(event, inbox)
    return inboxes


def wait_for_outage(client: MessageBusClient, events: dict[str, Inbox]) -> None:
    """Return when the client knows that the bus has gone."""
    events["close"].take()
    assert not client.connected_event.is_set()


def test_a_bus_that_comes_back_is_found_again(
    start_daemon: Callable[..., Daemon], make_client: Connect, silence: Records
) -> None:
    """Killed and started again, the bus has its client back, with all that was emitted between."""
    daemon = start_daemon()
    client, inbox = make_client(daemon.port), Inbox()
    events = watch(client)
    client.on("t", inbox)
    assert not client.connected_event.is_set()
    client.run_in_thread()
    events["open"].take()
    assert client.connected_event.is_set()

    daemon.signal(signal.SIGKILL)
    wait_for_outage(client, events)
    for n in range(100):
        client.emit(Message("t", {"n": n}))
    assert not client.connected_event.is_set()
    events["reconnecting"].take()

    again = start_daemon(port=daemon.port)
    with RawClient(again.port):
        events["open"].take()
        assert client.connected_event.is_set()
        assert sorted(inbox.take_data(100)) == list(range(100))
    beat(client)
    take_warning(silence, f"no connection to ws://127.0.0.1:{daemon.port}/core")


def test_what_was_emitted_during_an_outage_arrives_in_order(
    make_client: Connect, silence: Records
) -> None:
    """The first thing a bus hears when it is back is what was emitted meanwhile, in order."""
    heard: queue.Queue[list[bytes]] = queue.Queue()
    first = threading.Event()

    def serve(guest: Guest) -> None:
        guest.shake_hands()
        if not first.is_set():
            first.set()
            return
        heard.put([guest.read_frame()[1] for _ in range(51)])
        guest.read_until_closed()

    with Impostor(serve) as server:
        client = make_client(server.port, emitter=EventEmitter())
        closed, go_on = threading.Event(), threading.Event()
        client.on("close", lambda: (closed.set(), go_on.wait(TIMEOUT)))
        client.run_in_thread()
        assert closed.wait(TIMEOUT)
        for n in range(50):
            client.emit(Message("t", {"n": n}, {"session": {}}))
        go_on.set()
        texts = [Message.deserialize(text) for text in heard.get(timeout=TIMEOUT)]
        close_quickly(client)

    kept = [message for message in texts if message.msg_type == "t"]
    assert [message.data["n"] for message in kept] == list(range(50))
    take_warning(silence, "no connection")


def test_a_key_in_the_address_is_not_logged(
    daemon: Daemon, make_client: Connect, silence: Records, caplog: pytest.LogCaptureFixture
) -> None:
    """What a subclass appends to the address, as HiveMind does its key, stands in no log line."""
    caplog.set_level(logging.DEBUG)
    client = make_client(daemon.port)
    client.client.url += "?authorization=secret"
    events = watch(client)

    client.run_in_thread()
    assert client.connected_event.wait(TIMEOUT)
    daemon.signal(signal.SIGKILL)
    wait_for_outage(client, events)
    client.close()

    take_warning(silence, f"no connection to ws://127.0.0.1:{daemon.port}/core")
    assert "secret" not in caplog.text


def test_a_full_outbox_is_delivered(
    start_daemon: Callable[..., Daemon], connect: Connect, silence: Records
) -> None:
    """As much as is kept during an outage goes through the bus at once when it is back."""
    daemon = start_daemon()
    client = connect(daemon.port)
    events = watch(client)
    daemon.signal(signal.SIGKILL)
    wait_for_outage(client, events)
    padding, count = "x" * 3000, 5000
    seen, last = set(), threading.Event()

    def note(message: Message) -> None:
        seen.add(message.data["n"])
        if len(seen) == count:
            last.set()

    client.on("t", note)
    for n in range(count):
        client.emit(Message("t", {"n": n, "padding": padding}))
    start_daemon(port=daemon.port)

    assert last.wait(30)
    take_warning(silence, "no connection")


def test_more_than_is_kept_is_counted(
    start_daemon: Callable[..., Daemon], connect: Connect, silence: Records
) -> None:
    """The oldest go when too much is emitted; that is said when it begins and when it ends."""
    daemon = start_daemon()
    client = connect(daemon.port)
    events = watch(client)
    daemon.signal(signal.SIGKILL)
    wait_for_outage(client, events)
    silence.clear()
    for n in range(5010):
        client.emit(Message("t", {"n": n}))
    take_warning(silence, "the oldest is dropped")
    start_daemon(port=daemon.port)
    events["open"].take()
    beat(client)
    take_warning(silence, "10 messages were dropped")


def test_a_bus_that_starts_later_is_found(
    start_daemon: Callable[..., Daemon], make_client: Connect, silence: Records
) -> None:
    """A client may run before its bus does; one warning, and then it is there."""
    port = free_port()
    client = make_client(port)
    events = watch(client)
    client.run_in_thread()
    client.emit(Message("early"))
    for _ in range(3):
        events["reconnecting"].take()
    start_daemon(port=port)

    events["open"].take()
    assert client.connected_event.is_set()
    take_warning(silence, "no connection")


@pytest.mark.parametrize(
    "nonsense",
    [b"", b"hello", b"[]", b"{}", b'{"type":', b"\xff\xfe", b'{"type":"t","data":7}', b"\x00" * 9],
)
def test_a_frame_that_is_no_message_costs_a_line(
    nonsense: bytes, make_client: Connect, silence: Records
) -> None:
    """After nonsense from the bus the same connection goes on; the log says what came."""

    def serve(guest: Guest) -> None:
        guest.shake_hands()
        guest.send(nonsense)
        guest.say("t", n=1)
        guest.read_until_closed()

    inbox = Inbox()
    with Impostor(serve) as server:
        client = make_client(server.port)
        client.on("t", inbox)
        client.run_in_thread()
        assert inbox.take_data(1) == [1]
        assert client.connected_event.wait(TIMEOUT)
        close_quickly(client)
        assert server.guests.qsize() <= 1
    take_warning(silence, "no message")


# ---------------------------------------------------------------------- close


def test_a_client_that_never_ran_may_be_closed(make_client: Connect) -> None:
    """Closing needs no start before it, and may be done again."""
    client = make_client(1)
    close_quickly(client)
    close_quickly(client)


def test_an_open_client_says_goodbye(make_client: Connect, silence: Records) -> None:
    """A client that is closed sends a close frame before it leaves, and is not missed."""
    opcodes: queue.Queue[int] = queue.Queue()

    def serve(guest: Guest) -> None:
        guest.shake_hands()
        opcode = -1
        while opcode != CLOSE:
            opcode, payload = guest.read_frame()
            opcodes.put(opcode)
        guest.send(payload, CLOSE)
        guest.read_until_closed()

    with Impostor(serve) as server:
        client = make_client(server.port)
        client.run_in_thread()
        assert client.connected_event.wait(TIMEOUT)
        close_quickly(client)

    assert list(opcodes.queue)[-1] == CLOSE


def test_a_server_that_does_not_say_goodbye_is_left(make_client: Connect) -> None:
    """A client that is closed does not wait long for a server that does not answer."""

    def serve(guest: Guest) -> None:
        guest.shake_hands()
        guest.wait_until_gone()

    with Impostor(serve) as server:
        client = make_client(server.port)
        client.run_in_thread()
        assert client.connected_event.wait(TIMEOUT)
        close_quickly(client)


def test_a_server_that_does_not_shake_hands_is_left(make_client: Connect) -> None:
    """A client that is closed while it waits for the handshake does not wait any longer."""
    waiting = threading.Event()

    def serve(guest: Guest) -> None:
        guest.read_request()
        waiting.set()
        guest.wait_until_gone()

    with Impostor(serve) as server:
        client = make_client(server.port)
        client.run_in_thread()
        assert waiting.wait(TIMEOUT)
        close_quickly(client)


def test_a_client_that_waits_for_the_bus_may_be_closed(
    make_client: Connect, monkeypatch: pytest.MonkeyPatch, silence: Records
) -> None:
    """Closing ends the pause between two attempts."""
    monkeypatch.setattr(backoff, "FIRST", 60.0)
    monkeypatch.setattr(backoff, "LOCAL_CAP", 60.0)
    client = make_client(free_port())
    closed = Inbox()
    client.on("close", closed)
    client.run_in_thread()
    closed.take()
    close_quickly(client)
    take_warning(silence, "no connection")


def test_a_server_that_does_not_read_holds_up_no_close(
    make_client: Connect, silence: Records
) -> None:
    """With a sender stuck on a full socket, closing ends both quickly."""

    def serve(guest: Guest) -> None:
        guest.shake_hands()
        stop.wait(TIMEOUT)

    stop = threading.Event()
    with Impostor(serve) as server:
        client = make_client(server.port)
        client.run_in_thread()
        assert client.connected_event.wait(TIMEOUT)
        sent: list[int] = []
        padding = "x" * 1_000_000

        def flood() -> None:
            for n in range(50):
                client.emit(Message("t", {"padding": padding}))
                sent.append(n)

        result = in_thread(flood)
        before = -1
        while len(sent) > before:  # no progress in this time means that it is stuck
            before = len(sent)
            stop.wait(0.3)
        assert before < 50
        close_quickly(client)
        stop.set()
        result()
    take_warning(silence, "is closed")


def test_a_handler_may_close_its_client(daemon: Daemon, connect: Connect) -> None:
    """Closing from within a handler returns, and the connection is down."""
    client, done = connect(daemon.port), Inbox()

    def handler(message: Message) -> None:
        close_quickly(client)
        done(message)

    client.on("t", handler)
    client.emit(Message("t"))

    done.take()


def test_a_handler_in_the_reading_thread_may_close_its_client(
    daemon: Daemon, make_client: Connect
) -> None:
    """Without a pool, closing happens in the thread that reads, and ends it."""
    client, inbox = make_client(daemon.port, emitter=EventEmitter()), Inbox()
    client.on("t", lambda message: (client.close(), inbox(message)))
    thread = client.run_in_thread()
    client.emit(Message("t"))

    inbox.take()
    thread.join(SOON)
    assert not thread.is_alive()


def test_closing_does_not_wait_for_what_the_program_does_next(
    daemon: Daemon, make_client: Connect
) -> None:
    """A thread that goes on after run_forever() does not hold up close()."""
    client, goes_on = make_client(daemon.port), threading.Event()

    def program() -> None:
        client.run_forever()
        goes_on.wait(TIMEOUT * 3)

    thread = threading.Thread(target=program)
    thread.start()
    assert client.connected_event.wait(TIMEOUT)
    begun = time.monotonic()
    client.close()
    taken = time.monotonic() - begun
    goes_on.set()
    thread.join(TIMEOUT)

    assert taken < SOON


def test_a_closed_client_stays_closed(daemon: Daemon, connect: Connect) -> None:
    """Running a closed client is an error, in whichever thread."""
    client = connect(daemon.port)
    client.close()
    with pytest.raises(ClientClosed, match="make a new one"):
        client.run_forever()
    with pytest.raises(ClientClosed):
        client.run_in_thread()


def test_a_client_runs_once(daemon: Daemon, connect: Connect) -> None:
    """Running a client that runs changes nothing: one connection, one thread."""
    client = connect(daemon.port)
    thread = client._thread

    assert client.run_in_thread() is thread
    client.run_forever()
    beat(client)
    close_quickly(client)
    assert thread is not None
    assert not thread.is_alive()


def test_a_closed_client_can_be_collected(daemon: Daemon, connect: Connect) -> None:
    """Closing a client frees its sockets: nothing is left for the garbage collector to close."""
    client = connect(daemon.port)
    connection = client.client.sock
    assert connection is not None
    close_quickly(client)
    gc.collect()

    assert connection.sock is None
    assert client.client.sock is None


# ---------------------------------------------------------------------- processes


def run(program: str, port: int, home: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", program, str(port)],
        env=environment(home),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=TIMEOUT * 3,
    )


PROLOGUE = """
import sys, threading, time
from ovos_bus_client import Message, MessageBusClient
bus = MessageBusClient("127.0.0.1", int(sys.argv[1]), "/core", False)
"""

TRAFFIC = (
    PROLOGUE
    + """
started = threading.Event()
def handler(message):
    bus.emit(Message("t"))
    bus.emit(Message("t"))
    started.set()
    time.sleep(0.01)  # keeps the pool busy while the interpreter ends
for _ in range(4):
    bus.on("t", lambda message, n=_: handler(message))
bus.run_in_thread()
bus.connected_event.wait(10)
for _ in range(50):
    bus.emit(Message("t"))
started.wait(10)
"""
)


@pytest.mark.parametrize("end", ["", "sys.exit(0)", "bus.close()"], ids=["fall", "exit", "close"])
def test_a_program_may_end_amid_traffic(end: str, daemon: Daemon, tmp_path: Path) -> None:
    """A program that ends while messages come and go says nothing about it."""
    done = run(TRAFFIC + end, daemon.port, tmp_path)

    assert (done.stdout, done.returncode) == ("", 0)
    if "close" in end:  # its handlers still emit, which a closed client mentions once
        assert done.stderr in ("", "the client is closed; 't' is not sent\n")
    else:
        assert done.stderr == ""


def test_a_program_may_end_while_the_bus_is_away(tmp_path: Path) -> None:
    """A client that still looks for its bus does not keep the program."""
    program = PROLOGUE + 'bus.run_in_thread(); bus.emit(Message("t"))'
    done = run(program, free_port(), tmp_path)

    assert done.returncode == 0
    assert "Traceback" not in done.stderr


def test_ctrl_c_ends_run_forever(daemon: Daemon, tmp_path: Path) -> None:
    """An interrupt of the thread that runs the client ends it, as in any other program."""
    program = PROLOGUE + (
        'bus.on("open", lambda: print("open", flush=True))\n'
        "try:\n    bus.run_forever()\n"
        'except KeyboardInterrupt:\n    print("interrupted", flush=True)\n'
    )
    child = Program(["-c", program, str(daemon.port)], environment(tmp_path / "child"))
    child.wait_for("open")
    child.signal(signal.SIGINT)
    try:
        child.wait_for("interrupted")
        assert child.wait() == 0
    finally:
        child.stop()
    assert "Traceback" not in child.output
    assert "no connection" not in child.output


def test_who_emits_just_when_the_bus_is_back_waits_for_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A thread that emits while the client greets the bus does not send what is to be held."""
    monkeypatch.setattr(backoff, "LOCAL_CAP", 60.0)
    monkeypatch.setattr(backoff, "PATIENCE", 60.0)
    threads: list[threading.Thread] = []

    class Talkative(MessageBusClient):
        def _introduce(self) -> None:
            super()._introduce()
            threads.append(threading.Thread(target=self.emit, args=[Message("t", {"n": 1})]))
            threads[0].start()
            threads[0].join(0.2)  # not in vain, if nothing makes it wait

    def serve(guest: Guest) -> None:
        guest.shake_hands()
        guest.read_until_closed()

    with Impostor(serve) as server:
        client, opened = Talkative("127.0.0.1", server.port, "/core", False), Inbox()
        client._backoff.longest = 60.0  # as if the bus had been away for minutes
        client.on("open", opened)
        client.run_in_thread()
        client.emit(Message("t", {"n": 0}))
        opened.take()
        threads[0].join(TIMEOUT)
        assert len(client._outgoing) == 2
        hold = client._hold
        client.close()
    assert hold is not None
    hold.join(TIMEOUT)
    assert not hold.is_alive()
    client.emitter.shutdown()


def test_a_bus_that_hangs_up_at_once_is_no_new_outage_each_time(
    make_client: Connect, silence: Records
) -> None:
    """A bus that greets and is gone, again and again, costs one warning, and gets time."""
    greeted: list[float] = []
    often = threading.Event()

    def greet_and_hang_up(guest: Guest) -> None:
        guest.shake_hands()
        greeted.append(time.monotonic())
        if len(greeted) == 6:
            often.set()

    with Impostor(greet_and_hang_up) as server:
        client = make_client(server.port)
        client.run_in_thread()
        assert often.wait(TIMEOUT)
        client.close()

    assert [r.getMessage().split("(")[0] for r in silence] == [
        f"no connection to ws://127.0.0.1:{server.port}/core "
    ]
    silence.clear()


def test_a_collection_ends_with_its_client(daemon: Daemon, connect: Connect) -> None:
    """Whoever collects answers of a client that is closed gets those that came, at once."""
    client = connect(daemon.port)
    collecting = in_thread(lambda: client.collect_responses(Message("q"), 60.0, 60.0))
    assert client.wait_for_message("q", TIMEOUT) is not None
    client.close()

    assert collecting() == []
