"""Tests of `ovos_bus_client.util`: shortcuts for programs that talk now and then."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ovos_bus_client import MessageBusClient, util
from ovos_bus_client.message import MalformedMessage, Message
from ovos_bus_client.session import Session, SessionManager
from ovos_bus_client.util import (
    decode_binary_message,
    get_message_lang,
    get_mycroft_bus,
    get_websocket,
    listen_for_message,
    listen_once_for_message,
    send_binary_data_message,
    send_binary_file_message,
    send_message,
    wait_for_reply,
)
from tests.support.clients import close_sockets
from tests.support.config import Sections, configure
from tests.support.processes import ROOT, Daemon, environment
from tests.support.rawsocket import RawClient


@pytest.fixture(autouse=True)
def configuration(monkeypatch: pytest.MonkeyPatch) -> Sections:
    """A mycroft.conf that says nothing but the device's language."""
    close_sockets(monkeypatch)
    return configure(monkeypatch, lang="pt-br")


@pytest.fixture
def configured_daemon(configuration: Sections, daemon: Daemon) -> Daemon:
    """A daemon that mycroft.conf names."""
    configuration["websocket"] = {"port": daemon.port}
    return daemon


@pytest.fixture
def listener(daemon: Daemon) -> Iterator[RawClient]:
    """Somebody else on the bus."""
    with RawClient(daemon.port) as client:
        yield client


@pytest.fixture
def bus(daemon: Daemon, configuration: Sections) -> Iterator[MessageBusClient]:
    """A client that is connected."""
    client = get_websocket("127.0.0.1", daemon.port, "/core")
    assert client.connected_event.wait(10)
    yield client
    client.close()


@pytest.fixture
def answerer(daemon: Daemon) -> Iterator[RawClient]:
    """Somebody who answers the first message of type ask with its own data and context."""
    with RawClient(daemon.port) as client:

        def answer() -> None:
            question = client.read_until("ask")[-1]
            client.say(json.dumps(question | {"type": "ask.response"}))

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield client
        thread.join(10)


# Language


@pytest.mark.parametrize(
    ("message", "lang"),
    [
        (Message("a", {"lang": "en-us"}, {"lang": "de-de"}), "en-US"),
        (Message("a", {}, {"lang": "de_de"}), "de-DE"),
        (Message("a", {}, {"session": {"session_id": "x", "lang": "fr-fr"}}), "fr-FR"),
        (Message("a", {"lang": "es-es"}, {"session": {"session_id": "x", "lang": "x"}}), "es-ES"),
        (Message("a"), "pt-BR"),
        (Message("a", {"lang": None}, {"lang": ""}), "pt-BR"),
        (Message("a", {"lang": 5}), "pt-BR"),
    ],
)
def test_a_message_has_a_language(message: Message, lang: str) -> None:
    """That of its data, of its context, of its session, or of the device: the first of them."""
    assert get_message_lang(message) == lang


def test_the_default_session_has_a_language(monkeypatch: pytest.MonkeyPatch) -> None:
    """A message of the default session is in that session's language."""
    monkeypatch.setattr(SessionManager, "default_session", Session("default", lang="nl-nl"))

    assert get_message_lang(Message("a", {}, {"session": {"session_id": "default"}})) == "nl-NL"
    assert get_message_lang(Message("a", {}, {"session_id": "default"})) == "nl-NL"


def test_the_language_of_the_message_at_hand() -> None:
    """Without an argument, it is that of the message that is being handled, or None."""

    def handler(message: Message) -> str | None:
        return get_message_lang()

    assert handler(Message("a", {"lang": "it-it"})) == "it-IT"
    assert get_message_lang() is None


# Clients


def test_a_client_is_started(bus: MessageBusClient) -> None:
    """get_websocket returns a client that runs in a thread of its own."""
    assert bus.started_running


def test_a_client_may_be_left_to_start() -> None:
    """Without a thread, it is not started, and its route and TLS are as usual for this call."""
    client = get_websocket("127.0.0.1", 1, threaded=False)

    assert not client.started_running
    assert client.config == ("127.0.0.1", 1, "/", False)
    client.close()


def test_the_bus_is_where_the_configuration_says(configured_daemon: Daemon) -> None:
    """get_mycroft_bus connects to the configured bus."""
    client = get_mycroft_bus()
    try:
        assert client.connected_event.wait(10)
        assert client.config == ("127.0.0.1", configured_daemon.port, "/core", False)
    finally:
        client.close()


