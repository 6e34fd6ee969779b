"""Pings: a bus that only seems to live is left, and one that lives is not."""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from tests.support.drivers import AsyncDriver, Inbox, SyncDriver, asynchronous, running
from tests.support.impostor import Gone, Guest, Impostor
from tests.support.processes import Daemon

TIMEOUT = 10.0
PING, PONG, CLOSE = 9, 10, 8

Records = list[logging.LogRecord]
Kind = type[SyncDriver]

both = pytest.mark.parametrize("kind", [SyncDriver, AsyncDriver], ids=["sync", "async"])


def patience(monkeypatch: pytest.MonkeyPatch, interval: float, timeout: float) -> None:
    """Have both clients ask for a sign of life so soon, and wait for it so long; seconds."""
    for module in ("connection", "async_client"):
        monkeypatch.setattr(f"ovos_bus_client.client.{module}.PING_INTERVAL", interval)
        monkeypatch.setattr(f"ovos_bus_client.client.{module}.PING_TIMEOUT", timeout)


@pytest.fixture
def outages(silence: Records) -> Iterator[Records]:
    """What the log says of outages, of which there are to be some."""
    yield silence
    told = [record.getMessage() for record in silence]
    assert told
    assert all("no connection to ws://127.0.0.1:" in line for line in told), told
    silence.clear()


@both
@asynchronous
async def test_a_half_open_connection_is_noticed(
    kind: Kind, monkeypatch: pytest.MonkeyPatch, outages: Records
) -> None:
    """A bus that answers no ping any more is left for a new connection."""
    patience(monkeypatch, 0.3, 0.2)
    over, connections = threading.Event(), itertools.count()

    def serve(guest: Guest) -> None:
        guest.shake_hands()
        if next(connections) == 0:
            over.wait(TIMEOUT)
            return
        answer_pings(guest)

    with Impostor(serve) as server:
        client, opened = kind(server.port), Inbox()
        await client.on("open", opened)
        await client.start()
        await opened.take()
        await opened.take()
        assert client.connected
        over.set()
        await client.close()
    assert "(it answers no ping)" in outages[0].getMessage()


@both
@asynchronous
async def test_a_bus_that_stops_amid_a_frame_is_left(
    kind: Kind, monkeypatch: pytest.MonkeyPatch, outages: Records
) -> None:
    """A bus that begins a frame and never ends it, answering no ping, is no bus."""
    # One of them waits for the rest of a frame, the other for the answer to its ping.
    monkeypatch.setattr("ovos_bus_client.client.connection.SOCKET_TIMEOUT", 0.3)
    patience(monkeypatch, 0.3, 0.2)
    over, connections = threading.Event(), itertools.count()

    def serve(guest: Guest) -> None:
        guest.shake_hands()
        if next(connections) == 0:
            guest.socket.sendall(b"\x81\x7e\x10\x00" + b'{"type":"half')
            over.wait(TIMEOUT)
            return
        guest.say("whole", n=1)
        answer_pings(guest)

    with Impostor(serve) as server:
        client, inbox = kind(server.port), Inbox()
        await client.on("whole", inbox)
        await client.start()
        assert await inbox.take_data(1) == [1]
        over.set()
        await client.close()


@both
@asynchronous
async def test_a_program_that_always_has_something_to_say_keeps_its_connection(
    kind: Kind, start_daemon: Callable[..., Daemon], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Answers to its own questions, long after a ping, are no late answers to that ping."""
    patience(monkeypatch, 0.6, 0.3)
    daemon = start_daemon()
    async with running(kind, daemon.port) as client:
        closed = Inbox()
        await client.on("close", closed)
        end = time.monotonic() + 1.5
        while time.monotonic() < end:
            assert await client.flush()

        assert closed.empty


@both
@asynchronous
async def test_a_bus_that_is_heard_is_alive(kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bus that has much to say, and answers no ping meanwhile, is not left."""
    patience(monkeypatch, 0.3, 0.2)
    over, connections, enough = threading.Event(), itertools.count(1), 30

    def serve(guest: Guest) -> None:
        guest.shake_hands()
        connection = next(connections)
        for n in range(enough):
            guest.say("news", n=(connection, n))
            over.wait(0.05)
        over.wait(TIMEOUT)
        guest.read_until_closed()

    with Impostor(serve) as server:
        client, inbox = kind(server.port), Inbox()
        await client.on("news", inbox)
        await client.start()
        assert await inbox.take_data(enough) == [[1, n] for n in range(enough)]
        over.set()
        await client.close()


def answer_pings(guest: Guest) -> None:
    """Be a bus that says nothing but what it has to, until the client has gone."""
    with_answer = {PING: PONG, CLOSE: CLOSE}
    try:
        while True:
            opcode, payload = guest.read_frame()
            if opcode in with_answer:
                guest.send(payload, with_answer[opcode])
    except Gone:
        pass
