"""Sessions of a test: a registry of its own, a configuration to edit, a bus without a network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import ovos_config
import pytest

from ovos_bus_client.message import Message
from ovos_bus_client.session import DEFAULT_SESSION_ID, Session, SessionManager


@contextmanager
def registry() -> Iterator[None]:
    """Begin with no session but an untouched default one, on no bus; leave the same behind."""
    _reset()
    try:
        yield
    finally:
        _reset()


def _reset() -> None:
    for bus in list(SessionManager._tracked):
        SessionManager.forget(bus)
    SessionManager.bus = None
    SessionManager._told.clear()
    SessionManager.sessions.clear()
    SessionManager.update(Session(DEFAULT_SESSION_ID))


class Config(dict[str, Any]):
    """What `Configuration()` returns; counts how often it was asked for."""

    reads = 0

    def __call__(self) -> Config:
        self.reads += 1
        return self


@contextmanager
def configuration(**sections: Any) -> Iterator[Config]:
    """Let ovos-config hold these sections and nothing else."""
    config = Config(sections)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ovos_config, "Configuration", config)
        yield config


class Bus:
    """A bus that calls its handlers in `emit`, with the message as it would arrive."""

    def __init__(self) -> None:
        self.handlers: list[tuple[str, Callable[[Message], Any]]] = []
        self.sent: list[Message] = []

    def on(self, topic: str, handler: Callable[[Message], Any]) -> None:
        self.handlers.append((topic, handler))

    def remove(self, topic: str, handler: Callable[[Message], Any]) -> None:
        self.handlers.remove((topic, handler))

    def emit(self, message: Message) -> None:
        self.sent.append(message)
        arrived = Message.deserialize(message.serialize())
        for topic, handler in list(self.handlers):
            if topic == message.msg_type:
                handler(arrived)

    def said(self, topic: str) -> list[Message]:
        return [message for message in self.sent if message.msg_type == topic]


def carrying(session: Any, topic: str = "t", **data: Any) -> Message:
    """Return a message that carries a session."""
    return Message(topic, data, {"session": session})
