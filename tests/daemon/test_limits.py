"""The limits that a client meets first; `tests/hostile` tries all of them, in anger."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable

import pytest

from tests.support.processes import Daemon
from tests.support.rawsocket import CLOSE, PING, PONG, RawClient, frame

StartDaemon = Callable[..., Daemon]


def settings(**values: float) -> str:
    return json.dumps({"websocket": values})


def test_one_client_too_many_is_told_so(start_daemon: StartDaemon) -> None:
    """Over max_connections a handshake is answered 503, until somebody leaves."""
    daemon = start_daemon(config=settings(max_connections=2))
    with RawClient(daemon.port):
        with RawClient(daemon.port), RawClient(daemon.port, greeted=False) as third:
            assert third.status == 503
        daemon.expect_warning("2 clients have joined, and max_connections allows no more")
        daemon.wait_for("client 2 .* left")
        with RawClient(daemon.port) as third:
            assert third.status == 101


def test_who_answers_no_ping_is_dropped(start_daemon: StartDaemon) -> None:
    """It is asked after ping_interval and closed with 1011 after ping_timeout."""
    daemon = start_daemon(config=settings(ping_interval=0.1, ping_timeout=0.1))
    with RawClient(daemon.port) as client:
        assert client.read_frame() == (PING, b"")
        assert client.read_close() == 1011
        client.send(frame((1011).to_bytes(2, "big"), CLOSE))
        daemon.wait_for("client 1 .* left: closed with 1011, no answer to a ping")
    daemon.expect_warning("dropping client 1 .*: no answer to a ping for 0.1 s")


def test_who_answers_pings_stays(start_daemon: StartDaemon) -> None:
    """As long as it likes, and it need not say anything else."""
    daemon = start_daemon(config=settings(ping_interval=0.1, ping_timeout=5))
    with RawClient(daemon.port) as client:
        for _ in range(3):
            assert client.read_frame() == (PING, b"")
            client.send(frame(b"", PONG))


def test_no_pings_with_an_interval_of_zero(start_daemon: StartDaemon) -> None:
    """A client that is asked nothing can be silent."""
    daemon = start_daemon(config=settings(ping_interval=0, ping_timeout=0.1))
    with RawClient(daemon.port) as client:
        client.socket.settimeout(2.5)

        with pytest.raises(TimeoutError):
            client.read_frame()


def test_a_fault_is_one_warning_with_the_name_of_its_client(daemon: Daemon) -> None:
    """And the client is told the code and why, before the connection ends."""
    with RawClient(daemon.port, headers={"User-Agent": "odd"}) as client:
        client.send(b"\x83\x80\0\0\0\0")
        opcode, payload = client.read_frame()

        assert opcode == CLOSE
        assert payload == (1002).to_bytes(2, "big") + b"opcode 3 is reserved"
        address = "{}:{}".format(*client.socket.getsockname())
        warning = daemon.expect_warning("closing client 1")
    assert address in warning
    assert warning.endswith("'odd'): opcode 3 is reserved (1002)")
    daemon.wait_for("client 1 .* left: closed with 1002, opcode 3 is reserved")


def test_connecting_again_does_not_evade_the_throttle(daemon: Daemon) -> None:
    """However many connections a peer takes for its faults, it fills a few lines of the log."""
    for _ in range(30):
        with RawClient(daemon.port) as client:
            client.say("rubbish")
            client.send(b"\x83\x80\0\0\0\0")
            assert client.read_close() == 1002
    daemon.expect_warning("dropped a malformed message")
    daemon.expect_warning("opcode 3 is reserved")
    warnings = [line for line in daemon.lines if "WARNING" in line]
    # Five in ten seconds, and whoever runs this may be slow.
    assert len(warnings) < 25, warnings


def test_tls_where_there_is_none_is_explained(daemon: Daemon) -> None:
    """A client with wss:// is closed at once, and the log says what to change."""
    with socket.create_connection(("127.0.0.1", daemon.port), 10) as client:
        client.sendall(b"\x16\x03\x01\x00\x05hello")
        assert client.recv(100) == b""
    warning = daemon.expect_warning("speaks TLS, and this port does not")

    assert "ws://, not wss://" in warning


def test_what_comes_after_a_fault_is_forgotten(daemon: Daemon) -> None:
    """Messages before it are delivered, and those after it are not."""
    with RawClient(daemon.port) as hearer:
        with RawClient(daemon.port) as client:
            client.send(frame(b'{"type":"before"}') + frame(b"", 0xB) + frame(b'{"type":"after"}'))
            assert client.read_close() == 1002
        with RawClient(daemon.port) as other:
            other.say_message("end")
        assert [message["type"] for message in hearer.read_until("end")] == ["before", "end"]
    daemon.expect_warning("opcode 11 is reserved")