def test_the_bus_is_on_this_machine_unless_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a configuration it is on loopback, and arguments win over the configuration."""
    asked: list[tuple[Any, ...]] = []
    monkeypatch.setattr(util, "get_websocket", lambda *where: asked.append(where))
    get_mycroft_bus()
    configure(monkeypatch, websocket={"host": "10.0.0.1", "port": 1, "ssl": True})
    get_mycroft_bus()
    get_mycroft_bus("10.0.0.2", 2, "/x", False)

    assert asked == [
        ("127.0.0.1", 8181, "/core", False),
        ("10.0.0.1", 1, "/core", True),
        ("10.0.0.2", 2, "/x", False),
    ]


# Listening


def test_a_handler_listens(bus: MessageBusClient, listener: RawClient) -> None:
    """listen_for_message calls it with each message, and returns the bus it was given."""
    heard: queue.Queue[int] = queue.Queue()

    assert listen_for_message("n", lambda m: heard.put(m.data["n"]), bus) is bus
    for number in range(3):
        listener.say_message("n", n=number)
    assert {heard.get(timeout=10) for _ in range(3)} == {0, 1, 2}


def test_a_handler_listens_on_a_bus_of_its_own(
    configured_daemon: Daemon, listener: RawClient
) -> None:
    """Without a bus, it gets one, which is returned to be closed."""
    heard: queue.Queue[Message] = queue.Queue()
    own = listen_for_message("n", heard.put)
    try:
        assert own.connected_event.wait(10)
        listener.say_message("n")
        assert heard.get(timeout=10).msg_type == "n"
    finally:
        own.close()


def test_a_handler_listens_once(bus: MessageBusClient, listener: RawClient) -> None:
    """listen_once_for_message calls it with the next message only, and leaves the bus open."""
    heard: queue.Queue[int] = queue.Queue()

    assert listen_once_for_message("n", lambda m: heard.put(m.data["n"]), bus) is bus
    listener.say_message("n", n=1)
    assert heard.get(timeout=10) == 1
    assert bus.emitter.listeners("n") == []
    assert bus.connected_event.is_set()


@pytest.mark.parametrize("fails", [False, True])
def test_a_bus_of_its_own_is_closed_after_the_call(
    configured_daemon: Daemon,
    listener: RawClient,
    silence: list[Any],
    fails: bool,
) -> None:
    """Without a bus, one is made for the one call and closed after it, whatever it did."""
    heard: queue.Queue[Message] = queue.Queue()

    def handler(message: Message) -> None:
        heard.put(message)
        if fails:
            raise RuntimeError("on purpose")

    own = listen_once_for_message("n", handler)
    assert own.connected_event.wait(10)
    listener.say_message("n")

    assert heard.get(timeout=10).msg_type == "n"
    configured_daemon.wait_for("left: it closed with 1000")
    own.emitter.shutdown(wait=True)
    silence.clear()  # a handler that fails may be told of


# Asking and sending


@pytest.mark.parametrize(
    "question",
    [
        "ask",
        Message("ask"),
        {"type": "ask", "data": {}, "context": {}},
        {"type": "ask"},
        '{"type": "ask"}',
    ],
)
def test_a_question_is_answered(bus: MessageBusClient, answerer: RawClient, question: Any) -> None:
    """A message in whatever form is asked, and its .response is the answer."""
    answer = wait_for_reply(question, bus=bus, timeout=10)

    assert answer is not None
    assert answer.msg_type == "ask.response"


def test_a_question_may_have_another_answer(bus: MessageBusClient) -> None:
    """The type of the answer, or several of them, can be named."""
    for reply_type in ("ask", ["never", "ask"]):
        answer = wait_for_reply("ask", reply_type, 10, bus)
        assert answer is not None
        assert answer.msg_type == "ask"


def test_a_question_may_have_none(bus: MessageBusClient) -> None:
    """Without an answer in time there is None."""
    assert wait_for_reply("ask", timeout=0.1, bus=bus) is None


def test_a_question_gets_a_bus_of_its_own(configured_daemon: Daemon, answerer: RawClient) -> None:
    """Without a bus, one is made for the question and closed after the answer."""
    answer = wait_for_reply(Message("ask", {"n": 1}), timeout=10)

    assert answer is not None
    assert answer.data == {"n": 1}
    configured_daemon.wait_for("left: it closed with 1000")


@pytest.mark.parametrize("function", [wait_for_reply, send_message])
@pytest.mark.parametrize("nothing", [None, "", 5, ["ask"], {}, "{"])
def test_what_is_no_message_is_an_error(function: Callable[..., Any], nothing: Any) -> None:
    """It is a ValueError, before anybody is connected to."""
    with pytest.raises(ValueError, match=r"\S"):
        function(nothing)


def test_broken_json_is_malformed() -> None:
    """What begins like an object is taken for one."""
    with pytest.raises(MalformedMessage):
        send_message(' {"type": ')


def test_a_message_is_sent(bus: MessageBusClient, listener: RawClient) -> None:
    """Data and context are laid over the message's own, which stays as it is."""
    message = Message("a", {"x": 1}, {"source": "me", "session": {"session_id": "s"}})
    send_message(message, {"y": 2}, {"destination": "you"}, bus)

    assert listener.read_until("a")[-1] == {
        "type": "a",
        "data": {"x": 1, "y": 2},
        "context": {"source": "me", "destination": "you", "session": {"session_id": "s"}},
    }
    assert message.data == {"x": 1}


