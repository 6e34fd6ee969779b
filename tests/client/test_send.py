"""Tests of `send`: one message, and the certainty that it left."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import websocket

from ovos_bus_client import Message, encryption, send
from ovos_bus_client._oneshot import deliver
from ovos_bus_client.conf import MessageBusConfig
from ovos_bus_client.errors import MalformedMessage, NotDelivered
from tests.monitor.support import UnrulyBus
from tests.support.config import Sections, configure
from tests.support.processes import ROOT, Daemon, environment
from tests.support.rawsocket import RawClient


@pytest.fixture
def configuration(monkeypatch: pytest.MonkeyPatch, daemon: Daemon) -> Sections:
    """Let mycroft.conf name the daemon."""
    return configure(monkeypatch, websocket={"port": daemon.port})


@pytest.fixture
def listener(daemon: Daemon) -> Iterator[RawClient]:
    """Somebody else on the bus."""
    with RawClient(daemon.port) as client:
        yield client


@pytest.fixture
def start_bus(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., UnrulyBus]]:
    """Start buses that misbehave; mycroft.conf names the last one."""
    buses: list[UnrulyBus] = []

    def start(**behaviour: Any) -> UnrulyBus:
        buses.append(UnrulyBus(**behaviour))
        configure(monkeypatch, websocket={"port": buses[-1].port})
        return buses[-1]

    yield start
    for bus in buses:
        bus.stop()


@pytest.fixture
def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_a_type_and_data_are_a_message(configuration: Sections, listener: RawClient) -> None:
    """What arrives is that message, without a session, once the call is over."""
    send("speak", {"utterance": "héllo"})

    assert listener.read_message() == {
        "type": "speak",
        "data": {"utterance": "héllo"},
        "context": {},
    }


@pytest.mark.parametrize(
    "written",
    [
        Message("a", {"x": 1}, {"source": "me"}),
        {"type": "a", "data": {"x": 1}, "context": {"source": "me"}},
        '{"type": "a", "data": {"x": 1}, "context": {"source": "me"}}',
    ],
)
def test_whatever_is_a_message_is_sent(
    configuration: Sections, listener: RawClient, written: Any
) -> None:
    """A message, an object and JSON are sent as they are, and data is laid over theirs."""
    send(written)
    send(written, {"y": 2})

    expected = {"type": "a", "data": {"x": 1}, "context": {"source": "me"}}
    assert listener.read_message() == expected
    assert listener.read_message() == expected | {"data": {"x": 1, "y": 2}}


def test_what_is_given_stays_as_it_is(configuration: Sections) -> None:
    """Nothing is written into the caller's message."""
    message = Message("a", {"x": 1})
    send(message, {"y": 2})

    assert message == Message("a", {"x": 1})


def test_a_message_leaves_before_the_program_ends(daemon: Daemon, tmp_path: Path) -> None:
    """A program that does nothing but send a hundred messages has sent them all, in order."""
    file = tmp_path / "config" / "mycroft" / "mycroft.conf"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"websocket": {"port": daemon.port}}))
    program = "from ovos_bus_client import send\nfor n in range(100): send('n', {'n': n})"
    with RawClient(daemon.port) as listener:
        subprocess.run(
            [sys.executable, "-W", "error", "-c", program],
            cwd=ROOT,
            env=environment(tmp_path),
            check=True,
            timeout=30,
        )
        assert [listener.read_message()["data"]["n"] for _ in range(100)] == [*range(100)]


@pytest.mark.parametrize("nothing", ["", None, 5, [], "{}", '{"type": 5}', "{"])
def test_what_is_no_message_is_not_sent(nothing: Any) -> None:
    """It is a ValueError, before anybody is connected to."""
    with pytest.raises(ValueError, match=r"\S"):
        send(nothing)


def test_what_has_no_json_form_is_not_sent() -> None:
    """It is a malformed message, before anybody is connected to."""
    with pytest.raises(MalformedMessage):
        send("a", {"x": object()})


def test_a_bus_that_is_away_is_an_error(monkeypatch: pytest.MonkeyPatch, free_port: int) -> None:
    """Nobody is waited for: the connection's error reaches the caller."""
    configure(monkeypatch, websocket={"port": free_port})

    with pytest.raises(ConnectionRefusedError):
        send("a")


def test_a_bus_that_refuses_is_an_error(start_bus: Callable[..., UnrulyBus]) -> None:
    """The error tells the status."""
    start_bus(refusal=403)

    with pytest.raises(websocket.WebSocketBadStatusException, match="403"):
        send("a")


