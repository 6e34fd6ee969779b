"""
Messages that were begun and not finished, of all clients together.

One client may have one of the largest messages under way. A thousand that each begin one and stop
would hold the memory of the machine, so beyond a limit for all, the one with the most has to go.
"""

from __future__ import annotations

from typing import Generic, TypeVar

Who = TypeVar("Who")


class Drafts(Generic[Who]):
    """Who has begun how much."""

    __slots__ = ("_sizes", "limit", "total")

    def __init__(self, limit: int) -> None:
        """
        Args:
            limit: Bytes for all together.
        """
        self.limit = limit
        self.total = 0  #: bytes now
        self._sizes: dict[Who, int] = {}

    def note(self, who: Who, size: int) -> list[Who]:
        """
        Take note of what somebody has begun, and return those who have to go for it.

        Args:
            size: Bytes kept of it now; 0 when it is finished, or its sender is gone.
        """
        self._set(who, size)
        too_much = []
        while self.total > self.limit:
            largest = max(self._sizes, key=self._sizes.__getitem__)
            self._set(largest, 0)
            too_much.append(largest)
        return too_much

    def _set(self, who: Who, size: int) -> None:
        self.total += size - self._sizes.pop(who, 0)
        if size:
            self._sizes[who] = size
