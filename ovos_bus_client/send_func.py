"""Put one message on the bus, without a client."""

from __future__ import annotations

from typing import Any

from ovos_bus_client import _oneshot
from ovos_bus_client._core.coerce import to_message

__all__ = ["send"]


def send(
    message_to_send: Any,
    data_to_send: dict[str, Any] | None = None,
    *,
    timeout: float = _oneshot.TIMEOUT,
) -> None:
    """
    Put one message on the bus of ``mycroft.conf``; when this returns, the bus has taken it.

    The message goes without a session unless it has one, so it speaks for the device itself (S1).

    Args:
        message_to_send: The type; or a `Message`, a dict with ``type``, ``data`` and ``context``,
            or JSON of that.
        data_to_send: The data, or what is laid over the message's.
        timeout: Seconds for all of it.

    Raises:
        OSError: If there is no bus; `NotDelivered` if it did not confirm the message.
        websocket.WebSocketException: If what is there refuses us, or is no bus.
        ValueError: If there is no message in what was given; `MalformedMessage` if it is one that
            cannot be sent.
    """
    _oneshot.deliver([to_message(message_to_send, data_to_send).serialize()], timeout=timeout)