def test_the_talk_of_others_is_no_confirmation(start_bus: Callable[..., UnrulyBus]) -> None:
    """Whatever else comes, the call is over when the bus says goodbye."""
    heard: list[str] = []

    def hear(connection: Any, text: str) -> None:
        heard.append(text)
        for _ in range(100):
            connection.write_message('{"type": "other"}')

    start_bus(greeting=["junk", b"\xff"], hear=hear)
    send("a")

    assert [json.loads(text)["type"] for text in heard] == ["a"]


def test_a_bus_that_gives_up_on_us_is_an_error(start_bus: Callable[..., UnrulyBus]) -> None:
    """A goodbye for another reason than ours confirms nothing, and tells the reason."""
    start_bus(hear=lambda connection, text: connection.close(1009, "too big"))

    with pytest.raises(NotDelivered, match="1009 too big") as caught:
        send("a")
    assert isinstance(caught.value, ConnectionError)


def test_an_oversized_message_is_an_error(
    start_daemon: Callable[..., Daemon], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The daemon refuses it with 1009, and the sender learns of it."""
    daemon = start_daemon(config='{"websocket": {"max_msg_size": 0.01}}')
    configure(monkeypatch, websocket={"port": daemon.port})

    with pytest.raises(NotDelivered):
        send("a", {"x": "x" * 100_000})
    daemon.expect_warning("1009|too big|max_msg_size|larger")


def test_a_bus_that_hangs_up_is_an_error(start_bus: Callable[..., UnrulyBus]) -> None:
    """A connection that ends without a goodbye confirms nothing."""
    start_bus(hear=lambda connection, text: connection.ws_connection.stream.close())

    with pytest.raises(NotDelivered):
        send("a")


def test_a_silent_bus_is_an_error_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bus that takes a connection and says nothing is given up on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        configure(monkeypatch, websocket={"port": server.getsockname()[1]})

        with pytest.raises(websocket.WebSocketTimeoutException):
            send("a", timeout=0.1)


def test_a_bus_that_never_says_goodbye_is_an_error_in_time(
    start_bus: Callable[..., UnrulyBus],
) -> None:
    """A bus that takes the message and then stands still is given up on."""

    over = threading.Event()
    start_bus(hear=lambda connection, text: over.wait(20))
    try:
        with pytest.raises(NotDelivered, match=r"nothing within 0\.3 s"):
            send("a", timeout=0.3)
    finally:
        over.set()


def test_a_patient_sender_waits_for_the_bus(
    start_daemon: Callable[..., Daemon], monkeypatch: pytest.MonkeyPatch, free_port: int
) -> None:
    """Asked to be patient, it tries until the bus is there."""
    configure(monkeypatch)
    config = MessageBusConfig("127.0.0.1", free_port, "/core", False)
    refused: list[float] = []

    def start_at_last(seconds: float) -> None:
        refused.append(seconds)
        if len(refused) == 2:
            start_daemon(port=free_port)

    monkeypatch.setattr("time.sleep", start_at_last)
    deliver(['{"type": "a"}'], config, timeout=20, patient=True)

    assert len(refused) >= 2


def test_a_patient_sender_gives_up_in_the_end(
    monkeypatch: pytest.MonkeyPatch, free_port: int
) -> None:
    """When the time is over, it says what is wrong."""
    configure(monkeypatch)
    config = MessageBusConfig("127.0.0.1", free_port, "/core", False)

    with pytest.raises(ConnectionRefusedError):
        deliver([], config, timeout=0.3, patient=True)


def test_an_address_of_ipv6_is_reached(
    start_daemon: Callable[..., Daemon], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bare IPv6 address gets the brackets that a URL needs."""
    daemon = start_daemon("--host", "::1")
    configure(monkeypatch, websocket={"host": "::1", "port": daemon.port})
    send("a")


def test_a_secret_key_seals_the_message(
    start_bus: Callable[..., UnrulyBus], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With websocket.secret_key, what leaves can be read with the key only."""
    monkeypatch.setattr(encryption, "_warned", type(encryption._warned)())
    encryption._warned.set()
    heard: list[str] = []
    bus = start_bus(hear=lambda connection, text: heard.append(text))
    configure(monkeypatch, websocket={"port": bus.port, "secret_key": "k" * 16})
    send("a")

    assert "ciphertext" in json.loads(heard[0])
    assert json.loads(encryption.unseal(heard[0], "k" * 16))["type"] == "a"
