"""
Who is joined, who receives a message, who is too slow.

The hub knows clients by their `Outbox`, never sockets or loops. All clients see one order: the
order of the calls of `Hub.publish`.

A *turn* is one round of the event loop. Its first frame is written at once, so a lone message
waits for nobody; the frames that follow in the same turn are joined and written as one chunk a
client when the turn ends, so a burst costs one system call a client and not one a message.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from ovos_bus.errors import BacklogFull, TooSlow
from ovos_bus.metrics import Counters
from ovos_bus.outbox import CHUNK_BYTES, MIB, Outbox, Wire

log = logging.getLogger(__name__)

# A client with more unread than this is behind, and senders that flood wait for it ...
BEHIND_BYTES = 1 * MIB
# ... unless it has taken nothing for so many seconds: then it is stalled, and nobody waits. A slow
# reader shows progress in steps of a third of the system's send buffer (`ovos_bus.stream`).
PATIENCE = 2.0

# Whether a client is sent messages of a type.
Hears = Callable[[str], bool]


@dataclass(frozen=True)
class Limits:
    """
    How far clients may fall behind.

    Attributes:
        backlog: Bytes one client may leave unread.
        total_backlog: Bytes all clients together may leave unread.
        stall_timeout: Seconds a client with unread data may take nothing.
    """

    backlog: int = 64 * MIB
    total_backlog: int = 256 * MIB
    stall_timeout: float = 10.0


@dataclass(frozen=True, slots=True)
class Tally:
    """
    What has passed between the bus and one client. Sizes are those of frames, in bytes.

    Attributes:
        seconds: How long it has been here.
        received: Messages that it published.
        received_bytes: Their size.
        sent: Messages for it, the greeting included, and those that it has not read yet.
        sent_bytes: Their size.
        backlog: How many of these bytes it has not read yet.
    """

    seconds: float
    received: int
    received_bytes: int
    sent: int
    sent_bytes: int
    backlog: int


class Hub:
    """Decides who receives a frame, and who has to go for reading too slowly."""

    def __init__(
        self,
        limits: Limits | None = None,
        counters: Counters | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limits = limits or Limits()
        self.counters = counters or Counters()
        self._clock = clock
        self._everyone: tuple[Outbox, ...] = ()  # but for those who hear only some types
        self._choosy: dict[Outbox, Hears] = {}
        self._chosen: dict[Outbox, list[bytes]] = {}  # of what is joined, theirs
        self._behind: set[Outbox] = set()  # the clients with unread data
        self._turn_is_open = False
        self._joined: list[bytes] = []  # this turn's frames that were not written yet
        self._joined_bytes = 0

    def __len__(self) -> int:
        return len(self._everyone) + len(self._choosy)

    @property
    def backlog(self) -> int:
        """Bytes unread, of all clients together."""
        return sum(outbox.backlog for outbox in self._behind)

    @property
    def congested(self) -> bool:
        """Whether a client is far behind, but catching up."""
        if not self._behind:
            return False
        now = self._clock()
        return any(
            outbox.backlog > BEHIND_BYTES and now - outbox.moved_at < PATIENCE * outbox.allowance
            for outbox in self._behind
        )

    def join(self, name: str, wire: Wire, greeting: bytes, hears: Hears | None = None) -> Outbox:
        """
        Let a client in. It receives the greeting first, then whatever is published later.

        Args:
            name: Who it is, for logs.
            wire: Where its chunks go.
            greeting: A frame for it alone.
            hears: Whether it is sent messages of a type; ``None`` sends it all.
        """
        self._flush()
        outbox = Outbox(name, wire, self._clock)
        outbox.sent, outbox.sent_bytes = 1, len(greeting)
        self._add(outbox, hears)
        self.counters.joined += 1
        if outbox.offer(greeting):
            self._fell_behind(outbox)
        return outbox

    def change(self, outbox: Outbox, hears: Hears | None) -> None:
        """Send a client other types from now on; one that left stays away."""
        self._flush()
        if self._remove(outbox):
            self._add(outbox, hears)

    def leave(self, outbox: Outbox) -> None:
        """Take a client out; one that left already is none of our business."""
        outbox.discard()
        self._behind.discard(outbox)
        if self._remove(outbox):
            self.counters.left += 1

    def publish(self, frame: bytes, type_: str = "") -> bool:
        """
        Send ``frame``, a message of a type, to every client that hears it, its sender included.

        Returns:
            Whether this opened a turn. The caller then calls `end_turn` when the turn is over.
        """
        self.counters.received += 1
        self.counters.received_bytes += len(frame)
        self.counters.delivered += len(self._everyone)
        if self._choosy:
            self._choose(frame, type_)
        if not self._turn_is_open:
            self._turn_is_open = True
            self._deliver(frame)
            return True
        self._joined.append(frame)
        self._joined_bytes += len(frame)
        if self._joined_bytes >= CHUNK_BYTES:
            self._flush()
        return False

    def end_turn(self) -> None:
        """Write what was joined; the next frame opens a new turn."""
        self._turn_is_open = False
        self._flush()

    def written(self, outbox: Outbox) -> None:
        """Take note that the chunk which a wire kept has left."""
        if not outbox.written():
            self._behind.discard(outbox)

    def expire(self) -> None:
        """Drop the clients that are stalled. To be called about once a second."""
        for outbox in tuple(self._behind):
            stalled = outbox.stalled(self.limits.stall_timeout)
            if stalled:
                self._drop(outbox, stalled)

    def tally(self, outbox: Outbox) -> Tally:
        """
        Count what has passed between the bus and a client that is joined.

        Who is sent everything was sent what the hub has received since, so deliveries, of which
        there are many, are not counted one by one; those of the choosy are.
        """
        self._flush()  # what waits for the end of the turn is counted as received already
        all_ = outbox not in self._choosy
        return Tally(
            seconds=self._clock() - outbox.joined_at,
            received=outbox.said,
            received_bytes=outbox.said_bytes,
            sent=outbox.sent + all_ * self.counters.received,
            sent_bytes=outbox.sent_bytes + all_ * self.counters.received_bytes,
            backlog=outbox.backlog,
        )

    def _add(self, outbox: Outbox, hears: Hears | None) -> None:
        if hears is not None:
            self._choosy[outbox] = hears
            return
        self._everyone += (outbox,)
        outbox.sent -= self.counters.received
        outbox.sent_bytes -= self.counters.received_bytes

    def _remove(self, outbox: Outbox) -> bool:
        """Take a client out of those who are sent anything, and return whether it was there."""
        self._chosen.pop(outbox, None)
        if self._choosy.pop(outbox, None) is not None:
            return True
        if outbox not in self._everyone:
            return False
        self._everyone = tuple(other for other in self._everyone if other is not outbox)
        outbox.sent += self.counters.received
        outbox.sent_bytes += self.counters.received_bytes
        return True

    def _choose(self, frame: bytes, type_: str) -> None:
        """Send a frame to those of the choosy who hear its type: now, or joined with others."""
        for outbox, hears in tuple(self._choosy.items()):
            if hears(type_):
                self.counters.delivered += 1
                outbox.sent += 1
                outbox.sent_bytes += len(frame)
                if self._turn_is_open:
                    self._chosen.setdefault(outbox, []).append(frame)
                elif outbox.offer(frame):
                    self._fell_behind(outbox)

    def _flush(self) -> None:
        if self._joined:
            frames, self._joined, self._joined_bytes = self._joined, [], 0
            chosen, self._chosen = self._chosen, {}
            for outbox, theirs in chosen.items():
                if outbox.offer(b"".join(theirs)):
                    self._fell_behind(outbox)
            self._deliver(frames[0] if len(frames) == 1 else b"".join(frames))

    def _deliver(self, chunk: bytes) -> None:
        for outbox in self._everyone:
            if outbox.offer(chunk):
                self._fell_behind(outbox)
        if self._behind:
            self._limit_total()

    def _fell_behind(self, outbox: Outbox) -> None:
        self._behind.add(outbox)
        if outbox.backlog > self.limits.backlog:
            self._drop_for_backlog(outbox, self.limits.backlog, "max_backlog")

    def _limit_total(self) -> None:
        """Over the limit for all, those go who take most of it."""
        total = self.backlog
        while total > self.limits.total_backlog:
            largest = max(self._behind, key=lambda outbox: outbox.backlog)
            total -= largest.backlog
            self._drop_for_backlog(largest, self.limits.total_backlog, "max_total_backlog")

    def _drop_for_backlog(self, outbox: Outbox, limit: int, setting: str) -> None:
        seconds = self._clock() - outbox.moved_at
        self._drop(outbox, BacklogFull(outbox.backlog, seconds, limit, setting))

    def _drop(self, outbox: Outbox, why: TooSlow) -> None:
        log.warning("dropping %s, a slow consumer: %s", outbox.name, why)
        self.counters.dropped += 1
        if not isinstance(why, BacklogFull):
            self.counters.dropped_stalled += 1
        elif why.setting == "max_backlog":
            self.counters.dropped_max_backlog += 1
        else:
            self.counters.dropped_max_total_backlog += 1
        self.leave(outbox)
        outbox.wire.drop(why)
