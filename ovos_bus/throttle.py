"""Log lines now and then, or once each, and a count of those that were left out."""

from __future__ import annotations

import time
from collections.abc import Callable

# Often enough to notice, seldom enough for a log on an SD card.
INTERVAL = 10.0


# What one peer may cause in an interval, over however many connections: several programs with a
# fault each are all named, and one that connects again and again is not named for ever.
LINES_PER_PEER = 5

# So many different things are told one by one, before they are told now and then like others: more
# than a program has, and a hostile one could make up any number.
ROOM = 32

# Clients of one entry of the access file that are told apart: an installation has a dozen programs.
CLIENTS = 32

# Peers that are told apart; who comes when all are taken shares one throttle with the like.
PEERS = 256


class Throttle:
    """Allows some lines per interval."""

    __slots__ = ("_clock", "_ends_at", "_interval", "_left", "_lines", "_unsaid")

    def __init__(
        self,
        interval: float = INTERVAL,
        clock: Callable[[], float] = time.monotonic,
        lines: int = 1,
    ) -> None:
        """
        Args:
            interval: Seconds.
            lines: How many to allow in each.
        """
        self._interval, self._clock, self._lines = interval, clock, lines
        self._ends_at = clock()
        self._left = 0
        self._unsaid = 0

    @property
    def forgettable(self) -> bool:
        """Whether a new one would say the same from now on."""
        return self._clock() >= self._ends_at and not self._unsaid

    def more(self) -> str | None:
        """
        Ask for a line.

        Returns:
            What to end the line with: an empty string, or how many lines were left out before it.
            ``None`` if this line is to be left out, too.
        """
        now = self._clock()
        if now >= self._ends_at:
            self._ends_at = now + self._interval
            self._left = self._lines
        if not self._left:
            self._unsaid += 1
            return None
        self._left -= 1
        unsaid, self._unsaid = self._unsaid, 0
        return f" (and {unsaid} more since the last such line)" if unsaid else ""


class Throttles:
    """
    A throttle for each peer, so that nobody evades one by connecting again.

    The table is bounded: those that have nothing to remember are forgotten when there is no room,
    and who finds none nevertheless is held to the throttle of `others`.
    """

    __slots__ = ("_clock", "_interval", "_lines", "_peers", "others")

    def __init__(
        self,
        interval: float = INTERVAL,
        clock: Callable[[], float] = time.monotonic,
        lines: int = LINES_PER_PEER,
    ) -> None:
        """
        Args:
            interval: Seconds.
            lines: How many to allow each peer in an interval.
        """
        self._interval, self._clock, self._lines = interval, clock, lines
        self._peers: dict[str, Throttle] = {}
        self.others = Throttle(interval, clock, lines)

    def __len__(self) -> int:
        return len(self._peers)

    def more(self, peer: str) -> str | None:
        """Ask for a line about a peer, as `Throttle.more` does."""
        throttle = self._peers.get(peer)
        if throttle is None:
            if len(self._peers) >= PEERS:
                self._forget()
            if len(self._peers) >= PEERS:
                return self.others.more()
            throttle = self._peers[peer] = Throttle(self._interval, self._clock, self._lines)
        return throttle.more()

    def _forget(self) -> None:
        self._peers = {
            peer: throttle for peer, throttle in self._peers.items() if not throttle.forgettable
        }


class Once:
    """Allows a line about each thing once, and about more things than there is room for seldom."""

    __slots__ = ("_overflow", "_told")

    def __init__(
        self, interval: float = INTERVAL, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._told: set[str] = set()
        self._overflow = Throttle(interval, clock)

    def more(self, thing: str) -> str | None:
        """Ask for a line about a thing, as `Throttle.more` does."""
        if thing in self._told:
            return None
        if len(self._told) < ROOM:
            self._told.add(thing)
            return ""
        return self._overflow.more()


class Onces:
    """
    A `Once` for each client of each of those whom the access file names, of whom there are few.

    One entry may have any number of clients, all local ones for example. So many are told apart;
    who comes later shares one throttle with the like, so that connecting again and again, each
    time as somebody else, fills neither the log nor the memory.
    """

    __slots__ = ("_clock", "_entries", "_interval")

    def __init__(
        self, interval: float = INTERVAL, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._interval, self._clock = interval, clock
        self._entries: dict[str, tuple[dict[str, Once], Throttle]] = {}

    def more(self, entry: str, client: str, thing: str) -> str | None:
        """
        Ask for a line about a thing, as `Throttle.more` does.

        Args:
            entry: The name in the access file; empty for those who have none.
            client: What tells its clients apart, and stays when one connects again.
            thing: What they did.
        """
        if entry not in self._entries:
            self._entries[entry] = {}, Throttle(self._interval, self._clock)
        clients, others = self._entries[entry]
        once = clients.get(client)
        if once is None:
            if len(clients) >= CLIENTS:
                return others.more()
            once = clients[client] = Once(self._interval, self._clock)
        return once.more(thing)
