"""The daemon as its clients see it, through raw sockets."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import threading
from collections.abc import Callable

import pytest

from ovos_bus.config import BusConfig
from ovos_bus.listener import Listener
from tests.support.processes import Daemon
from tests.support.rawsocket import BINARY, CONTINUATION, PING, PONG, TEXT, Closed, RawClient, frame

StartDaemon = Callable[..., Daemon]


def test_a_client_is_greeted(daemon: Daemon) -> None:
    """The first message a client gets is `connected`, with the default session."""
    with RawClient(daemon.port) as client:
        assert client.greeting == {
            "type": "connected",
            "data": {},
            "context": {"session": {"session_id": "default"}},
        }


def test_everybody_gets_every_message_as_it_came(daemon: Daemon) -> None:
    """Key order, number formats, spaces and unknown keys reach every client, sender included."""
    text = (
        '{ "later":1e2, "context":{"b":1,"a":-0.0}, "data":{"x":1.50, "é":"\\u00e9"}, "type":"t" }'
    )
    with RawClient(daemon.port) as sender, RawClient(daemon.port) as other:
        sender.say(text)

        assert sender.read_text() == text
        assert other.read_text() == text


def test_all_clients_see_one_order(daemon: Daemon) -> None:
    """Two senders at once: every client sees the same order, and each sender's own order in it."""
    count = 500
    with RawClient(daemon.port) as one, RawClient(daemon.port) as two, RawClient(daemon.port) as w:

        def talk(client: RawClient, name: str) -> None:
            for n in range(count):
                client.say_message(name, n=n)

        threads = [threading.Thread(target=talk, args=a) for a in ((one, "one"), (two, "two"))]
        for thread in threads:
            thread.start()
        seen = [[c.read_message() for _ in range(2 * count)] for c in (w, one, two)]
        for thread in threads:
            thread.join()

    assert seen[0] == seen[1] == seen[2]
    for name in ("one", "two"):
        assert [m["data"]["n"] for m in seen[0] if m["type"] == name] == list(range(count))


def test_a_burst_arrives_whole_and_in_order(daemon: Daemon) -> None:
    """A thousand frames in as few segments as the system makes of them are a thousand messages."""
    texts = [json.dumps({"type": "t", "data": {"n": n}}) for n in range(1000)]
    with RawClient(daemon.port) as sender, RawClient(daemon.port) as other:
        sender.send(b"".join(frame(text.encode()) for text in texts))

        assert [other.read_text() for _ in texts] == texts
        assert [sender.read_text() for _ in texts] == texts


def test_a_frame_may_come_byte_by_byte(daemon: Daemon) -> None:
    """One frame in as many segments as it has bytes is one message."""
    with RawClient(daemon.port) as client:
        for byte in frame(b'{"type": "slow"}'):
            client.send(bytes([byte]))

        assert client.read_text() == '{"type": "slow"}'


def test_a_fragmented_message_is_one_message(daemon: Daemon) -> None:
    """Fragments are put together, also with a ping between them (RFC 6455 §5.4)."""
    with RawClient(daemon.port) as client:
        client.send(frame(b'{"type": ', fin=False))
        client.send(frame(b"are you there", PING))
        client.send(frame(b'"whole"}', CONTINUATION))

        received = [client.read_frame() for _ in range(2)]
        # The answer waits for the end of the turn; the rest of the message may be here before that.
        assert sorted(received) == [(TEXT, b'{"type": "whole"}'), (PONG, b"are you there")]


@pytest.mark.parametrize("size", [100, 125, 126, 65_535, 65_536, 3_000_000])
def test_every_length_of_header_carries_its_message(daemon: Daemon, size: int) -> None:
    """Messages on both sides of the limits of RFC 6455 §5.2 pass unchanged."""
    text = '{"type":"t","data":{"x":"' + "x" * (size - 28) + '"}}'
    assert len(text) == size
    with RawClient(daemon.port) as client:
        client.say(text)

        assert client.read_text() == text


