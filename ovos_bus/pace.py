"""
How much one sender may still say while others catch up.

A sender pays for its bytes only while the hub is congested, and its credit grows again with time.
So one that floods is soon out of credit and waits, which TCP turns into a slower sender; one that
speaks now and then never notices.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from ovos_bus.outbox import KIB

# Nothing in a voice assistant speaks so much for long; a burst of results or one picture may.
CREDIT_BYTES = 512 * KIB
REFILL_BYTES_PER_SECOND = 512 * KIB


class Pace:
    """One sender's credit, in bytes."""

    __slots__ = ("_clock", "_credit", "_paid_at")

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._credit = float(CREDIT_BYTES)
        self._paid_at = clock()

    def pay(self, size: int) -> None:
        """Take ``size`` bytes off the credit. The debt is never larger than a full credit."""
        self._refill()
        self._credit = max(self._credit - size, -CREDIT_BYTES)

    @property
    def exhausted(self) -> bool:
        """Whether the sender has to wait."""
        self._refill()
        return self._credit < 0

    def _refill(self) -> None:
        now = self._clock()
        gained = (now - self._paid_at) * REFILL_BYTES_PER_SECOND
        self._credit = min(self._credit + gained, CREDIT_BYTES)
        self._paid_at = now
