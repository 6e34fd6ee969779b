"""What all connections of one daemon share, and the loop that gives the hub its turns."""

from __future__ import annotations

import asyncio
import itertools
from typing import Protocol

from ovos_bus.config import BusConfig
from ovos_bus.drafts import Drafts
from ovos_bus.frame import text_frame
from ovos_bus.hub import Hub, Tally
from ovos_bus.lobby import Lobby
from ovos_bus.message_types import Types
from ovos_bus.outbox import Outbox, Wire
from ovos_bus.pace import Pace
from ovos_bus.roles import Role, Roles
from ovos_bus.stream import Reserve
from ovos_bus.throttle import Onces, Throttles
from ovos_bus.who import Who

GREETING = text_frame(
    b'{"type": "connected", "data": {}, "context": {"session": {"session_id": "default"}}}'
)

# How often clients that are stalled or dead are looked for, in seconds.
EXPIRE_INTERVAL = 1.0

# How often a sender that waits looks by itself whether it still has to, in seconds: nobody reports
# that a client has stalled, or that credit has grown.
LOOK_AGAIN_INTERVAL = 0.5


# How long the end of a connection that was cut takes to be reported, at most, in seconds.
CUT_SECONDS = 0.2


class Connection(Wire, Protocol):
    """
    A client's connection: the wire of its outbox, and what a bus that stops needs of it.

    Attributes:
        who: The client.
        outbox: Its outbox; ``None`` before it joined and after it left.
    """

    who: Who
    outbox: Outbox | None

    def go_away(self) -> None:
        """Close with code 1001 as soon as what is unsent has left."""

    def cut(self) -> None:
        """Close the socket at once."""

    def look_after(self) -> None:
        """Find out whether the client is alive; called once a second."""

    def drop_unfinished(self) -> None:
        """Disconnect the client for what it has begun to say and not finished."""

    def hold_to(self, roles: Roles) -> None:
        """Do from now on what these rules say, or go."""


class Bus:
    """One bus: its hub and its connections. Needs a running event loop."""

    def __init__(self, config: BusConfig, roles: Roles | None = None) -> None:
        """
        Args:
            config: The settings.
            roles: Who may do what; ``None`` lets everybody who gets in do everything.
        """
        self.roles = roles
        self.config = config
        self.hub = Hub(config.limits)
        self.access = config.access
        self.refusals = Throttles(lines=1)  # by status and address
        self.complaints = Throttles()  # about clients, by their address
        self.forbidden = Onces()  # types that clients may not publish
        self.lobby = Lobby(crowded_out=self._count_crowded_out)
        self.reserve = Reserve()
        self._drafts: Drafts[Connection] = Drafts(config.max_total_backlog)
        self.stopping = False
        self._loop = asyncio.get_running_loop()
        self._numbers = itertools.count(1)
        self._connections: set[Connection] = set()
        self._hung_up: set[Connection] = set()  # of these, who has left the hub and is listened to
        self._eased = asyncio.Event()
        self._empty = asyncio.Event()
        self._watch = self._loop.create_task(self._expire())

    def number(self) -> int:
        """Return the number of the next client; no two clients of a daemon share one."""
        return next(self._numbers)

    def join(
        self, name: str, connection: Connection, role: Role | None, subscribes: bool
    ) -> Outbox:
        """Let a client in and greet it; if it is to subscribe, it hears nothing until it does."""
        self._connections.add(connection)
        return self.hub.join(name, connection, GREETING, may_hear(role), subscribes)

    def change_roles(self, roles: Roles) -> None:
        """Hold everybody, those who are in already, too, to other rules."""
        self.roles = roles
        self.forbidden = Onces()
        for connection in tuple(self._connections):
            connection.hold_to(roles)

    @property
    def full(self) -> bool:
        """Whether as many have joined as may."""
        return len(self.hub) + len(self._hung_up) >= self.config.max_connections

    def hung_up(self, connection: Connection, outbox: Outbox) -> None:
        """Take note that a client hears nothing any more, and may still have said something."""
        self.hub.leave(outbox)
        self._hung_up.add(connection)

    def unfinished(self, connection: Connection, size: int) -> None:
        """Take note of how much a client has begun to say and not finished, in bytes."""
        for largest in self._drafts.note(connection, size):
            largest.drop_unfinished()

    def gone(self, connection: Connection) -> None:
        """Take note that a connection is closed."""
        self.unfinished(connection, 0)
        self._connections.discard(connection)
        self._hung_up.discard(connection)
        if not self._connections:
            self._empty.set()

    def clients(self) -> list[tuple[Who, Tally]]:
        """List who is joined, in the order of joining, and what each has said and heard."""
        in_order = sorted(self._connections, key=lambda connection: connection.who.number)
        return [(c.who, self.hub.tally(c.outbox)) for c in in_order if c.outbox]

    def publish(self, text: str, type_: str, more: bool = False) -> int:
        """
        Publish a message of a type, and return the size of its frame in bytes.

        Args:
            text: The message.
            type_: Its type.
            more: Whether its sender has said more in the same breath.
        """
        frame = text_frame(text.encode())
        if self.hub.publish(frame, type_, more):
            self._loop.call_soon(self.hub.end_turn)
        return len(frame)

    def written(self, outbox: Outbox) -> None:
        """Take note that a kept chunk has left, and wake the senders who wait for that."""
        self.hub.written(outbox)
        if not self.hub.congested:
            self._eased.set()

    async def ease(self, pace: Pace) -> None:
        """Wait until the clients that are behind have caught up, or the sender has new credit."""
        self.hub.counters.paused += 1
        while self.hub.congested and pace.exhausted:
            self._eased.clear()
            await _wait(self._eased, LOOK_AGAIN_INTERVAL)

    async def stop(self, seconds: float) -> None:
        """
        Send what is unsent, close every connection with 1001, and wait for it.

        Args:
            seconds: After this, connections that are still open are cut.
        """
        self.stopping = True
        self._watch.cancel()
        self.hub.end_turn()
        for connection in tuple(self._connections):
            connection.go_away()
        if self._connections:
            self._empty.clear()
            await _wait(self._empty, seconds)
        for connection in tuple(self._connections):
            connection.cut()
        if self._connections:
            await _wait(self._empty, CUT_SECONDS)  # for the lines of the log

    async def _expire(self) -> None:
        while True:
            await asyncio.sleep(EXPIRE_INTERVAL)
            self.hub.expire()
            for connection in tuple(self._connections):
                connection.look_after()

    def _count_crowded_out(self) -> None:
        self.hub.counters.crowded_out += 1


def may_hear(role: Role | None) -> Types | None:
    """Tell which types a client may be sent; ``None`` is all of them."""
    return None if role is None or role.subscribe.everything else role.subscribe


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except asyncio.TimeoutError:
        return
