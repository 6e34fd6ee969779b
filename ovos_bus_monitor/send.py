"""Put one message on the bus, and be certain that it left."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any

from ovos_bus_client._core.interest import ORDERS
from ovos_bus_client.message import Message
from ovos_bus_monitor.address import Address
from ovos_bus_monitor.errors import NotRelayed, Refused, Unanswered, Unreachable
from ovos_bus_monitor.link import Link
from ovos_bus_monitor.seen import Malformed, Seen, Sighting
from ovos_bus_monitor.watch import retry_delays


def is_echo(sighting: Sighting, message: Message) -> bool:
    """Tell whether ``sighting`` is ``message``; a bus may write its JSON in its own way."""
    return (
        isinstance(sighting, Seen)
        and sighting.type == message.msg_type
        and _means(sighting.data, message.data)
        and _means(sighting.context, message.context)
    )


def _means(json_text: str, value: dict[str, Any]) -> bool:
    try:
        return bool(json.loads(json_text) == value)
    except (ValueError, RecursionError):  # nothing we can have sent
        return False


def send(
    address: Address, message: Message, reply_type: str | None, timeout: float
) -> Sighting | None:
    """
    Send ``message`` and wait until the bus has relayed it.

    The bus sends every message to every client, its sender included, so what comes back is on
    its way to all of them. An answer is looked for behind that echo only: what passes before it
    answers somebody else.

    Args:
        address: Where the bus is; waited for as long as ``timeout`` allows.
        message: What to send.
        reply_type: The type of the answer to wait for; ``None`` waits for none.
        timeout: Seconds for all of it together.

    Returns:
        The answer, or ``None`` if none was asked for.

    Raises:
        MalformedMessage: If the message cannot be written as JSON.
        Unreachable: If there was no bus in time; at once if it refuses us (`Refused`).
        Lost: If the connection broke on the way.
        NotRelayed: If the message did not come back in time.
        Unanswered: If the answer did not come in time.
    """
    text = message.serialize()
    deadline = time.monotonic() + timeout
    types = [message.msg_type] if reply_type is None else [message.msg_type, reply_type]
    # An order would be carried out and not come back, where somebody may order.
    link = _reach(address, deadline, None if message.msg_type in ORDERS else types)
    try:
        link.send(text)
        try:
            while not is_echo(_next(link, deadline), message):
                pass
        except TimeoutError:
            raise NotRelayed(address.url, timeout) from None
        if reply_type is None:
            return None
        try:
            while True:
                sighting = _next(link, deadline)
                if not isinstance(sighting, Malformed) and sighting.type == reply_type:
                    return sighting
        except TimeoutError:
            raise Unanswered(reply_type, timeout) from None
    finally:
        link.close()


def _reach(address: Address, deadline: float, types: Sequence[str] | None) -> Link:
    """Connect, trying again until ``deadline`` (of the monotonic clock)."""
    delays = retry_delays()
    while True:
        try:
            return Link.open(address, max(deadline - time.monotonic(), 0.001), types)
        except Refused:
            raise  # it is there, and will say the same the next time
        except Unreachable:
            delay = next(delays)
            if time.monotonic() + delay >= deadline:
                raise
            time.sleep(delay)


def _next(link: Link, deadline: float) -> Sighting:
    remaining = deadline - time.monotonic()
    if remaining <= 0:
        raise TimeoutError
    return link.receive(remaining)
