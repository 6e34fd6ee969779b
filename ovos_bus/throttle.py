"""One log line now, and a count of those that were left out."""

from __future__ import annotations

import time
from collections.abc import Callable

# Often enough to notice, seldom enough for a log on an SD card.
INTERVAL = 10.0


class Throttle:
    """Allows one line per interval."""

    __slots__ = ("_clock", "_interval", "_next_at", "_unsaid")

    def __init__(
        self, interval: float = INTERVAL, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """
        Args:
            interval: Seconds between two lines.
        """
        self._interval, self._clock = interval, clock
        self._next_at = clock()
        self._unsaid = 0

    def more(self) -> str | None:
        """
        Ask for a line.

        Returns:
            What to end the line with: an empty string, or how many lines were left out before it.
            ``None`` if this line is to be left out, too.
        """
        now = self._clock()
        if now < self._next_at:
            self._unsaid += 1
            return None
        unsaid, self._unsaid = self._unsaid, 0
        self._next_at = now + self._interval
        return f" (and {unsaid} more since the last such line)" if unsaid else ""
