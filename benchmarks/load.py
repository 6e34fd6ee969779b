"""
The load: a crowd of plain sockets that speaks to a bus and checks every byte that comes back.

Each client receives an endless repetition of one and the same frame, so what a read must hold
follows from how much was read before, and one comparison of memory checks all of it.
"""

from __future__ import annotations

import json
import os
import selectors
import socket
import time
from dataclasses import dataclass
from types import TracebackType

from benchmarks.errors import Closed, Stalled, WrongDelivery
from benchmarks.wire import connect, text_frame

# One read takes at most this much: enough for few calls, small enough to stay in the cache.
READ_BYTES = 256 * 1024

# How far the speaker may be ahead of the slowest reader, in bytes of its own messages: enough to
# keep a bus busy, and far below what a bus holds back for a client (64 MB).
WINDOW_BYTES = 256 * 1024

# What the speaker hands to the kernel in one call, in bytes.
BURST_BYTES = 16 * 1024

# A bus on which nothing moves for this long will not go on, in seconds.
STALL_SECONDS = 10.0

# The client that speaks; it hears itself as all others do.
SPEAKER = 0


@dataclass(frozen=True, slots=True)
class Flood:
    """Messages that were sent as fast as the bus took them."""

    messages: int
    seconds: float  #: until the last client had the last of them


@dataclass(frozen=True, slots=True)
class Lone:
    """How long lone messages took, each sent when the one before had reached everyone."""

    to_self: list[float]  #: seconds until the speaker had its own message back
    to_last: list[float]  #: seconds until the last client had it


def message(size: int) -> bytes:
    """
    A message as programs send them, of exactly ``size`` bytes.

    Raises:
        ValueError: It does not fit into so few.
    """
    content = {
        "type": "bench.message",
        "data": {"utterance": "what time is it", "padding": ""},
        "context": {
            "source": "audio",
            "destination": ["skills"],
            "session": {"session_id": "default", "lang": "en-us"},
        },
    }
    missing = size - len(json.dumps(content))
    if missing < 0:
        raise ValueError(f"a message takes at least {size - missing} bytes, not {size}")
    content["data"] = {"utterance": "what time is it", "padding": "x" * missing}
    return json.dumps(content).encode()


class Crowd:
    """
    ``clients`` connections to one bus, of which the first also speaks.

    Each method returns when every client has everything that was said, and the bytes continue from
    one to the next: what is delivered twice is met there as more than was due.
    """

    def __init__(self, host: str, port: int, route: str, clients: int, payload: bytes) -> None:
        self._sent_frame = text_frame(payload, mask=os.urandom(4))
        self._received_frame = text_frame(payload)
        # A read may begin anywhere in a frame, so one frame more than the longest read.
        self._pattern = self._received_frame * (READ_BYTES // len(self._received_frame) + 2)
        self._buffer = memoryview(bytearray(READ_BYTES))
        self._due = 0  # bytes that each client is to receive for what was said so far
        self._received = [0] * clients
        self._heard_at = 0.0  # when the speaker last received something
        self._unsent = memoryview(b"")
        self._sockets: list[socket.socket] = []
        self._selector = selectors.DefaultSelector()
        try:
            for number in range(clients):
                connection = connect(host, port, route)
                self._sockets.append(connection)
                connection.setblocking(False)
                self._selector.register(connection, selectors.EVENT_READ, number)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Crowd:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Drop all connections."""
        self._selector.close()
        for connection in self._sockets:
            connection.close()

    def flood(self, messages: int | None, seconds: float) -> Flood:
        """
        Speak as fast as the bus takes it, never more than the window ahead of the slowest client.

        Args:
            messages: How many to send; ``None`` sends until ``seconds`` have passed.
            seconds: How long to send when ``messages`` is ``None``.

        Raises:
            BenchError: A client did not get exactly what was sent.
        """
        size = len(self._received_frame)
        burst = max(BURST_BYTES // size, 1)
        window = max(WINDOW_BYTES, burst * size)
        sent = 0
        started = time.perf_counter()
        while sent < messages if messages is not None else time.perf_counter() - started < seconds:
            ahead = self._due - min(self._received)
            if self._unsent or ahead + burst * size > window:
                self._turn()
                continue
            count = burst if messages is None else min(burst, messages - sent)
            self._say(count)
            sent += count
        self._settle()
        return Flood(sent, time.perf_counter() - started)

    def lone(self, count: int) -> Lone:
        """
        Speak ``count`` times, each time when the message before has reached everyone.

        Raises:
            BenchError: A client did not get exactly what was sent.
        """
        times = Lone([], [])
        for _ in range(count):
            started = time.perf_counter()
            self._say(1)
            self._settle()
            times.to_last.append(time.perf_counter() - started)
            times.to_self.append(self._heard_at - started)
        return times

    def _say(self, count: int) -> None:
        """Speak the message ``count`` times; what the kernel does not take yet stays unsent."""
        self._due += count * len(self._received_frame)
        self._unsent = memoryview(self._sent_frame * count)
        self._push()

    def _push(self) -> None:
        speaker = self._sockets[SPEAKER]
        try:
            self._unsent = self._unsent[speaker.send(self._unsent) :]
        except BlockingIOError:
            pass  # the kernel is full; select() tells when it is not
        except OSError as error:
            raise Closed(f"the bus no longer listens to the speaker: {error}") from error
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._unsent else 0)
        if events != self._selector.get_key(speaker).events:
            self._selector.modify(speaker, events, SPEAKER)

    def _settle(self) -> None:
        """Read until every client has everything that was said."""
        while min(self._received) < self._due:
            self._turn()

    def _turn(self) -> None:
        """Wait until something can be read or written, and do it."""
        ready = self._selector.select(STALL_SECONDS)
        if not ready:
            least = min(self._received)
            raise Stalled(STALL_SECONDS, self._received.index(least), self._due - least)
        for key, events in ready:
            if events & selectors.EVENT_WRITE:
                self._push()
            if events & selectors.EVENT_READ:
                self._receive(key.data)

    def _receive(self, number: int) -> None:
        """Read once for a client, and check that it is what comes next."""
        before = self._received[number]
        try:
            count = self._sockets[number].recv_into(self._buffer)
        except OSError as error:
            raise Closed(f"the bus dropped client {number}: {error}") from error
        if number == SPEAKER:
            self._heard_at = time.perf_counter()
        if not count:
            raise Closed(f"the bus closed the connection of client {number}")
        if before + count > self._due:
            raise WrongDelivery(number, before, f"{before + count - self._due} bytes too many")
        offset = before % len(self._received_frame)
        if not self._pattern.startswith(self._buffer[:count], offset):
            raise WrongDelivery(number, before, "other bytes than were sent")
        self._received[number] = before + count
