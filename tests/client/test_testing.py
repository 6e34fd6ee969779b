"""Tests of the kit for tests: the bus in memory, and the recorder."""

from __future__ import annotations

import logging
import math
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from ovos_bus_client import Message, MessageBusClient, Session
from ovos_bus_client.client import MessageCollector, MessageWaiter
from ovos_bus_client.errors import ClientClosed, MalformedMessage
from ovos_bus_client.message import CollectionMessage
from ovos_bus_client.testing import FakeBus, Recorder
from tests.support.processes import Daemon


@pytest.fixture
def bus() -> Iterator[FakeBus]:
    """A bus that is closed at the end."""
    made = FakeBus()
    yield made
    made.close()


def test_it_is_a_client_that_connects_to_nothing(
    bus: FakeBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It passes for a client, is connected, and has no socket and no thread."""
    monkeypatch.setattr(socket, "socket", None)
    threads = threading.active_count()
    bus.emit(Message("speak"))

    assert isinstance(bus, MessageBusClient)
    assert bus.connected_event.is_set()
    assert bus.flush()
    assert threading.active_count() == threads


def test_handlers_run_before_emit_returns(bus: FakeBus) -> None:
    """In the order of their registration, in the thread that emits."""
    calls: list[tuple[str, threading.Thread]] = []
    bus.on("a", lambda m: calls.append(("first", threading.current_thread())))
    bus.on("a", lambda m: calls.append(("second", threading.current_thread())))
    bus.emit(Message("a"))

    assert calls == [(name, threading.current_thread()) for name in ("first", "second")]


def test_all_clients_see_one_order(bus: FakeBus) -> None:
    """What a handler emits comes after the message it handles, to everybody."""
    other = bus.new_client()
    seen: list[str] = []
    bus.on("a", lambda m: bus.emit(m.forward("b")))
    for client in (bus, other):
        for type_ in ("a", "b"):
            client.on(type_, lambda m: seen.append(m.msg_type))
    bus.emit(Message("a"))

    assert seen == ["a", "a", "b", "b"]


def test_nobody_shares_an_object(bus: FakeBus) -> None:
    """Each client gets a message of its own; what it does to it, nobody sees."""
    seen: list[Message] = []
    for client in (bus, bus.new_client()):
        client.on("a", lambda m: (m.data["list"].append(1), seen.append(m)))
    message = Message("a", {"list": []})
    bus.emit(message)

    assert message.data == {"list": []}
    assert [m.data for m in seen] == [{"list": [1]}, {"list": [1]}]


def test_a_message_is_read_from_json(bus: FakeBus) -> None:
    """A tuple arrives as a list, and an object with serialize() as what that returns."""
    with Recorder(bus) as heard:
        bus.emit(Message("a", {"tuple": (1, 2), "session": Session("s")}))

    assert heard.messages[0].data["tuple"] == [1, 2]
    assert heard.messages[0].data["session"]["session_id"] == "s"


@pytest.mark.parametrize("value", [math.nan, object()])
def test_what_cannot_be_sent_fails(bus: FakeBus, value: object) -> None:
    """As on a real bus, in the call of emit."""
    with pytest.raises(MalformedMessage):
        bus.emit(Message("a", {"value": value}))


def test_a_message_gets_the_session_of_its_client(bus: FakeBus) -> None:
    """One that names none; each client has its own."""
    satellite = bus.new_client(Session("sat-7"))
    with Recorder(bus) as heard:
        bus.emit(Message("a"))
        satellite.emit(Message("a"))

    ids = [m.context["session"]["session_id"] for m in heard.messages]
    assert ids == ["default", "sat-7"]
    assert satellite.session_id == "sat-7"


def test_once_is_once_and_removed_is_silent(bus: FakeBus) -> None:
    """once, remove and remove_all_listeners do what they do in life."""
    seen: list[str] = []

    def handler(message: Message) -> None:
        seen.append(message.msg_type)

    bus.once("once", handler)
    bus.on("removed", handler)
    bus.on("all", handler)
    bus.remove("removed", handler)
    bus.remove_all_listeners("all")
    for type_ in ("once", "once", "removed", "all"):
        bus.emit(Message(type_))

    assert seen == ["once"]


class TestWaits:
    def test_a_question_is_answered(self, bus: FakeBus) -> None:
        """By a handler of any client, at once."""
        bus.new_client().on("ask", lambda m: None)
        bus.on("ask", lambda m: bus.emit(m.response({"n": m.data["n"] + 1})))

        answer = bus.wait_for_response(Message("ask", {"n": 1}))

        assert answer is not None
        assert answer.data == {"n": 2}

    def test_a_handler_can_ask(self, bus: FakeBus) -> None:
        """Also a handler of the answer to another question, and so on."""

        def relay(message: Message) -> None:
            depth = message.data["depth"]
            if depth:
                inner = bus.wait_for_response(
                    Message("ask", {"depth": depth - 1}), same="depth", timeout=5
                )
                assert inner is not None
            bus.emit(message.response({"depth": depth}))

        bus.on("ask", relay)

        answer = bus.wait_for_response(Message("ask", {"depth": 5}), same="depth", timeout=5)

        assert answer is not None
        assert answer.data == {"depth": 5}

    def test_a_handler_can_wait_with_a_waiter(self, bus: FakeBus) -> None:
        """The library's own classes know that nobody else delivers."""
        got: list[Message | None] = []

        def handler(message: Message) -> None:
            waiter = MessageWaiter(bus, "later")
            bus.emit(message.forward("later"))
            got.append(waiter.wait(5))

        bus.on("now", handler)
        bus.emit(Message("now"))

        assert [m and m.msg_type for m in got] == ["later"]

    def test_nobody_answers(self, bus: FakeBus) -> None:
        """There is no answer, after the time."""
        assert bus.wait_for_response(Message("ask"), timeout=0.01) is None
        assert bus.wait_for_message("ask", timeout=0.01) is None

    def test_another_thread_answers(self, bus: FakeBus) -> None:
        """A wait gets what any thread emits."""
        done = threading.Event()

        def say() -> None:
            while not done.wait(0.01):
                bus.emit(Message("news"))

        thread = threading.Thread(target=say)
        thread.start()
        message = bus.wait_for_message("news", 10)
        done.set()
        thread.join()

        assert message is not None

    @pytest.mark.parametrize("within_a_handler", [False, True])
    def test_answers_are_collected(self, bus: FakeBus, within_a_handler: bool) -> None:
        """Those of all who said that they would answer, without waiting for more."""
        answers: list[list[Message]] = []

        def answer(message: CollectionMessage) -> None:
            bus.emit(message.extend(5))
            bus.emit(message.success({"answer": 1}))

        def ask(message: Message | None = None) -> None:
            answers.append(bus.collect_responses(Message("ask"), 5, 10))

        bus.on_collect("ask", answer)
        bus.new_client().on_collect("ask", lambda m: bus.emit(m.failure()))
        started = time.monotonic()
        if within_a_handler:
            bus.on("start", ask)
            bus.emit(Message("start"))
        else:
            ask()

        assert [m.data["succeeded"] for m in answers[0]] == [True, False]
        assert time.monotonic() - started < 4

    def test_a_collector_yields_as_answers_come(self, bus: FakeBus) -> None:
        """Iterating over it works on this bus, too."""
        bus.on_collect("ask", lambda m: bus.emit(m.success()))

        assert len(list(MessageCollector(bus, Message("ask"), 5, 10))) == 1


class TestErrors:
    def test_an_error_in_a_handler_reaches_the_test(self, bus: FakeBus) -> None:
        """After everybody else has had the message."""
        seen: list[str] = []
        bus.on("a", lambda m: bus.emit(m.forward("b")))
        bus.on("a", lambda m: 1 / 0)
        bus.on("a", lambda m: seen.append("a"))
        bus.on("b", lambda m: seen.append("b"))

        with pytest.raises(ZeroDivisionError):
            bus.emit(Message("a"))

        assert seen == ["a", "b"]
        assert [type(error) for error in bus.errors] == [ZeroDivisionError]
        bus.emit(Message("c"))  # it is told once

    def test_an_error_ends_the_wait_of_the_test(self, bus: FakeBus) -> None:
        """A test whose skill failed does not wait for the answer that never comes."""
        bus.on("ask", lambda m: 1 / 0)

        with pytest.raises(ZeroDivisionError):
            bus.wait_for_response(Message("ask"), timeout=None)

    def test_an_error_is_not_that_of_a_handler_that_waits(self, bus: FakeBus) -> None:
        """The handler that asked gets no answer, as in life; the test gets the error."""
        got: list[Message | None] = []
        bus.on("ask", lambda m: 1 / 0)
        bus.on("a", lambda m: got.append(bus.wait_for_response(Message("ask"), timeout=0.01)))

        with pytest.raises(ZeroDivisionError):
            bus.emit(Message("a"))

        assert got == [None]

    def test_errors_can_be_left_to_the_log(self, silence: list[logging.LogRecord]) -> None:
        """As in life: logged, and the local event."""
        bus = FakeBus(raise_errors=False)
        told: list[Exception] = []
        bus.on("error", told.append)
        bus.on("a", lambda m: 1 / 0)
        bus.emit(Message("a"))

        assert told == bus.errors
        assert [r.levelname for r in silence] == ["ERROR"]
        silence.clear()


class TestLife:
    def test_it_runs_until_it_is_closed(self, bus: FakeBus) -> None:
        """In a thread, and a second time in the same."""
        thread = bus.run_in_thread()

        assert bus.run_in_thread() is thread
        assert thread.is_alive()
        bus.close()
        assert not thread.is_alive()
        assert not bus.connected_event.is_set()

    def test_it_runs_for_ever_in_the_calling_thread(self, bus: FakeBus) -> None:
        """Until somebody else closes it."""
        thread = threading.Thread(target=bus.run_forever)
        thread.start()
        bus.close()
        thread.join(10)

        assert not thread.is_alive()
        with pytest.raises(ClientClosed):
            bus.run_forever()
        with pytest.raises(ClientClosed):
            bus.run_in_thread()

    def test_a_closed_client_hears_and_says_nothing(
        self, bus: FakeBus, silence: list[logging.LogRecord]
    ) -> None:
        """The others go on."""
        other = bus.new_client()
        with Recorder(bus) as here, Recorder(other) as there:
            other.close()
            other.emit(Message("a"))
            bus.emit(Message("b"))

        assert here.types == ["b"]
        assert there.types == []
        assert [r.getMessage() for r in silence] == ["the client is closed; 'a' is not sent"]
        silence.clear()

    def test_closing_ends_waits(self, bus: FakeBus) -> None:
        """Also one that would have waited for ever."""
        timer = threading.Timer(0.05, bus.close)
        timer.start()

        assert bus.wait_for_message("never", None) is None
        timer.join()

    def test_the_configuration_is_left_alone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A key in mycroft.conf encrypts nothing here."""
        from ovos_bus_client.client import member as module
        from ovos_bus_client.conf import Encryption

        monkeypatch.setattr(module, "load_encryption", lambda: Encryption("0" * 16, False))
        bus = FakeBus()
        with Recorder(bus) as heard:
            bus.emit(Message("a"))

        assert heard.types == ["a"]


class TestRecorder:
    def test_it_writes_down_what_is_said(self, bus: FakeBus) -> None:
        """In order, while its with lasts."""
        bus.emit(Message("before"))
        with Recorder(bus) as heard:
            bus.emit(Message("a", {"n": 1}))
            bus.emit(Message("b"))
            bus.emit(Message("a", {"n": 2}))
        bus.emit(Message("after"))

        assert heard.types == ["a", "b", "a"]
        assert [m.data for m in heard.of("a")] == [{"n": 1}, {"n": 2}]
        assert repr(heard) == "<Recorder of 3 messages>"
        heard.clear()
        assert heard.messages == []

    def test_it_can_be_choosy(self, bus: FakeBus) -> None:
        """It writes down the types it was told."""
        with Recorder(bus, "a", "c") as heard:
            for type_ in "abcd":
                bus.emit(Message(type_))

        assert heard.types == ["a", "c"]

    def test_it_waits_for_the_nth(self, bus: FakeBus) -> None:
        """Whichever thread says it."""

        def say() -> None:
            for number in range(3):
                bus.emit(Message("a", {"n": number}))

        with Recorder(bus) as heard:
            thread = threading.Thread(target=say)
            thread.start()
            message = heard.wait_for("a", 3, timeout=10)
            thread.join()

        assert message.data == {"n": 2}

    def test_it_works_on_a_real_bus(
        self, daemon: Daemon, connect: Callable[..., MessageBusClient]
    ) -> None:
        """In the order of the bus."""
        client = connect(daemon.port)
        with Recorder(client, "a") as heard:
            for number in range(100):
                client.emit(Message("a", {"n": number}))
            heard.wait_for("a", 100, timeout=10)

        assert [m.data["n"] for m in heard.messages] == [*range(100)]
        client.remove_all_listeners("message")

    def test_a_failure_says_what_was_heard(self, bus: FakeBus) -> None:
        """So that the reader of a failed test knows what happened."""
        with Recorder(bus) as heard:
            with pytest.raises(AssertionError, match="was not said once within 0 s; nothing was s"):
                heard.wait_for("speak", timeout=0)
            bus.emit(Message("speak", {"utterance": "bye", "long": "x" * 200}))
            with pytest.raises(AssertionError) as failed:
                heard.assert_heard("speak", utterance="hello")
            with pytest.raises(AssertionError, match="was not said 2 times within 0 s"):
                heard.wait_for("speak", 2, timeout=0)

        data = "{'utterance': 'bye', 'long': '".ljust(100, "x")
        assert str(failed.value) == (
            f"nobody said speak with {{'utterance': 'hello'}}; this was said:\n  speak {data}..."
        )

    def test_what_was_heard_is_returned(self, bus: FakeBus) -> None:
        """The first that matches, whatever else its data holds."""
        with Recorder(bus) as heard:
            bus.emit(Message("speak", {"utterance": "one", "lang": "en-US"}))
            bus.emit(Message("speak", {"utterance": "two", "lang": "en-US"}))

        assert heard.assert_heard("speak", utterance="two").data["lang"] == "en-US"
        assert heard.assert_heard("speak").data["utterance"] == "one"

    def test_silence_can_be_asserted(self, bus: FakeBus) -> None:
        """Of some types, or of all."""
        with Recorder(bus) as heard:
            heard.assert_not_heard()
            bus.emit(Message("a"))
            heard.assert_not_heard("b")

            with pytest.raises(AssertionError, match="a was said; this was said:"):
                heard.assert_not_heard("b", "a")
            with pytest.raises(AssertionError, match="a was said"):
                heard.assert_not_heard()

    def test_order_can_be_asserted(self, bus: FakeBus) -> None:
        """Whatever comes between."""
        with Recorder(bus) as heard:
            for type_ in "abac":
                bus.emit(Message(type_))

        heard.assert_order("a", "a", "c")
        with pytest.raises(AssertionError, match="nobody said b after c"):
            heard.assert_order("c", "b")
        with pytest.raises(AssertionError, match="nobody said x;"):
            heard.assert_order("x")
