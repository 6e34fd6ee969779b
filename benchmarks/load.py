"""
The load: a crowd of plain sockets that speaks to a bus and knows every byte that is to come back.

Each client receives an endless repetition of the same frames, so what a read must hold follows
from how much was read before, and one comparison of memory checks all of it. Where even that would
make the load slower than what it measures, bytes are counted and thrown away unread; a flood that
is checked goes before.
"""

from __future__ import annotations

import json
import math
import selectors
import socket
import sys
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType

from benchmarks.errors import Closed, Stalled, WrongDelivery
from benchmarks.wires import TOPIC, WEBSOCKET, Wire

# One read takes at most this much: enough for few calls, small enough to stay in the cache.
READ_BYTES = 256 * 1024

# Linux throws away what a client does not want to see, instead of copying it.
_DISCARD = socket.MSG_TRUNC if sys.platform == "linux" else 0

# How far the speaker may be ahead of the slowest reader, in bytes of its own messages: enough to
# keep a bus busy, and far below what a bus holds back for a client (64 MB).
WINDOW_BYTES = 256 * 1024

# The same in seconds: what the bus still has to deliver when the time is over. Until it is known
# how fast it is, the window is small.
WINDOW_SECONDS, FIRST_WINDOW_BYTES = 0.2, 32 * 1024

# How often those who only listen say that they are there, in seconds; our bus asks after 30.
ALIVE_SECONDS = 15.0

# A bus on which nothing moves for this long will not go on, in seconds.
STALL_SECONDS = 10.0

# The client that speaks; it hears itself as all others do.
SPEAKER = 0


@dataclass(frozen=True, slots=True)
class Flood:
    """Messages that were sent as fast as the bus took them."""

    messages: int
    seconds: float  #: until the last client had the last of them
    busy: float  #: the part of that time in which the load worked: near 1, it was the limit


@dataclass(frozen=True, slots=True)
class Lone:
    """How long lone messages took, each sent when the one before had reached everyone."""

    to_self: list[float]  #: seconds until the speaker had its own message back
    to_last: list[float]  #: seconds until the last client had it


