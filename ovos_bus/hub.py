"""
Who is joined, who is written to and when, who is too slow.

The hub knows clients by their `Outbox`, never sockets or loops. All clients see one order: the
order of the calls of `Hub.publish`.

A *turn* is one round of the event loop. Its first frame is written at once, so a lone message
waits for nobody; the frames that follow in the same turn are joined and written as one chunk a
client when the turn ends, so a burst costs one system call a client and not one a message. A first
frame that comes in one breath with others is no lone message, and is joined with them.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ovos_bus.audience import Audience
from ovos_bus.errors import BacklogFull, TooSlow
from ovos_bus.joined import Joined
from ovos_bus.message_types import Types
from ovos_bus.metrics import Counters
from ovos_bus.outbox import CHUNK_BYTES, MIB, Outbox, Wire

log = logging.getLogger(__name__)

# A client with more unread than this is behind, and senders that flood wait for it ...
BEHIND_BYTES = 1 * MIB
# ... unless it has taken nothing for so many seconds: then it is stalled, and nobody waits. A slow
# reader shows progress in steps of a third of the system's send buffer (`ovos_bus.stream`).
PATIENCE = 2.0


@dataclass(frozen=True)
class Limits:
    """
    How far clients may fall behind.

    Attributes:
        backlog: Bytes one client may leave unread.
        total_backlog: Bytes that may be kept for all clients together (see `Hub.kept`).
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
        subscriptions: How many types it subscribes to; ``None`` for all that it may hear.
    """

    seconds: float
    received: int
    received_bytes: int
    sent: int
    sent_bytes: int
    backlog: int
    subscriptions: int | None


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
        self._audience = Audience()
        # The clients with unread data, and whether they share all of it with all who do.
        self._behind: dict[Outbox, bool] = {}
        self._turn_is_open = False
        self._joined = Joined()

    def __len__(self) -> int:
        return len(self._audience)

    @property
    def subscriptions(self) -> int:
        """Types that are subscribed to, one by two clients counting twice."""
        return self._audience.named

    @property
    def backlog(self) -> int:
        """Bytes unread, of all clients together."""
        return sum(outbox.backlog for outbox in self._behind)

    @property
    def kept(self) -> int:
        """
        Bytes of memory that what is unread takes, at most.

        Those who have been sent everything since they fell behind wait for the same chunks. So the
        one that is furthest behind holds all of them, and the others add what is flying to them,
        which may have been joined for each.
        """
        furthest, own, unread = 0, 0, 0
        for outbox, shares in self._behind.items():
            backlog = outbox.backlog
            unread += backlog
            if shares:
                furthest = max(furthest, backlog)
                own += min(backlog, CHUNK_BYTES)
            else:
                own += backlog
        return min(unread, furthest + own)

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

    def join(
        self,
        name: str,
        wire: Wire,
        greeting: bytes,
        may: Types | None = None,
        subscribes: bool = False,
    ) -> Outbox:
        """
        Let a client in. It receives the greeting first, then whatever is published later.

        Args:
            name: Who it is, for logs.
            wire: Where its chunks go.
            greeting: A frame for it alone.
            may: The types that it may be sent at all; ``None`` is everything.
            subscribes: Whether it is sent nothing else until it subscribes.
        """
        self._flush()
        outbox = Outbox(name, wire, self._clock)
        outbox.sent, outbox.sent_bytes = 1, len(greeting)
        self._audience.join(outbox, may, subscribes)
        self._settle(outbox, -1)
        self.counters.joined += 1
        if outbox.offer(greeting):
            self._fell_behind(outbox)
        return outbox

    def restrict(self, outbox: Outbox, may: Types | None) -> None:
        """Let a client hear other types from now on; one that left stays away."""
        with self._moving(outbox) as here:
            if here:
                self._audience.restrict(outbox, may)

    def subscribe(self, outbox: Outbox, types: Iterable[str]) -> None:
        """
        Send a client these types, too, from now on, as far as it may hear them.

        Raises:
            TooManyTypes: If that is more than is kept for it. Nothing has changed then.
        """
        with self._moving(outbox) as here:
            if here:
                self._audience.subscribe(outbox, types)

    def unsubscribe(self, outbox: Outbox, types: Iterable[str]) -> None:
        """Send a client these types no longer."""
        with self._moving(outbox) as here:
            if here:
                self._audience.unsubscribe(outbox, types)

    def overfill(self, outbox: Outbox) -> None:
        """Send a client all that it may hear from now on, whatever else it asks for."""
        with self._moving(outbox) as here:
            if here:
                self._audience.overfill(outbox)

    def leave(self, outbox: Outbox) -> None:
        """Take a client out; one that left already is none of our business."""
        outbox.discard()
        self._behind.pop(outbox, None)
        self._settle(outbox, 1)
        if self._audience.leave(outbox):
            self.counters.left += 1

    def publish(self, frame: bytes, type_: str = "", more: bool = False) -> bool:
        """
        Send ``frame``, a message of a type, to every client that hears it, its sender included.

        Args:
            frame: The message as a frame.
            type_: Its type.
            more: Whether others are here already that come in the same turn.

        Returns:
            Whether this opened a turn. The caller then calls `end_turn` when the turn is over.
        """
        counters, audience = self.counters, self._audience
        everyone = audience.everyone
        choosy = audience.choosy(type_) if audience.is_choosy else ()
        counters.received += 1
        counters.received_bytes += len(frame)
        counters.delivered += len(everyone) + len(choosy)
        opens = not self._turn_is_open
        if opens:
            if not (everyone or choosy):
                return False
            self._turn_is_open = True
            if not more:
                for outbox in choosy:
                    self._give(outbox, frame, 1)
                self._give_everyone(frame)
                return True
        self._joined.add(frame, choosy)
        if self._joined.size >= CHUNK_BYTES:
            self._flush()
        return opens

    def end_turn(self) -> None:
        """Write what was joined; the next frame opens a new turn."""
        self._turn_is_open = False
        self._flush()

    def written(self, outbox: Outbox) -> None:
        """Take note that the chunk which a wire kept has left."""
        if not outbox.written():
            self._behind.pop(outbox, None)

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
        subscriptions = self._audience.subscriptions(outbox)
        self._flush()  # what waits for the end of the turn is counted as received already
        # That may have been too much for this one; what it was sent is counted all the same.
        all_ = self._audience.is_sent_everything(outbox)
        return Tally(
            seconds=self._clock() - outbox.joined_at,
            received=outbox.said,
            received_bytes=outbox.said_bytes,
            sent=outbox.sent + all_ * self.counters.received,
            sent_bytes=outbox.sent_bytes + all_ * self.counters.received_bytes,
            backlog=outbox.backlog,
            subscriptions=subscriptions,
        )

    @contextmanager
    def _moving(self, outbox: Outbox) -> Iterator[bool]:
        """
        Let what a client hears be changed, if it is (still) here.

        What is joined goes out before that, to those who heard it when it was published.
        """
        self._flush()
        self._settle(outbox, 1)
        try:
            yield outbox in self._audience
        finally:
            self._settle(outbox, -1)
            if outbox in self._behind:
                self._behind[outbox] = False

    def _settle(self, outbox: Outbox, sign: int) -> None:
        """Count what one was sent that is sent everything (1), or no longer count it (-1)."""
        if self._audience.is_sent_everything(outbox):
            outbox.sent += sign * self.counters.received
            outbox.sent_bytes += sign * self.counters.received_bytes

    def _flush(self) -> None:
        if self._joined:
            joined, self._joined = self._joined, Joined()
            for outbox, chunk, count in joined.parts():
                if outbox in self._audience:  # it may have left since
                    self._give(outbox, chunk, count)
            self._give_everyone(joined.everything() if self._audience.everyone else b"")

    def _give_everyone(self, chunk: bytes) -> None:
        for outbox in self._audience.everyone:
            if outbox.offer(chunk):
                self._fell_behind(outbox)
        if self._behind:
            self._limit_total()

    def _give(self, outbox: Outbox, chunk: bytes, count: int) -> None:
        """Send one of the choosy its frames."""
        outbox.sent += count
        outbox.sent_bytes += len(chunk)
        if outbox.offer(chunk):
            self._fell_behind(outbox)

    def _fell_behind(self, outbox: Outbox) -> None:
        if outbox not in self._behind:
            self._behind[outbox] = self._audience.is_sent_everything(outbox)
        if outbox.backlog > self.limits.backlog:
            self._drop_for_backlog(outbox, self.limits.backlog, "max_backlog")

    def _limit_total(self) -> None:
        """Over the limit for all, those go who are furthest behind."""
        limit = self.limits.total_backlog
        while self.backlog > limit and self.kept > limit:
            furthest = max(self._behind, key=lambda outbox: outbox.backlog)
            self._drop_for_backlog(furthest, limit, "max_total_backlog")

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