def test_a_message_is_sent_without_a_bus(configured_daemon: Daemon, listener: RawClient) -> None:
    """It has left when the call is over, with the session of the device."""
    send_message("a", {"x": 1})

    message = listener.read_message()
    assert (message["type"], message["data"]) == ("a", {"x": 1})
    assert message["context"]["session"]["session_id"] == "default"


def test_a_message_that_cannot_be_sent_is_an_error(
    configuration: Sections, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a bus in time, the call fails instead of losing the message."""
    configuration["websocket"] = {"port": 1}
    monkeypatch.setattr("ovos_bus_client._oneshot.RETRY", 20)  # longer than it is given

    with pytest.raises(ConnectionRefusedError):
        send_message("a")


# Bytes


def test_bytes_are_sent(bus: MessageBusClient, listener: RawClient) -> None:
    """They travel as hexadecimal text, beside other data."""
    send_binary_data_message(b"\x00\xff", "b", {"n": 1}, {"source": "me"}, bus)

    message = listener.read_until("b")[-1]
    assert message["data"] == {"binary": "00ff", "n": 1}
    assert message["context"]["source"] == "me"
    assert decode_binary_message(json.dumps(message)) == b"\x00\xff"


def test_a_file_is_sent(bus: MessageBusClient, listener: RawClient, tmp_path: Path) -> None:
    """It travels with its path."""
    file = tmp_path / "file"
    file.write_bytes(bytes(range(256)))
    send_binary_file_message(str(file), bus=bus)

    message = listener.read_until("mycroft.binary.file")[-1]
    assert message["data"]["path"] == str(file)
    assert decode_binary_message(message) == bytes(range(256))


def test_bytes_have_a_type_of_their_own(bus: MessageBusClient, listener: RawClient) -> None:
    """Without a type it is mycroft.binary.data."""
    send_binary_data_message(bytearray(b"a"), bus=bus)

    assert listener.read_until("mycroft.binary.data")[-1]["data"] == {"binary": "61"}


@pytest.mark.parametrize(
    "message",
    [
        Message("b", {"binary": "00ff"}),
        {"type": "b", "data": {"binary": "00ff"}, "context": {}},
        {"binary": "00ff"},
        '{"type": "b", "data": {"binary": "00ff"}}',
        "00ff",
        "00FF",
    ],
)
def test_bytes_are_found(message: Any) -> None:
    """A message in whatever form, its data, and the text alone are decoded."""
    assert decode_binary_message(message) == bytearray(b"\x00\xff")


@pytest.mark.parametrize(
    "message", [None, 5, {}, Message("b"), {"binary": 5}, "{}", "{", "xyz", {"data": []}]
)
def test_no_bytes_are_an_error(message: Any) -> None:
    """What holds no hexadecimal text is a ValueError."""
    with pytest.raises(ValueError, match=r"\S"):
        decode_binary_message(message)


def test_the_client_is_imported_when_it_is_needed(tmp_path: Path) -> None:
    """Who only decodes or reads languages does without the network."""
    program = (
        "import sys, ovos_bus_client.util;"
        "assert not {'websocket', 'ovos_config', 'pyee'} & set(sys.modules)"
    )
    subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment(tmp_path), check=True, timeout=30
    )
