"""Nobody can hold up the bus: clients that do not read, senders that flood, and two witnesses."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from http.client import HTTPConnection

import pytest

from tests.support.processes import Daemon
from tests.support.rawsocket import CLOSE, PING, PONG, TEXT, RawClient, frame

StartDaemon = Callable[..., Daemon]

MIB = 1024 * 1024
FILL = "x" * 60_000


def limits(**settings: float) -> str:
    return json.dumps({"websocket": {"max_msg_size": 0.25} | settings})


def gauge(daemon: Daemon, name: str) -> int:
    """Return what the daemon tells of itself."""
    connection = HTTPConnection("127.0.0.1", daemon.port, timeout=10)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    found = re.search(rf"^ovos_bus_{name} (\S+)$", text, re.MULTILINE)
    assert found is not None
    return int(float(found[1]))


def backlog(daemon: Daemon) -> int:
    """Return what its clients have not read, all together, in bytes."""
    return gauge(daemon, "backlog_bytes")


def address(client: RawClient) -> str:
    return "{}:{}".format(*client.socket.getsockname())


def exchange(one: RawClient, other: RawClient, number: int, fill: str = "") -> None:
    """One says a number; both have it as their very next message."""
    one.say_message("n", n=number, fill=fill)
    for client in (one, other):
        message = client.read_message()
        assert (message["type"], message["data"]["n"]) == ("n", number)


def test_a_client_that_stops_reading_is_dropped_alone(start_daemon: StartDaemon) -> None:
    """Over max_backlog it is closed with 1013 and one log line; the others miss nothing."""
    daemon = start_daemon(config=limits(max_backlog=2, max_total_backlog=8))
    with (
        RawClient(daemon.port) as one,
        RawClient(daemon.port) as other,
        RawClient(daemon.port, receive_buffer=4096) as stuck,
    ):
        number = 0
        while not any("a slow consumer" in line for line in daemon.lines):
            exchange(one, other, number, FILL)
            number += 1
            assert number < 2000, "nobody was dropped"
        warning = daemon.expect_warning("a slow consumer")
        for n in range(number, number + 100):
            exchange(one, other, n)

        assert stuck.read_close() == 1013
        assert address(stuck) in warning
        assert "over max_backlog (2097152 bytes)" in warning
        assert re.search(r"2\d{6} bytes unread, no progress for \d+\.\d s", warning)
        stuck.send(frame((1013).to_bytes(2, "big"), CLOSE))
        daemon.wait_for("client 3 .* left: closed with 1013, slow consumer")
    assert sum("a slow consumer" in line for line in daemon.lines) == 1


def test_who_was_dropped_had_everything_before_in_order(start_daemon: StartDaemon) -> None:
    """What reaches a client before its 1013 is whole and without a gap."""
    daemon = start_daemon(config=limits(max_backlog=1, max_total_backlog=8))
    with RawClient(daemon.port) as sender, RawClient(daemon.port, receive_buffer=4096) as stuck:
        number = 0
        while not any("a slow consumer" in line for line in daemon.lines):
            sender.say_message("n", n=number, fill=FILL)
            sender.read_frame()
            number += 1
        daemon.expect_warning("a slow consumer")
        seen = []
        while (received := stuck.read_frame())[0] == TEXT:
            seen.append(json.loads(received[1])["data"]["n"])

    assert received[0] == CLOSE
    assert int.from_bytes(received[1][:2], "big") == 1013
    assert seen == list(range(len(seen)))


def test_over_the_total_the_largest_backlog_goes(start_daemon: StartDaemon) -> None:
    """Clients that wait for messages of their own are held to one sum, whatever each may leave."""
    daemon = start_daemon(config=limits(max_backlog=4, max_total_backlog=6, stall_timeout=60))
    offer = {"Sec-WebSocket-Protocol": "ovos-bus.v1"}
    with RawClient(daemon.port) as one, RawClient(daemon.port) as other, ExitStack() as stack:
        for n in range(3):
            stuck = RawClient(daemon.port, receive_buffer=4096, headers=offer)
            stack.enter_context(stuck.socket)
            stuck.say_message("ovos.bus.subscribe", types=[f"own.{n}"])
            stuck.send(frame(b"heard", PING))
            assert stuck.read_frame() == (PONG, b"heard")
        number = 0
        while not any("a slow consumer" in line for line in daemon.lines):
            one.say_message(f"own.{number % 3}", n=number, fill=FILL)
            for client in (one, other):
                assert client.read_message()["data"]["n"] == number
            number += 1
        warning = daemon.expect_warning("a slow consumer")

        assert "over max_total_backlog (6291456 bytes)" in warning
        assert backlog(daemon) <= 6 * MIB


def test_what_many_wait_for_is_kept_once(start_daemon: StartDaemon) -> None:
    """Clients that wait for the same are not more than one of them, and nobody goes for it."""
    daemon = start_daemon(config=limits(max_backlog=4, max_total_backlog=6, stall_timeout=60))
    with RawClient(daemon.port) as one, RawClient(daemon.port) as other, ExitStack() as stack:
        for _ in range(6):
            stack.enter_context(RawClient(daemon.port, receive_buffer=4096).socket)
        number = 0
        while backlog(daemon) <= 12 * MIB:
            exchange(one, other, number, FILL)
            number += 1

        assert gauge(daemon, "clients") == 8
        assert gauge(daemon, "kept_bytes") <= 4 * MIB


def test_a_stalled_client_goes_after_stall_timeout(start_daemon: StartDaemon) -> None:
    """However little it has left unread; a client that is merely silent stays."""
    daemon = start_daemon(config=limits(stall_timeout=0.5))
    with (
        RawClient(daemon.port) as one,
        RawClient(daemon.port) as other,
        RawClient(daemon.port, receive_buffer=4096) as stuck,
    ):
        number = 0
        while not backlog(daemon):
            exchange(one, other, number, FILL)
            number += 1
        fell_behind = time.monotonic()
        warning = daemon.expect_warning("a slow consumer")

        assert time.monotonic() - fell_behind < 5
        assert "it was given 0.5 s (stall_timeout)" in warning
        assert address(stuck) in warning
        assert stuck.read_close() == 1013
        exchange(one, other, number)


@pytest.mark.parametrize(
    ("count", "pause", "receive_buffer"),
    [
        (400, 0.01, 65_536),
        # The system's own buffers are so large that it shows progress once in a second only.
        (200, 0.03, None),
    ],
)
def test_a_flood_waits_for_a_client_that_reads_slowly(
    start_daemon: StartDaemon, count: int, pause: float, receive_buffer: int | None
) -> None:
    """A slow reader loses nothing to a sender that is twenty times as fast as it is."""
    daemon = start_daemon(config=limits(max_backlog=4, max_total_backlog=16))
    with (
        RawClient(daemon.port) as flooder,
        RawClient(daemon.port, receive_buffer=receive_buffer) as slow,
    ):
        seen: list[int] = []

        def read_slowly() -> None:
            never = threading.Event()
            for _ in range(count):
                seen.append(slow.read_message()["data"]["n"])
                never.wait(pause)

        def flood() -> None:
            for n in range(count):
                flooder.say_message("n", n=n, fill=FILL)

        threads = [threading.Thread(target=work) for work in (read_slowly, flood)]
        for thread in threads:
            thread.start()
        echoes = [flooder.read_message()["data"]["n"] for _ in range(count)]
        for thread in threads:
            thread.join()

    assert seen == echoes == list(range(count))


def test_memory_is_bounded(start_daemon: StartDaemon) -> None:
    """Ten clients that do not read, and 120 MB said: the daemon grows by its limit, not by that."""
    daemon = start_daemon(config=limits(max_backlog=4, max_total_backlog=8))
    with RawClient(daemon.port) as one, RawClient(daemon.port) as other:
        stuck = [RawClient(daemon.port, receive_buffer=4096) for _ in range(10)]
        before = daemon.memory()
        most = before
        for number in range(2000):
            exchange(one, other, number, FILL)
            if number % 50 == 0:
                most = max(most, daemon.memory())
        daemon.expect_warning("a slow consumer")
        for client in stuck:
            client.socket.close()

    # 3 to 4 MiB where this was written: the chunks that several clients wait for exist once.
    assert most - before < 32 * MIB, f"grew by {(most - before) / MIB:.1f} MiB"


def test_a_flood_of_rubbish_leaves_the_others_alone(start_daemon: StartDaemon) -> None:
    """While one client sends nothing but malformed messages, a pair misses nothing."""
    daemon = start_daemon(config=limits())
    with (
        RawClient(daemon.port) as one,
        RawClient(daemon.port) as other,
        RawClient(daemon.port) as fool,
    ):
        rubbish = frame(b'{"type": "t", "data": [') * 1000
        done = threading.Event()

        def talk_rubbish() -> None:
            while not done.is_set():
                fool.send(rubbish)

        thread = threading.Thread(target=talk_rubbish)
        thread.start()
        for number in range(300):
            exchange(one, other, number)
        done.set()
        thread.join()
        warning = daemon.expect_warning("dropped a malformed message")
        fool.say_message("sorry")

        assert address(fool) in warning
        assert one.read_message()["type"] == "sorry"