def message(size: int, type_: str = TOPIC) -> bytes:
    """
    A message as programs send them, of exactly ``size`` bytes.

    Raises:
        ValueError: It does not fit into so few.
    """
    content = {
        "type": type_,
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
    ``clients`` connections to one server, of which the first also speaks.

    Each method returns when every client has everything that was said, and the bytes continue from
    one to the next: what is delivered twice is met there as more than was due.
    """

    def __init__(
        self,
        host: str,
        port: int,
        route: str,
        clients: int,
        payloads: Sequence[bytes],
        wire: Wire = WEBSOCKET,
        wanting: int | None = None,
    ) -> None:
        """
        Args:
            payloads: The messages, said one after the other and then from the beginning.
            wire: How the server speaks.
            wanting: How many of the clients want to hear them, the speaker first; ``None`` is all.
                The others are to receive nothing if the server spares them, or else everything.
        """
        self._wire = wire
        self._buffer = memoryview(bytearray(READ_BYTES))
        self._check = True
        self._heard_at = 0.0  # when the speaker last received something
        self._unsent = memoryview(b"")
        self._sockets: list[socket.socket] = []
        self._selector = selectors.DefaultSelector()
        want = clients if wanting is None else wanting
        # How many are to receive anything.
        self._hearers = want if wire.choosy else clients
        self.speak_of(payloads)
        try:
            for number in range(clients):
                self._sockets.append(wire.join(host, port, route, number < want))
            wire.settle(self._sockets)
            for number, connection in enumerate(self._sockets):
                connection.setblocking(False)
                self._selector.register(connection, selectors.EVENT_READ, number)
        except BaseException:
            self.close()
            raise

    def speak_of(self, payloads: Sequence[bytes]) -> None:
        """Say these messages from now on, one after the other and then from the beginning."""
        self._sent_frames = [self._wire.sent(payload) for payload in payloads]
        frames = [self._wire.received(payload) for payload in payloads]
        self._sizes = [len(frame) for frame in frames]
        self._cycle = sum(self._sizes)
        self._next = 0  # which of the messages is said next
        # A read may begin anywhere in the cycle, so the longest read more than one.
        self._pattern = b"".join(frames) * (READ_BYTES // self._cycle + 2)
        self._pace = 0.0  # bytes a second that each hearer received in the last flood
        self._due = 0  # bytes that each hearer is to receive for what was said so far
        self._received = [0] * self._hearers

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

    def fileno(self) -> int:
        """For a selector that watches several crowds: readable while one of the clients is."""
        return self._selector.fileno()

    def listen(self) -> None:
        """
        Read what has come though nobody spoke, which must be pings, and answer them.

        Raises:
            BenchError: A client got something else.
        """
        for key, _ in self._selector.select(0):
            connection = self._sockets[key.data]
            data = connection.recv(READ_BYTES)
            if not data:
                raise Closed(f"the bus closed the connection of client {key.data}")
            ping = self._wire.ping
            if not ping or data != ping * (len(data) // len(ping)):
                raise WrongDelivery(key.data, 0, f"{data[:80]!r} though nobody spoke")
            connection.send(self._wire.alive)

    def flood(self, messages: int | None, seconds: float, *, check: bool = True) -> Flood:
        """
        Speak as fast as the bus takes it, never more than the window ahead of the slowest client.

        Args:
            messages: How many to send; ``None`` sends until ``seconds`` have passed.
            seconds: How long to send when ``messages`` is ``None``.
            check: Whether to compare what arrives, and not only how much.

        Raises:
            BenchError: A client did not get exactly what was sent.
        """
        self._check = check
        largest = max(self._sizes)
        burst = max(self._wire.burst, largest)
        window = min(WINDOW_BYTES, int(self._pace * WINDOW_SECONDS))
        window = max(window, FIRST_WINDOW_BYTES, 2 * self._wire.burst, burst + largest)
        before, sent = self._due, 0
        worked = time.process_time()
        started = time.perf_counter()
        while sent < messages if messages is not None else time.perf_counter() - started < seconds:
            ahead = self._due - min(self._received)
            if self._unsent or ahead + burst > window:
                self._turn()
                continue
            sent += self._say(burst, None if messages is None else messages - sent)
        self._settle()
        self._check = True
        took = time.perf_counter() - started
        self._pace = (self._due - before) / took
        return Flood(sent, took, (time.process_time() - worked) / took)

    def lone(self, count: int, seconds: float = math.inf) -> Lone:
        """
        Speak ``count`` times, each time when the message before has reached everyone.

        Args:
            seconds: When to stop before that, but not without any.

        Raises:
            BenchError: A client did not get exactly what was sent.
        """
        times = Lone([], [])
        until = time.perf_counter() + seconds
        for _ in range(count):
            if times.to_last and time.perf_counter() > until:
                break
            started = time.perf_counter()
            self._say(1)
            self._settle()
            times.to_last.append(time.perf_counter() - started)
            times.to_self.append(self._heard_at - started)
        return times

    def play(self, offsets: Sequence[float]) -> list[float]:
        """
        Say one message at each of ``offsets``, in seconds from now, whether or not those before
        have arrived.

        Returns:
            Seconds that each took, from the time at which it was due until all had it.

        Raises:
            BenchError: A client did not get exactly what was sent.
        """
        started = time.perf_counter()
        alive_at = started + ALIVE_SECONDS
        travelling: deque[tuple[float, int]] = deque()  # when each was due, and where it ends
        took: list[float] = []
        for offset in offsets:
            due = started + offset
            while (left := due - time.perf_counter()) > 0 or self._unsent:
                self._turn(max(left, 0), stall=False)
                self._arrivals(travelling, took)
                if time.perf_counter() > alive_at:
                    self._stay_alive()
                    alive_at += ALIVE_SECONDS
            self._say(1)
            travelling.append((due, self._due))
        while travelling:
            self._turn()
            self._arrivals(travelling, took)
        return took

    def _arrivals(self, travelling: deque[tuple[float, int]], took: list[float]) -> None:
        """Note which messages have reached everybody."""
        if travelling:
            now, least = time.perf_counter(), min(self._received)
            while travelling and travelling[0][1] <= least:
                took.append(now - travelling.popleft()[0])

    def _stay_alive(self) -> None:
        """Have those who only listen say something, before they are asked."""
        if self._wire.alive:
            for connection in self._sockets[SPEAKER + 1 :]:
                connection.send(self._wire.alive)

    def _say(self, size: int, most: int | None = None) -> int:
        """
        Speak messages of together at most ``size`` bytes, and at least one; return how many.

        What the kernel does not take yet stays unsent.
        """
        frames: list[bytes] = []
        due = 0
        while not frames or (
            due + self._sizes[self._next] <= size and (most is None or len(frames) < most)
        ):
            frames.append(self._sent_frames[self._next])
            due += self._sizes[self._next]
            self._next = (self._next + 1) % len(self._sizes)
        self._due += due
        self._unsent = memoryview(self._wire.batch(frames))
        self._push()
        return len(frames)

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

    def _turn(self, seconds: float = STALL_SECONDS, *, stall: bool = True) -> None:
        """
        Wait until something can be read or written, and do it.

        Args:
            seconds: How long to wait.
            stall: Whether nothing in that time means that the bus stands still.
        """
        ready = self._selector.select(seconds)
        if not ready and stall:
            least = min(self._received)
            raise Stalled(seconds, self._received.index(least), self._due - least)
        for key, events in ready:
            if events & selectors.EVENT_WRITE:
                self._push()
            if events & selectors.EVENT_READ:
                self._receive(key.data)

    def _receive(self, number: int) -> None:
        """Read once for a client, and check that it is what comes next."""
        flags = 0 if self._check else _DISCARD
        try:
            count = self._sockets[number].recv_into(self._buffer, READ_BYTES, flags)
        except OSError as error:
            raise Closed(f"the bus dropped client {number}: {error}") from error
        if number == SPEAKER:
            self._heard_at = time.perf_counter()
        if not count:
            raise Closed(f"the bus closed the connection of client {number}")
        if number >= len(self._received):
            raise WrongDelivery(number, 0, f"{count} bytes that it did not want")
        before = self._received[number]
        if before + count > self._due:
            raise WrongDelivery(number, before, f"{before + count - self._due} bytes too many")
        offset = before % self._cycle
        if self._check and not self._pattern.startswith(self._buffer[:count], offset):
            raise WrongDelivery(number, before, "other bytes than were sent")
        self._received[number] = before + count
