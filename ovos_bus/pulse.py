"""
Whether a client is alive: who says nothing for long is asked, and who does not answer is dead.

A machine that lost its power closes nothing. Whatever arrives is a sign of life, not only the
answer, and a client is not judged while we do not read what it says, or while it has unread data:
for that it has another limit (`ovos_bus.outbox`).
"""

from __future__ import annotations

import enum
import time
from collections.abc import Callable


class Sign(enum.Enum):
    """What `Pulse.feel` finds."""

    ALIVE = enum.auto()
    ASK = enum.auto()  #: send it a ping now
    DEAD = enum.auto()


class Pulse:
    """
    One client's signs of life.

    Attributes:
        heard: Set by whoever hears something; cleared by `feel`.
    """

    __slots__ = ("_asked", "_clock", "_interval", "_since", "_timeout", "heard")

    def __init__(
        self, interval: float, timeout: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """
        Args:
            interval: Seconds of silence after which the client is asked; 0 never asks.
            timeout: Seconds it has to answer.
        """
        self._interval, self._timeout, self._clock = interval, timeout, clock
        self._since = clock()  # of the silence, or of the question
        self._asked = False
        self.heard = False

    def feel(self, excused: bool = False) -> Sign:
        """
        Find out how the client does. To be called about once a second.

        Args:
            excused: Whether its silence is no fault of its own.
        """
        if self.heard or excused or not self._interval:
            self.heard = self._asked = False
            self._since = self._clock()
            return Sign.ALIVE
        silence = self._clock() - self._since
        if self._asked:
            return Sign.DEAD if silence >= self._timeout else Sign.ALIVE
        if silence < self._interval:
            return Sign.ALIVE
        self._asked = True
        self._since = self._clock()
        return Sign.ASK
