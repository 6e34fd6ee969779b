"""
Who gets a frame: those who wait for an answer, and the handlers of its type.

The type is read first, and the rest only when somebody wants it: most of what a client of the bus
receives is for others.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any, Protocol

from ovos_bus_client._core import codec
from ovos_bus_client._core.interest import EVERYTHING
from ovos_bus_client._core.pending import Pending
from ovos_bus_client.message import Message

log = logging.getLogger(__name__)

# The local event that gets every frame, as the text it came in.
EVERY_FRAME = "message"

# What pyee emits when somebody begins to listen.
NEW_LISTENER = "new_listener"


class Emitter(Protocol):
    """As much of pyee's emitter as is needed to hand out messages."""

    def emit(self, event: str, *args: Any) -> bool: ...

    def listeners(self, event: str) -> list[Any]: ...

    def event_names(self) -> set[str]: ...


Tap = Callable[[Message], object]


class Dispatch:
    """
    Hands out frames: to waits and taps, which are done at once, then to handlers.

    A *tap* belongs to a part of this library that must not queue behind handlers. It is called in
    the thread that reads from the bus, in the order of the bus, and never takes long.
    """

    def __init__(
        self,
        emitter: Emitter,
        pending: Pending,
        read: Callable[[str], Message] = Message.deserialize,
    ) -> None:
        self._emitter, self._pending, self._read = emitter, pending, read
        self._taps: dict[str, tuple[Tap, ...]] = {}
        self._lock = threading.Lock()

    def tap(self, msg_type: str, tap: Tap) -> None:
        """Call ``tap`` with each message of a type."""
        with self._lock:
            self._taps[msg_type] = (*self._taps.get(msg_type, ()), tap)

    def untap(self, msg_type: str, tap: Tap) -> None:
        """Take `tap` back; done for one that is not there."""
        with self._lock:
            left = tuple(t for t in self._taps.get(msg_type, ()) if t != tap)
            if left:
                self._taps[msg_type] = left
            else:
                self._taps.pop(msg_type, None)

    def wants(self, msg_type: str) -> bool:
        """Return whether anybody listens to a type, or to `EVERYTHING`."""
        if msg_type == EVERYTHING:
            return bool(self._emitter.listeners(EVERY_FRAME))
        return (
            bool(self._emitter.listeners(msg_type))
            or msg_type in self._pending
            or msg_type in self._taps
        )

    def types(self) -> set[str]:
        """Return the types that anybody listens to, with `EVERYTHING` if somebody wants that."""
        known = {*self._emitter.event_names(), *self._taps, *self._pending.types, EVERYTHING}
        return {one for one in known - {EVERY_FRAME, NEW_LISTENER} if self.wants(one)}

    def deliver(self, text: str) -> str:
        """
        Hand out a frame.

        Returns:
            Its type if it was for nobody, else nothing.

        Raises:
            MalformedMessage: If it is no message; whoever wants every frame has it all the same.
        """
        everything = bool(self._emitter.listeners(EVERY_FRAME))
        if everything:
            self._emitter.emit(EVERY_FRAME, text)
        type_ = codec.glance(text)
        handled = bool(self._emitter.listeners(type_)) and type_ != EVERY_FRAME
        if not handled and type_ not in self._pending and type_ not in self._taps:
            return "" if everything else type_
        message = self._read(text)
        for tap in self._taps.get(type_, ()):
            tap(message)
        self._pending.offer(message)
        if handled:
            self._emitter.emit(type_, message)
        return ""


def report_failure(
    function: Callable[..., Any], args: tuple[Any, ...], error: BaseException
) -> None:
    """Log which handler failed, and with what; it reaches the local event ``error`` as well."""
    told = getattr(args[0], "msg_type", None) if args else None
    name = getattr(function, "__qualname__", repr(function))
    log.error("the handler %s of %s failed: %r", name, ascii(told), error, exc_info=error)
