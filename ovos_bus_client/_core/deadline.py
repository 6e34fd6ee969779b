"""One point in time that a wait of many steps counts down to."""

from __future__ import annotations

import time
from collections.abc import Callable


class Deadline:
    """
    A point in time, or none.

    Attributes:
        remaining: Seconds that are left, never below 0; ``None`` if there is no end.
    """

    __slots__ = ("_at", "_clock")

    def __init__(self, seconds: float | None, clock: Callable[[], float] = time.monotonic) -> None:
        """
        Args:
            seconds: From now on; ``None`` never ends.
            clock: Any clock that does not go back.
        """
        self._clock = clock
        self._at = None if seconds is None else clock() + seconds

    @property
    def remaining(self) -> float | None:
        return None if self._at is None else max(0.0, self._at - self._clock())

    @property
    def passed(self) -> bool:
        """Whether nothing is left."""
        return self.remaining == 0.0

    def at_most(self, seconds: float) -> float:
        """Return what is left, but not more than ``seconds``."""
        remaining = self.remaining
        return seconds if remaining is None else min(seconds, remaining)
