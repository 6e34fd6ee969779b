"""
Whether the bus is alive: one that says nothing for long is asked, and without an answer it is dead.

Whatever arrives is a sign of life, not only the answer: a bus that has much to say may answer late.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from time import monotonic

# Who looks so much later than it was to, in seconds, was kept from listening itself: by a handler
# that blocks the loop, or on a machine that has too much to do. The bus is asked once more then.
LATE = 1.0

# Why a dead bus is left, as the log says it.
NO_ANSWER = "it answers no ping"

# How soon there is another look if a question could not be asked, in seconds.
SOON = 0.1


class Sign(enum.Enum):
    """What `Pulse.feel` finds."""

    ALIVE = enum.auto()
    ASK = enum.auto()  #: send a ping now, and tell `Pulse.asked`
    DEAD = enum.auto()


class Pulse:
    """The signs of life on one connection."""

    def __init__(
        self, interval: float, timeout: float, clock: Callable[[], float] = monotonic
    ) -> None:
        """
        Args:
            interval: Seconds of silence after which the bus is asked.
            timeout: Seconds it has to say something then.
        """
        self._interval, self._timeout, self._clock = interval, timeout, clock
        self.heard()

    def heard(self) -> None:
        """Take note that something has arrived."""
        self._asked, self._due = False, self._clock() + self._interval

    def asked(self) -> None:
        """Take note that a ping has left."""
        self._asked, self._due = True, self._clock() + self._timeout

    @property
    def patience(self) -> float:
        """In how many seconds to feel it if nothing arrives until then."""
        return max(self._due - self._clock(), SOON)

    def feel(self) -> Sign:
        """Find out how the bus does, when nothing has arrived for a while."""
        late = self._clock() - self._due
        if late < 0:
            return Sign.ALIVE
        return Sign.DEAD if self._asked and late < LATE else Sign.ASK
