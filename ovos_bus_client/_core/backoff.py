"""How long to wait before the next attempt to connect."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

FIRST = 0.1  # seconds: a bus that restarts is back about now
FACTOR = 1.7
# On this machine an attempt costs nothing; elsewhere it may be many clients and a weak link.
LOCAL_CAP = 5.0
REMOTE_CAP = 60.0


def delays(cap: float, rand: Callable[[], float] = random.random) -> Iterator[float]:
    """
    Yield delays in seconds, for ever: growing from 0.1 to ``cap``, each less up to a half.

    The random part keeps the clients of a bus that restarts from coming all at once.

    Args:
        cap: The longest delay in seconds.
        rand: Yields numbers from 0 to 1.
    """
    delay = FIRST
    while True:
        yield delay * (1 - rand() / 2)
        delay = min(delay * FACTOR, cap)


def is_local(host: str) -> bool:
    """Return whether a host is this machine, as far as its name tells."""
    return host in ("localhost", "::1") or host.startswith("127.")
