"""Tests of `ovos_bus_monitor.link`: one connection to the bus."""

import socket
import threading

import pytest

from ovos_bus_monitor.address import Address
from ovos_bus_monitor.errors import Lost, Refused, Unreachable
from ovos_bus_monitor.link import Link
from ovos_bus_monitor.seen import Malformed, Seen
from tests.monitor.support import PATIENCE_SECONDS


@pytest.fixture
def join(started):
    def open_link(bus):
        link = Link.open(Address(port=bus.port), PATIENCE_SECONDS)
        return started(link, link.close)

    return open_link


def test_messages_arrive_in_order(bus, join):
    """What is sent comes back from the bus, behind the greeting and in order."""
    link = join(bus)
    for number in range(50):
        link.send(f'{{"type": "n{number}"}}')
    types = [link.receive(PATIENCE_SECONDS).type for _ in range(51)]

    assert types == ["connected", *(f"n{number}" for number in range(50))]


def test_a_bus_is_asked_for_some_types(bus, started):
    """Once it is open, they come, behind the greeting; no others do, and nothing is missed."""
    link = Link.open(Address(port=bus.port), PATIENCE_SECONDS, ["b", "c"])
    started(link, link.close)
    for name in "abc":
        link.send(f'{{"type": "{name}"}}')
    assert link.pending()
    types = [link.receive(PATIENCE_SECONDS).type for _ in range(3)]

    assert types == ["connected", "b", "c"]
    assert not link.pending()


def test_a_bus_without_subscriptions_sends_everything(unruly_bus, started):
    """It does not select the subprotocol, and is not told what it would only relay."""
    unruly = unruly_bus(
        greeting=['{"type": "a"}'], hear=lambda client, text: client.write_message(text)
    )
    link = Link.open(Address(port=unruly.port), PATIENCE_SECONDS, ["b"])
    started(link, link.close)
    link.send('{"type": "c"}')

    assert [link.receive(PATIENCE_SECONDS) for _ in range(2)] == [Seen("a"), Seen("c")]


def test_small_messages_are_not_held_back(bus, join):
    """The connection does not collect small messages into packets."""
    sock = socket.socket(fileno=socket.dup(join(bus).fileno()))
    with sock:
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_silence_ends_with_the_timeout(bus, join):
    """Nothing within the time is a TimeoutError, and the link goes on."""
    link = join(bus)
    link.receive(PATIENCE_SECONDS)
    with pytest.raises(TimeoutError):
        link.receive(0.01)
    link.send('{"type": "a"}')

    assert link.receive(PATIENCE_SECONDS) == Seen("a")


def test_bad_frames_are_read_as_malformed(unruly_bus, join):
    """Frames that are no messages come out as such, and those behind them too."""
    link = join(unruly_bus(greeting=["junk", b"\xff\x00", '{"type": "a"}']))
    sightings = [link.receive(PATIENCE_SECONDS) for _ in range(3)]

    assert sightings == [
        Malformed("not JSON", "junk"),
        Malformed("binary frame", "\\xff\x00"),
        Seen("a"),
    ]


def test_farewell_is_told(unruly_bus, join):
    """When the bus ends the connection, its code and its reason are kept."""
    bus = unruly_bus(hear=lambda connection, text: connection.close(1013, "too slow"))
    link = join(bus)
    link.send("{}")

    with pytest.raises(Lost, match="the bus closed it: 1013 too slow"):
        link.receive(PATIENCE_SECONDS)
    link.close()
    with pytest.raises(Lost):
        link.send("{}")


def test_refusal_is_told(unruly_bus, join):
    """A handshake answered with an HTTP status gives the status and the first line."""
    with pytest.raises(Refused, match="HTTP 403: not with me") as refused:
        join(unruly_bus(refusal=403))

    assert refused.value.status == 403


def test_nobody_there(join):
    """A port nobody listens on is unreachable."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    with pytest.raises(Unreachable, match="Connection refused"):
        Link.open(Address(port=port), PATIENCE_SECONDS)


@pytest.mark.parametrize(
    "answer", [b"SSH-2.0-x\r\n\r\n", b"HTTP/1.1\r\n\r\n", b"\xff\r\n\r\n", b""]
)
def test_somebody_else_there(answer):
    """A port that speaks something else is unreachable, whatever it says."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def say():
            peer, _ = server.accept()
            with peer:
                peer.recv(65536)
                peer.sendall(answer)

        thread = threading.Thread(target=say)
        thread.start()
        with pytest.raises(Unreachable):
            Link.open(Address(port=server.getsockname()[1]), PATIENCE_SECONDS)
        thread.join(PATIENCE_SECONDS)