def test_binary_frames_are_refused(daemon: Daemon) -> None:
    """A binary frame closes its sender's connection with 1003, and reaches nobody."""
    with RawClient(daemon.port) as sender, RawClient(daemon.port) as other:
        sender.send(frame(b'{"type": "t"}', BINARY))

        assert sender.read_close() == 1003
        other.say_message("still.here")
        assert other.read_message()["type"] == "still.here"
    daemon.expect_warning("not binary frames")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty text"),
        ("hello", "not JSON"),
        ("[]", "not an object"),
        ("{}", "type is missing"),
        ('{"type": ""}', "type is empty"),
        ('{"type": 5}', "type is not a string"),
        ('{"type": "t", "data": []}', "data is not an object"),
        ('{"type": "t", "context": "x"}', "context is not an object"),
        ('{"type": "t", "context": {"session": []}}', "context.session is not an object"),
        ('{"type": "t", "data": {"x": NaN}}', "not JSON"),
        ('{"type": "t"} {"type": "t"}', "not JSON"),
        ('{"type": "\x1b[2J"}', "not JSON"),
        ('{"type": "t", "data": {"x": ' + "[" * 100_000 + "]" * 100_000 + "}}", "too deeply"),
    ],
)
def test_a_malformed_message_costs_only_itself(daemon: Daemon, text: str, reason: str) -> None:
    """It is dropped with one warning that names sender and reason; the sender stays (M4, M5)."""
    with RawClient(daemon.port) as sender, RawClient(daemon.port) as other:
        sender.say(text)
        sender.say_message("after")

        assert sender.read_message()["type"] == "after"
        assert other.read_message()["type"] == "after"
        warning = daemon.expect_warning("dropped a malformed message")
        address = "{}:{}".format(*sender.socket.getsockname())
    assert address in warning
    assert reason in warning
    assert "\x1b" not in warning


def test_a_flood_of_malformed_messages_is_one_warning(daemon: Daemon) -> None:
    """The warning is rate-limited, so that nobody can fill the disk with it."""
    with RawClient(daemon.port) as sender:
        sender.send(frame(b"rubbish") * 2000)
        sender.say_message("after")

        assert sender.read_message()["type"] == "after"
    daemon.expect_warning("dropped a malformed message")
    assert sum("dropped a malformed message" in line for line in daemon.lines) == 1


def test_too_large_a_message_closes_with_1009(start_daemon: StartDaemon) -> None:
    """A frame over max_msg_size is refused by its header: not a byte of it is buffered."""
    daemon = start_daemon("--max-msg-size", "0.01")
    with RawClient(daemon.port) as sender, RawClient(daemon.port) as other:
        whole = frame(b"x" * 20_000)
        sender.send(whole[:14])

        assert sender.read_close() == 1009
        other.say_message("still.here")
        assert other.read_message()["type"] == "still.here"
    daemon.expect_warning("message too big")


def test_fragments_that_grow_too_large_close_with_1009(start_daemon: StartDaemon) -> None:
    """The limit is on the message, so it cannot be walked around in fragments."""
    daemon = start_daemon("--max-msg-size", "0.01")
    with RawClient(daemon.port) as sender:
        sender.send(frame(b"x" * 6000, fin=False))
        sender.send(frame(b"x" * 6000, CONTINUATION)[:8])

        assert sender.read_close() == 1009
    daemon.expect_warning("message too big")


@pytest.mark.parametrize("death", ["reset", "close"])
def test_a_death_in_the_middle_of_a_fan_out_disturbs_nobody(daemon: Daemon, death: str) -> None:
    """Clients that vanish while messages are on their way to them cost the others nothing."""
    count = 400
    with RawClient(daemon.port) as sender, RawClient(daemon.port) as witness:
        victims = [RawClient(daemon.port) for _ in range(8)]
        for n in range(count):
            sender.say_message("n", n=n)
            if n % 50 == 25:
                victim = victims.pop()
                victim.reset() if death == "reset" else victim.socket.close()
        for client in (witness, sender):
            assert [client.read_message()["data"]["n"] for _ in range(count)] == list(range(count))


