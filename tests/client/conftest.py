"""Fixtures for tests of the library."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from ovos_bus_client import MessageBusClient
from ovos_bus_client.client.emitter import PoolEmitter
from tests.support.drivers import AsyncDriver, Kind, SyncDriver
from tests.support.processes import Daemon
from tests.support.sessions import registry

# Other work may hold the machine up: how long an example takes says nothing.
settings.register_profile("bus", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("bus")


@pytest.fixture(autouse=True)
def fresh_sessions() -> Iterator[None]:
    """Give each test the sessions that a fresh process has."""
    with registry():
        yield


@pytest.fixture
def daemon(kept_daemon: Daemon) -> Daemon:
    """A bus daemon with default settings on a free port, on which nobody is but this test."""
    return kept_daemon


@pytest.fixture(params=[SyncDriver, AsyncDriver], ids=["sync", "async"])
def kind(request: pytest.FixtureRequest) -> Kind:
    """Which of the clients."""
    made: Kind = request.param
    return made


@pytest.fixture
def make_client() -> Iterator[Callable[..., MessageBusClient]]:
    """Make clients of a bus on this machine; each is closed at the end, and no thread is left."""
    before = set(threading.enumerate())
    clients: list[MessageBusClient] = []

    def make(port: int, **options: Any) -> MessageBusClient:
        clients.append(MessageBusClient("127.0.0.1", port, "/core", False, **options))
        return clients[-1]

    yield make
    for client in clients:
        client.close()
        if isinstance(client.emitter, PoolEmitter):
            client.emitter.shutdown(wait=True)
    left = [t.name for t in threading.enumerate() if t not in before and "ovos-bus" in t.name]
    assert left == []


@pytest.fixture
def connect(make_client: Callable[..., MessageBusClient]) -> Callable[..., MessageBusClient]:
    """Make clients that run in a thread and are connected."""

    def start(port: int, **options: Any) -> MessageBusClient:
        client = make_client(port, **options)
        client.run_in_thread()
        assert client.connected_event.wait(10)
        return client

    return start
