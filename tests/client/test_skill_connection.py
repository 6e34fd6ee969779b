"""A connection per skill, and what a hostile skill can do with it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ovos_bus_client import Message, MessageBusClient
from ovos_bus_client.client import skill_connection
from ovos_bus_client.errors import WrongSetting
from tests.support.config import configure
from tests.support.processes import Daemon

TIMEOUT = 10.0

Connect = Callable[..., MessageBusClient]
Connections = Callable[..., MessageBusClient]


@pytest.fixture
def shared(daemon: Daemon, connect: Connect) -> MessageBusClient:
    """The connection of the program that runs the skills."""
    return connect(daemon.port)


@pytest.fixture
def own(shared: MessageBusClient) -> Iterator[Connections]:
    """Give skills connections of their own, which are closed at the end."""
    clients: list[MessageBusClient] = []

    def make(skill_id: str) -> MessageBusClient:
        clients.append(skill_connection(shared, skill_id, own=True))
        assert clients[-1].connected_event.wait(TIMEOUT)
        return clients[-1]

    yield make
    for client in clients:
        client.close()
        client.emitter.shutdown()


@pytest.mark.parametrize("section", [None, {}, {"shared_connection": True}])
def test_by_default_skills_share(
    section: Any, shared: MessageBusClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unless the configuration says otherwise, a skill uses the program's connection."""
    configure(monkeypatch, websocket=section)

    assert skill_connection(shared, "a.skill") is shared
    assert skill_connection(shared, "a.skill", own=False) is shared


def test_each_skill_may_have_its_own(
    shared: MessageBusClient, daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With shared_connection false a skill's client is new, connected, and known by its name."""
    configure(monkeypatch, websocket={"shared_connection": False})
    assert skill_connection(shared, "x", own=False) is shared
    client = skill_connection(shared, "skill-weather.openvoiceos")

    assert client is not shared
    assert client.emitter is not shared.emitter
    assert client.config == shared.config
    assert client.connected_event.wait(TIMEOUT)
    daemon.wait_for(r"joined.*skill-weather\.openvoiceos|skill-weather\.openvoiceos.*joined")
    client.close()
    client.emitter.shutdown()
    assert shared.connected_event.is_set()


def test_a_wrong_setting_is_named(
    shared: MessageBusClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A setting that is neither true nor false is an error, and not a guess."""
    configure(monkeypatch, websocket={"shared_connection": "no"})
    with pytest.raises(WrongSetting, match="shared_connection"):
        skill_connection(shared, "a.skill")


def remove_all_listeners(client: MessageBusClient) -> None:
    for event in list(client.emitter.event_names()):
        client.remove_all_listeners(event)
    client.emitter.remove_all_listeners()


def replace_emit(client: MessageBusClient) -> None:
    client.emit = lambda *args: None  # type: ignore[method-assign]
    client.emitter.emit = lambda *args: None  # type: ignore[method-assign]


def close(client: MessageBusClient) -> None:
    client.close()


@pytest.mark.parametrize("attack", [remove_all_listeners, replace_emit, close])
def test_a_hostile_skill_harms_only_itself(
    attack: Callable[[MessageBusClient], None], shared: MessageBusClient, own: Connections
) -> None:
    """Whatever a skill does with its own connection, the others notice nothing."""
    hostile, good = own("hostile"), own("good")
    good.on("q", lambda message: good.emit(message.response(message.data)))
    assert good.flush(TIMEOUT)
    attack(hostile)

    for n, asker in enumerate([shared, shared, shared, good]):
        question = Message("q", {"n": n})
        # Its own answer: with the one before, the last would still be on its way at the end.
        assert asker.wait_for_response(question, timeout=TIMEOUT, same="n") is not None


def test_a_skill_that_blocks_holds_up_only_itself(
    shared: MessageBusClient, own: Connections
) -> None:
    """Handlers that never return, many of them, delay no other skill."""
    hostile, good = own("hostile"), own("good")
    over, stuck = threading.Event(), threading.Semaphore(0)

    def block(message: Message) -> None:
        stuck.release()
        over.wait(TIMEOUT * 2)

    hostile.on("q", block)
    good.on("q", lambda message: good.emit(message.response()))
    assert good.flush(TIMEOUT)
    assert hostile.flush(TIMEOUT)
    for _ in range(20):
        assert shared.wait_for_response(Message("q"), timeout=TIMEOUT) is not None
    for _ in range(20):
        assert stuck.acquire(timeout=TIMEOUT)
    over.set()
