"""
One client's unsent bytes.

A chunk is one or more whole frames. At most one chunk is *flying* (handed to the wire, not yet
taken by the system); the others wait. All clients hold the same chunk objects, so what waits for
many costs memory once. A chunk is never cut: a pong or a close frame that the wire sends by
itself may stand between two frames, not inside one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol

from ovos_bus.errors import Stalled, TooSlow

KIB = 1024
MIB = 1024 * KIB

# What is joined into one chunk: one system call carries it, and it is still small enough that a
# client shows progress often.
CHUNK_BYTES = 128 * KIB


class Wire(Protocol):
    """Where a client's chunks go: the side of an outbox that owns a socket."""

    def send(self, chunk: bytes) -> bool:
        """
        Send ``chunk``; never raises.

        Returns:
            ``True`` if all of it left (or the connection is gone), ``False`` if the wire keeps
            the rest and reports with `Hub.written` when that has left.
        """

    def drop(self, why: TooSlow) -> None:
        """Disconnect the client; called at most once."""


class Outbox:
    """
    What one client has not been sent yet.

    Attributes:
        name: Who the client is, for logs.
        wire: Where its chunks go.
        backlog: Bytes not yet taken by the system, the flying chunk included.
        joined_at: When (by ``clock``) it was made.
        sent: Messages for the client, but for those that `Hub.tally` knows of anyway.
        sent_bytes: Bytes of those.
        said: Messages that the client has published.
        said_bytes: Bytes of those, as framed for delivery.
        moved_at: When (by ``clock``) the client last took a chunk, or fell behind.
    """

    __slots__ = (
        *("_clock", "_flying", "_waiting", "backlog", "joined_at", "moved_at"),
        *("name", "said", "said_bytes", "sent", "sent_bytes", "wire"),
    )

    def __init__(self, name: str, wire: Wire, clock: Callable[[], float]) -> None:
        self.name, self.wire = name, wire
        self.backlog = 0
        self.joined_at = self.moved_at = clock()
        self.said = self.said_bytes = 0
        self.sent = self.sent_bytes = 0
        self._clock = clock
        self._flying = 0  # bytes
        self._waiting: deque[bytes] | None = None  # made when it is needed: an empty one is large

    def offer(self, chunk: bytes) -> int:
        """Send ``chunk`` now, or after what is waiting already, and return the backlog."""
        if self._flying:
            if self._waiting is None:
                self._waiting = deque()
            self._waiting.append(chunk)
            self.backlog += len(chunk)
        elif not self.wire.send(chunk):
            self._flying = self.backlog = len(chunk)
            self.moved_at = self._clock()
        return self.backlog

    def written(self) -> int:
        """Take note that the flying chunk has left, send what waits, and return the backlog."""
        self.backlog -= self._flying
        self._flying = 0
        self.moved_at = self._clock()
        while self._waiting:
            chunk = _next_chunk(self._waiting)
            if not self.wire.send(chunk):
                self._flying = len(chunk)
                return self.backlog
            self.backlog -= len(chunk)
        self._waiting = None
        return self.backlog

    def discard(self) -> None:
        """Forget what waits, so that a client that is dropped holds no memory."""
        self._waiting = None
        self.backlog = self._flying

    @property
    def allowance(self) -> float:
        """How much more time than others it has: progress shows only when a whole chunk left."""
        return max(1.0, self._flying / MIB)

    def stalled(self, timeout: float) -> Stalled | None:
        """
        Tell whether the client has taken nothing for too long.

        Args:
            timeout: Seconds without progress that a client is allowed, times its `allowance`.
        """
        seconds = self._clock() - self.moved_at
        allowed = timeout * self.allowance
        if self.backlog and seconds >= allowed:
            return Stalled(self.backlog, seconds, allowed)
        return None


def _next_chunk(waiting: deque[bytes]) -> bytes:
    """Take and join small waiting chunks; one that is large already goes alone, uncopied."""
    chunk = waiting.popleft()
    if not waiting or len(chunk) + len(waiting[0]) > CHUNK_BYTES:
        return chunk
    parts, size = [chunk], len(chunk)
    while waiting and size + len(waiting[0]) <= CHUNK_BYTES:
        parts.append(waiting.popleft())
        size += len(parts[-1])
    return b"".join(parts)
