"""
Those who have connected and not joined: handshakes that are not finished, and readers of pages.

Each holds a file descriptor. There is room for so many; who comes then takes the place of who has
been there longest, so a thousand that say nothing keep nobody out who says what is expected.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol
from weakref import WeakKeyDictionary

# More than programs of one machine start at once, and few enough to spare.
ROOM = 256


class Visitor(Protocol):
    """A connection, as far as the lobby cares."""

    def closed(self) -> bool:
        """Tell whether it has ended."""

    def close(self) -> None:
        """End it."""


class Lobby:
    """Who is waiting, in the order they came."""

    def __init__(self, room: int = ROOM, crowded_out: Callable[[], None] = lambda: None) -> None:
        """
        Args:
            room: How many may wait.
            crowded_out: Called for each who had to go.
        """
        self._room, self._crowded_out = room, crowded_out
        # In the order they came. Weakly: one that has ended and still stands here would keep the
        # buffers and tracebacks of its end, and a thousand of them would keep the memory.
        self._visitors: WeakKeyDictionary[Visitor, None] = WeakKeyDictionary()

    def __len__(self) -> int:
        return len(self._visitors)

    def enter(self, visitor: Visitor) -> None:
        """Let somebody wait; if there is no room, the one who came first goes."""
        if len(self._visitors) >= self._room:
            self._make_room()
        self._visitors[visitor] = None

    def leave(self, visitor: Visitor) -> None:
        """Take note that somebody joined."""
        self._visitors.pop(visitor, None)

    def _make_room(self) -> None:
        waiting = []
        for visitor in list(self._visitors):
            if visitor.closed():
                self.leave(visitor)
            else:
                waiting.append(visitor)
        for visitor in waiting[: len(waiting) - self._room + 1]:
            self.leave(visitor)
            self._crowded_out()
            visitor.close()
