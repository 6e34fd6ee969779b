"""
Who gets a frame: those who wait for an answer, and the handlers of its type.

The type is read first, and the rest only when somebody wants it: most of what a client of the bus
receives is for others.
"""

from __future__ import annotations

from typing import Any, Protocol

from ovos_bus_client._core import codec
from ovos_bus_client._core.pending import Pending
from ovos_bus_client.message import Message

# The local event that gets every frame, as the text it came in.
EVERY_FRAME = "message"


class Emitter(Protocol):
    """As much of pyee's emitter as is needed to hand out messages."""

    def emit(self, event: str, *args: Any) -> bool: ...

    def listeners(self, event: str) -> list[Any]: ...


class Dispatch:
    """Hands out frames, to waits first, which are done at once, then to handlers."""

    def __init__(self, emitter: Emitter, pending: Pending) -> None:
        self._emitter, self._pending = emitter, pending

    def deliver(self, text: str) -> None:
        """
        Hand out a frame.

        Raises:
            MalformedMessage: If it is no message; whoever wants every frame has it all the same.
        """
        if self._emitter.listeners(EVERY_FRAME):
            self._emitter.emit(EVERY_FRAME, text)
        type_ = codec.glance(text)
        handled = bool(self._emitter.listeners(type_)) and type_ != EVERY_FRAME
        if not handled and type_ not in self._pending:
            return
        message = Message.deserialize(text)
        self._pending.offer(message)
        if handled:
            self._emitter.emit(type_, message)
