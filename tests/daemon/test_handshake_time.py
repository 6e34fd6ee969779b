"""How long a handshake may take, by the clock of the daemon's own loop."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from ovos_bus.config import BusConfig
from ovos_bus.listener import HANDSHAKE_SECONDS, Listener
from tests.support.tls import Certificate

PATIENCE_SECONDS = 20.0

# What is said before the silence
BEGINNINGS = {
    "nothing": b"",
    "half a line": b"GET /co",
    "half a head": b"GET /core HTTP/1.1\r\nHost: localhost\r\n",
    "half a TLS hello": bytes.fromhex("1603010200"),
}


class StandingLoop(asyncio.SelectorEventLoop):
    """A loop whose time passes only when it is told."""

    now = 0.0

    def time(self) -> float:
        return self.now


@pytest.fixture
def loop() -> Iterator[StandingLoop]:
    loop = StandingLoop()
    yield loop
    loop.close()


async def settle(true: Callable[[], bool]) -> None:
    """Give the loop turns until it is so, and then some more."""
    until = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < until, "never"
        await asyncio.sleep(0)
    for _ in range(100):
        await asyncio.sleep(0)


def is_open(client: socket.socket) -> bool:
    try:
        return client.recv(1) != b""
    except BlockingIOError:
        return True
    except ConnectionResetError:
        return False


def bus(tls: bool, folder: Path) -> BusConfig:
    if not tls:
        return BusConfig(port=0)
    given = Certificate(folder, "127.0.0.1")
    return BusConfig(port=0, ssl=True, ssl_cert=str(given.file), ssl_key=str(given.key_file))


@pytest.mark.parametrize("drip", [b"", b"x"])
@pytest.mark.parametrize(
    ("said", "tls"),
    [
        ("nothing", False),
        ("half a line", False),
        ("half a head", False),
        ("nothing", True),
        ("half a TLS hello", True),
    ],
)
def test_a_handshake_may_take_five_seconds(
    loop: StandingLoop, tmp_path: Path, said: str, tls: bool, drip: bytes
) -> None:
    """Not less and not more, and a byte now and then does not help."""

    async def run() -> None:
        listener = Listener(bus(tls, tmp_path))
        listener.start()
        try:
            with ExitStack() as stack:
                client = stack.enter_context(socket.create_connection(("127.0.0.1", listener.port)))
                client.setblocking(False)
                client.sendall(BEGINNINGS[said])
                await settle(lambda: len(listener._bus.lobby) == 1)
                while loop.now < HANDSHAKE_SECONDS - 0.5:
                    if drip and (BEGINNINGS[said] or not tls):
                        client.sendall(drip)
                    loop.now += 0.5
                    await settle(lambda: True)
                    assert is_open(client)
                loop.now += 0.5
                await settle(lambda: not is_open(client))
        finally:
            await listener.stop()

    assert HANDSHAKE_SECONDS == 5.0
    loop.run_until_complete(run())
