"""What a pong says: that the bus has taken everything that was said before the ping."""

from __future__ import annotations

import json
import re
import signal
import threading
from collections.abc import Callable
from http.client import HTTPConnection
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.processes import Daemon
from tests.support.rawsocket import CLOSE, CONTINUATION, PING, PONG, TEXT, RawClient, frame

StartDaemon = Callable[..., Daemon]

FILL = "x" * 60_000


def message(n: int, fill: str = "") -> bytes:
    return json.dumps({"type": "n", "data": {"n": n, "fill": fill}}).encode()


def ping(n: int) -> bytes:
    return frame(str(n).encode(), PING)


def metric(daemon: Daemon, name: str) -> int:
    connection = HTTPConnection("127.0.0.1", daemon.port, timeout=10)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    found = re.search(rf"^ovos_bus_{name}_total (\S+)$", text, re.MULTILINE)
    assert found is not None
    return int(float(found[1]))


def number(received: tuple[int, bytes]) -> int:
    opcode, payload = received
    assert opcode == TEXT
    return int(json.loads(payload)["data"]["n"])


def test_a_pong_comes_after_what_was_said_before_its_ping(daemon: Daemon) -> None:
    """Said in one go, numbers and pings come back in the order in which they were said."""
    with RawClient(daemon.port) as client:
        client.send(b"".join(frame(message(n)) + ping(n) for n in range(100)))
        answers = [client.read_frame() for _ in range(200)]

    pongs = [int(payload) for opcode, payload in answers if opcode == PONG]
    assert pongs == list(range(100))
    seen = -1
    for answer in answers:
        if answer[0] == PONG:
            assert int(answer[1]) <= seen, "a pong overtook what it acknowledges"
        else:
            seen = number(answer)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    steps=st.lists(st.sampled_from(["say", "ping", "rubbish"]), max_size=40),
    cuts=st.lists(st.integers(0, 2000), max_size=6),
)
def test_however_the_bytes_arrive(daemon: Daemon, steps: list[str], cuts: list[int]) -> None:
    """Whatever is said and wherever the system cuts it: each pong has its messages before it."""
    daemon.allow_warning("dropped a malformed message")
    said, stream, expected = 0, b"", []
    for step in [*steps, "ping"]:
        if step == "say":
            said += 1
            stream += frame(message(said))
        elif step == "ping":
            expected.append(said)
            stream += ping(said)
        else:
            stream += frame(b"{")
    with RawClient(daemon.port) as client:
        edges = sorted({0, *(cut for cut in cuts if cut < len(stream)), len(stream)})
        for begin, end in pairwise(edges):
            client.send(stream[begin:end])
        seen, pongs = 0, []
        while len(pongs) < len(expected):
            answer = client.read_frame()
            if answer[0] == PONG:
                pongs.append(int(answer[1]))
                assert pongs[-1] <= seen
            else:
                seen = number(answer)

    assert pongs == expected


def test_a_ping_inside_a_message_acknowledges_what_was_whole(daemon: Daemon) -> None:
    """Its pong does not wait for the rest of the message, and says nothing about it."""
    with RawClient(daemon.port) as client:
        text = message(1)
        client.send(frame(text[:9], fin=False) + ping(0))
        assert client.read_frame() == (PONG, b"0")
        client.send(frame(text[9:], CONTINUATION) + ping(1))
        assert number(client.read_frame()) == 1
        assert client.read_frame() == (PONG, b"1")


def test_a_ping_before_a_close_frame_is_answered_before_it(daemon: Daemon) -> None:
    """Who says all that it has, pings and closes, in one go, knows that it was taken."""
    with RawClient(daemon.port) as witness, RawClient(daemon.port) as client:
        code = (1000).to_bytes(2, "big")
        client.send(frame(message(1)) + frame(message(2)) + ping(2) + frame(code, CLOSE))
        answers = [client.read_frame()]
        while answers[-1][0] != CLOSE:
            answers.append(client.read_frame())

        assert answers[-2:] == [(PONG, b"2"), (CLOSE, code)]
        assert [number(witness.read_frame()) for _ in range(2)] == [1, 2]


@pytest.mark.parametrize("receive_buffer", [65_536, None])
def test_a_sender_that_is_held_up_is_told_the_truth(
    start_daemon: StartDaemon, receive_buffer: int | None
) -> None:
    """While a flood waits for a slow reader, a pong still says no more than was received."""
    limits = {"max_msg_size": 0.25, "max_backlog": 4, "max_total_backlog": 16}
    daemon = start_daemon(config=json.dumps({"websocket": limits}))
    count, step = 200, 20
    with (
        RawClient(daemon.port) as flooder,
        RawClient(daemon.port, receive_buffer=receive_buffer) as slow,
    ):
        seen: list[int] = []

        def read_slowly() -> None:
            never = threading.Event()
            for _ in range(count):
                seen.append(number(slow.read_frame()))
                never.wait(0.01)

        def flood() -> None:
            for n in range(1, count + 1):
                flooder.send(frame(message(n, FILL)) + (b"" if n % step else ping(n)))

        threads = [threading.Thread(target=work) for work in (read_slowly, flood)]
        for thread in threads:
            thread.start()
        pongs: list[int] = []
        while count not in pongs:
            opcode, payload = flooder.read_frame()
            if opcode == PONG:
                pongs.append(int(payload))
                assert metric(daemon, "received") >= pongs[-1]
        for thread in threads:
            thread.join()

    assert seen == list(range(1, count + 1))
    assert pongs == sorted(pongs)
    assert metric(daemon, "paused") > 0


def test_a_bus_that_stops_acknowledges_nothing_more(start_daemon: StartDaemon) -> None:
    """What comes while it says its last words is dropped, so the ping after that has no answer."""
    daemon = start_daemon()
    with RawClient(daemon.port) as sender, RawClient(daemon.port, receive_buffer=4096) as late:
        for n in range(100):
            sender.send(frame(message(n, FILL)))
            assert number(sender.read_frame()) == n
        daemon.signal(signal.SIGTERM)
        daemon.wait_for("stopping")
        assert sender.read_close() == 1001
        late.send(frame(message(100)) + ping(100))
        received = [late.read_frame()]
        while received[-1][0] != CLOSE:
            received.append(late.read_frame())

    assert [number(each) for each in received[:-1]] == list(range(100))
