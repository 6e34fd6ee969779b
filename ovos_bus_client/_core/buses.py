"""What differs from bus to bus: ours has threads, one for tests has none, others know no order."""

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


def listen_in_order(bus: Any, msg_type: str, handler: Callable[..., Any]) -> None:
    """
    Have a handler called with messages in the order of the bus, across all types it listens to.

    Args:
        bus: Where. One that is not ours keeps the order that it has.
        msg_type: The type.
        handler: Called with the message.
    """
    try:
        bus.on(msg_type, handler, ordered=True)
    except TypeError:
        bus.on(msg_type, handler)