def test_a_clean_goodbye_is_answered(daemon: Daemon) -> None:
    """A client's close frame is echoed with its code (RFC 6455 §5.5.1)."""
    with RawClient(daemon.port) as client:
        client.send(frame((1000).to_bytes(2, "big"), 0x8))

        assert client.read_close() == 1000
    daemon.wait_for("client 1 .* left: it closed with 1000")


def test_nagle_is_off() -> None:
    """TCP_NODELAY is set on the daemon's side, so that no answer waits for an acknowledgement."""

    async def options() -> list[int]:
        listener = Listener(BusConfig(port=0))
        listener.start()
        client = await asyncio.to_thread(RawClient, listener.port)
        with client:
            streams = [bus_socket._stream for bus_socket in listener._bus._connections]
            found = [s.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) for s in streams]
        await listener.stop()
        return found

    assert [option > 0 for option in asyncio.run(options())] == [True]


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_cleanly(start_daemon: StartDaemon, signum: int) -> None:
    """It closes every client with 1001 and ends with exit code 0."""
    daemon = start_daemon()
    with RawClient(daemon.port) as one, RawClient(daemon.port) as two:
        daemon.signal(signum)

        assert one.read_close() == two.read_close() == 1001
        for client in (one, two):
            client.send(frame((1001).to_bytes(2, "big"), 0x8))
        assert daemon.wait(3.0) == 0


def test_it_stops_within_three_seconds_whoever_does_not_answer(start_daemon: StartDaemon) -> None:
    """A client that never answers the close frame does not keep the daemon."""
    daemon = start_daemon()
    with RawClient(daemon.port), RawClient(daemon.port, receive_buffer=4096) as stuck:
        for n in range(64):
            stuck.say_message("fill", n=n, x="x" * 60_000)
        daemon.signal(signal.SIGTERM)

        assert daemon.wait(3.0) == 0


def test_what_was_not_yet_received_is_flushed_before_it_stops(start_daemon: StartDaemon) -> None:
    """A client that is behind gets all that was published before the signal, then 1001."""
    daemon = start_daemon()
    count = 200
    with RawClient(daemon.port) as sender, RawClient(daemon.port, receive_buffer=4096) as slow:
        for n in range(count):
            sender.say_message("n", n=n, x="x" * 50_000)
        for _ in range(count):
            sender.read_frame()
        daemon.signal(signal.SIGTERM)
        daemon.wait_for("stopping")

        assert [slow.read_message()["data"]["n"] for _ in range(count)] == list(range(count))
        assert slow.read_close() == 1001
        assert daemon.wait(3.0) == 0


def test_sighup_is_harmless(daemon: Daemon) -> None:
    """A hang-up ends neither the daemon nor a connection."""
    with RawClient(daemon.port) as client:
        daemon.signal(signal.SIGHUP)
        daemon.wait_for("SIGHUP")
        client.say_message("still.here")

        assert client.read_message()["type"] == "still.here"


def test_no_new_clients_while_it_stops(start_daemon: StartDaemon) -> None:
    """From the signal on, nobody is let in."""
    daemon = start_daemon()
    with RawClient(daemon.port) as client:
        daemon.signal(signal.SIGTERM)
        assert client.read_close() == 1001

        with pytest.raises((ConnectionError, Closed)):
            RawClient(daemon.port)


def test_filter_logs_what_passes(start_daemon: StartDaemon) -> None:
    """With `filter`, type, source and destination go to the debug log, but for listed types."""
    daemon = start_daemon(
        "--log-level",
        "debug",
        config='{"websocket": {"filter": true, "filter_logs": ["quiet"]}}',
    )
    with RawClient(daemon.port) as client:
        client.say('{"type": "quiet"}')
        client.say('{"type": "loud", "context": {"source": "a\\u001b", "destination": ["b"]}}')
        client.read_until("loud")

    line = daemon.wait_for(r"DEBUG - > 'loud' .*")[0]
    assert line.endswith('source: "a\\u001b" destination: ["b"]')
    assert "quiet" not in daemon.output
