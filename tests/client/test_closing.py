"""`close`, in every state that a link can have, of either client."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from ovos_bus_client import Message
from ovos_bus_client._core import backoff
from ovos_bus_client._core.link import State
from ovos_bus_client.errors import ClientClosed
from tests.support.drivers import TIMEOUT, AsyncDriver, SyncDriver, asynchronous
from tests.support.impostor import Guest, Impostor

# Closing says goodbye and waits for threads, which takes milliseconds where nobody else works.
SOON = 5.0
A_LONG_TIME = 1000.0


@pytest.fixture(params=[SyncDriver, AsyncDriver], ids=["sync", "async"])
def kind(request: pytest.FixtureRequest) -> Any:
    return request.param


async def reach(client: SyncDriver, state: State) -> None:
    """Wait until the client's link is in a state."""
    until = time.monotonic() + TIMEOUT
    while client.client._link.state is not state:
        assert time.monotonic() < until, client.client._link.state
        await asyncio.sleep(0.001)


@asynccontextmanager
async def idle(kind: Any) -> AsyncIterator[SyncDriver]:
    """A client that nobody started."""
    yield kind(1)


@asynccontextmanager
async def dialing(kind: Any) -> AsyncIterator[SyncDriver]:
    """A client whose bus took the connection and does not answer the request."""
    arrived, closed = threading.Event(), threading.Event()

    def serve(guest: Guest) -> None:
        guest.read_request()
        arrived.set()
        closed.wait(TIMEOUT)

    with Impostor(serve) as server:
        client = kind(server.port)
        await client.start()
        assert await asyncio.to_thread(arrived.wait, TIMEOUT)
        yield client
        closed.set()


@asynccontextmanager
async def opened(kind: Any) -> AsyncIterator[SyncDriver]:
    """A client that is connected."""

    def serve(guest: Guest) -> None:
        guest.shake_hands()
        guest.read_until_closed()

    with Impostor(serve) as server:
        client = kind(server.port)
        await client.start()
        await client.wait_until_connected()
        yield client


@asynccontextmanager
async def waiting(kind: Any) -> AsyncIterator[SyncDriver]:
    """A client that found no bus, and is to try again in a long time."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    client = kind(port)
    await client.start()
    yield client


@asynccontextmanager
async def closed(kind: Any) -> AsyncIterator[SyncDriver]:
    """A client that was connected and closed."""
    async with opened(kind) as client:
        await client.close()
        yield client


WAYS: dict[State, Callable[[Any], Any]] = {
    State.IDLE: idle,
    State.DIALING: dialing,
    State.OPEN: opened,
    State.WAITING: waiting,
    State.CLOSED: closed,
}


@pytest.mark.parametrize("state", list(State), ids=lambda state: state.value)
@asynchronous
async def test_it_may_be_closed_in_every_state(
    kind: Any, state: State, monkeypatch: pytest.MonkeyPatch, silence: list[Any]
) -> None:
    """Wherever it is, closing takes no time, ends each wait and each thread, and is for good."""
    if state is State.WAITING:
        for cap in ("FIRST", "LOCAL_CAP"):
            monkeypatch.setattr(backoff, cap, A_LONG_TIME)
    before = set(threading.enumerate())
    async with WAYS[state](kind) as client:
        await reach(client, state)
        wait = None
        if state is not State.CLOSED:
            wait = asyncio.ensure_future(client.wait_for_message("t", None))
            while "t" not in client.client.pending:
                await asyncio.sleep(0.001)
        begun = time.monotonic()
        await client.close()
        assert time.monotonic() - begun < SOON
        assert client.client._link.state is State.CLOSED
        assert not client.connected
        assert wait is None or await wait is None
        with pytest.raises(ClientClosed):
            await client.start()
        await client.close()
    left = [t.name for t in threading.enumerate() if t not in before and "ovos-bus" in t.name]
    assert left == []
    told = [record.getMessage() for record in silence]
    assert len(told) == (state is State.WAITING), told
    silence.clear()


@asynchronous
async def test_a_client_closed_in_an_outage_comes_back_to_life(
    kind: Any, silence: list[Any]
) -> None:
    """Closed while the bus is away, it is not seen when the bus is back."""
    async with waiting(kind) as client:
        await reach(client, State.WAITING)
        port = client.client.config.port
        await client.emit(Message("t"))
        await client.close()
        with socket.create_server(("127.0.0.1", port)) as bus:
            # It would have tried again after 0.15 s at most.
            bus.settimeout(1.0)
            with pytest.raises(TimeoutError):
                await asyncio.to_thread(bus.accept)
    assert "no connection" in silence.pop().getMessage()
