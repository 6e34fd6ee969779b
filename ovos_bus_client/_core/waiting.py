"""Waiting for what handlers do, on a bus with threads and on one without."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any


def wait_until(
    bus: Any, change: threading.Condition, done: Callable[[], bool], timeout: float | None
) -> bool:
    """
    Wait until something holds.

    Args:
        bus: Where the handlers listen. One without threads (`ovos_bus_client.testing.FakeBus`)
            delivers meanwhile.
        change: Notified by the handlers whenever it may hold.
        done: Whether it holds.
        timeout: Seconds; ``None`` waits for ever.

    Returns:
        Whether it held in time.
    """
    deliver_until = getattr(type(bus), "deliver_until", None)
    if deliver_until is not None:
        return bool(deliver_until(bus, done, timeout))
    with change:
        return change.wait_for(done, timeout)
