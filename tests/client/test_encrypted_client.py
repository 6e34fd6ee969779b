"""Clients with the encryption of older installations, and clients behind TLS."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ovos_bus_client import Message, encryption
from tests.support.config import Sections, configure
from tests.support.drivers import TIMEOUT, Inbox, SyncDriver, asynchronous
from tests.support.impostor import Guest, Impostor
from tests.support.tls import Certificate, TlsBus

KEY = "0123456789abcdef"


@pytest.fixture(autouse=True)
def warned() -> Iterator[None]:
    """Let the one warning of the process have been."""
    before = encryption._warned.is_set()
    encryption._warned.set()
    yield
    if not before:
        encryption._warned.clear()


class Relay:
    """A bus that passes on what it does not understand."""

    def __init__(self) -> None:
        self.heard: queue.Queue[bytes] = queue.Queue()
        self._guests: list[Guest] = []
        self._lock = threading.Lock()

    def __call__(self, guest: Guest) -> None:
        with self._lock:  # whoever is connected is heard and told from then on
            guest.shake_hands()
            self._guests.append(guest)
        while True:
            opcode, payload = guest.read_frame()
            with self._lock:
                if opcode == 1:
                    self.heard.put(payload)
                    for other in self._guests:
                        other.send(payload)
                elif opcode == 9:
                    guest.send(payload, 10)
                elif opcode == 8:
                    self._guests.remove(guest)
                    guest.send(payload, 8)
                    return

    def say(self, payload: bytes) -> None:
        with self._lock:
            for guest in self._guests:
                guest.send(payload)


@pytest.fixture
def configuration(monkeypatch: pytest.MonkeyPatch) -> Sections:
    return configure(monkeypatch, websocket={"secret_key": KEY})


@asynchronous
async def test_clients_with_one_key_understand_each_other(
    kind: Any, configuration: Sections, silence: list[Any]
) -> None:
    """Every frame on the wire is sealed, and the clients read each other all the same."""
    relay = Relay()
    with Impostor(relay) as server:
        one, two, inbox = SyncDriver(server.port), kind(server.port), Inbox()
        await two.on("t", inbox)
        for client in (one, two):
            await client.start()
            await client.wait_until_connected()
        await one.emit(Message("t", {"secret": "é"}))
        assert (await inbox.take()).data == {"secret": "é"}
        relay.say(b'{"type": "t", "data": {"n": "clear"}}')
        await two.emit(Message("t", {"n": "sealed"}))
        assert (await inbox.take()).data == {"n": "sealed"}
        for client in (one, two):
            await client.close()

    frames = [relay.heard.get() for _ in range(relay.heard.qsize())]
    assert all(set(json.loads(frame)) == {"ciphertext", "tag", "nonce"} for frame in frames)
    lines = [record.getMessage() for record in silence]
    assert len(lines) == 2  # one for each client
    assert all("clear text" in line for line in lines)
    silence.clear()


@asynchronous
async def test_clear_text_may_be_let_through(kind: Any, configuration: Sections) -> None:
    """With allow_unencrypted, frames in clear text are read as well."""
    configuration["websocket"]["allow_unencrypted"] = True
    relay = Relay()
    with Impostor(relay) as server:
        client, inbox = kind(server.port), Inbox()
        await client.on("t", inbox)
        await client.start()
        await client.wait_until_connected()
        assert await client.flush(TIMEOUT)
        relay.say(b'{"type": "t", "data": {"n": "clear"}}')
        assert await inbox.take_data(1) == ["clear"]
        await client.close()


@asynchronous
async def test_another_key_costs_a_line(
    kind: Any, configuration: Sections, silence: list[Any]
) -> None:
    """A frame of another key is logged, never without saying why, and the connection stays."""
    relay = Relay()
    with Impostor(relay) as server:
        client, inbox = kind(server.port), Inbox()
        await client.on("t", inbox)
        await client.start()
        await client.wait_until_connected()
        assert await client.flush(TIMEOUT)
        relay.say(encryption.seal('{"type": "t"}', "f" * 16).encode())
        relay.say(encryption.seal('{"type": "t", "data": {"n": 1}}', KEY).encode())
        assert await inbox.take_data(1) == [1]
        await client.close()
    (record,) = silence
    assert "another key" in record.getMessage()
    silence.clear()


# ---------------------------------------------------------------------- TLS


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    return Certificate(tmp_path / "certificates", "127.0.0.1", "localhost")


@pytest.fixture
def bus(certificate: Certificate) -> Iterator[TlsBus]:
    bus = TlsBus(certificate)
    yield bus
    bus.stop()


@pytest.mark.parametrize("trust", ["ssl_ca", "ssl_verify"])
@asynchronous
async def test_a_client_speaks_tls(
    kind: Any,
    trust: str,
    bus: TlsBus,
    certificate: Certificate,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Over wss:// a client that trusts the bus has its messages back."""
    value = {"ssl_ca": str(certificate.file), "ssl_verify": False}[trust]
    configure(monkeypatch, websocket={"ssl": True, trust: value})
    client, inbox = kind(bus.port, ssl=True), Inbox()
    await client.on("t", inbox)
    await client.start()
    await client.wait_until_connected()
    await client.emit(Message("t", {"n": 1}))

    assert await inbox.take_data(1) == [1]
    await client.close()


@asynchronous
async def test_a_client_does_not_trust_everybody(
    kind: Any, bus: TlsBus, monkeypatch: pytest.MonkeyPatch, silence: list[Any]
) -> None:
    """By default a certificate that nobody vouches for is refused, and the log says why."""
    configure(monkeypatch, websocket={"ssl": True})
    client, inbox = kind(bus.port, ssl=True), Inbox()
    await client.on("reconnecting", inbox)
    await client.start()
    await inbox.take()

    assert not client.connected
    assert bus.heard == []
    await client.close()
    assert any("its certificate is not trusted" in record.getMessage() for record in silence)
    silence.clear()
