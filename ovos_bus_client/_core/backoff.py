"""How long to wait before the next attempt to connect."""

from __future__ import annotations

import random
from collections.abc import Callable

FIRST = 0.1  # seconds: a bus that restarts is back about now

# On this machine an attempt costs a millisecond, and a user is waiting; so the delay grows slowly,
# and not to much. Elsewhere it may be many clients and a weak link.
LOCAL_FACTOR, LOCAL_CAP = 1.15, 1.0
REMOTE_FACTOR, REMOTE_CAP = 1.7, 60.0

# The dice favour some: of two who lost the bus at once, one may be at a pause that is almost twice
# as long as the other's last, and one step further.
UNLIKE = 2.0

# To greet takes its time, too. And who is elsewhere may be away for a minute yet; those who are
# here wait less for that one, in seconds.
GREETING, PATIENCE = 0.1, 5.0


class Backoff:
    """
    Delays that grow from 0.1 s to a cap, each less up to a half.

    The random part keeps the clients of a bus that restarts from coming all at once.

    Attributes:
        longest: The longest that the last delay could have been, in seconds; 0 if there was none.
    """

    def __init__(self, local: bool, rand: Callable[[], float] = random.random) -> None:
        """
        Args:
            local: Whether the bus is on this machine.
            rand: Returns numbers from 0 to 1.
        """
        self._factor = LOCAL_FACTOR if local else REMOTE_FACTOR
        self._cap = LOCAL_CAP if local else REMOTE_CAP
        self._rand = rand
        self.reset()

    def reset(self) -> None:
        """Begin anew: there was a connection."""
        self.longest = 0.0

    @property
    def others(self) -> float:
        """
        How long whoever lost the bus when we did may need still when we are back, in seconds.

        Beyond 5 s nobody is waited for, and after no delay there was nothing to lose.
        """
        if not self.longest:
            return 0.0
        return min(UNLIKE * self._factor * self.longest, self._cap, PATIENCE) + GREETING

    def next_delay(self) -> float:
        """Return how long to wait now, in seconds."""
        self.longest = min(self.longest * self._factor, self._cap) if self.longest else FIRST
        return self.longest * (1 - self._rand() / 2)


def is_local(host: str) -> bool:
    """Return whether a host is this machine, as far as its name tells."""
    return host in ("localhost", "::1") or host.startswith(("127.", "unix:"))
