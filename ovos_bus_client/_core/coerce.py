"""What people write where a message is expected, made into one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ovos_bus_client._core import codec
from ovos_bus_client.message import Message


def to_message(
    value: Any, data: Mapping[str, Any] | None = None, context: Mapping[str, Any] | None = None
) -> Message:
    """
    Return a new message that shares nothing with what it was made from.

    Args:
        value: A `Message` or anything like one (``msg_type``, ``data``, ``context``), an object
            with the keys ``type``, ``data`` and ``context``, JSON of such an object, or the type.
        data: Laid over the message's data.
        context: Laid over the message's context.

    Raises:
        ValueError: If it is nothing of the kind; `MalformedMessage` if it is a broken one.
    """
    message = _read(value)
    message.data.update(codec.clone(dict(data or {})))
    message.context.update(codec.clone(dict(context or {})))
    return message


def _read(value: Any) -> Message:
    if isinstance(value, str) and value:
        return Message.deserialize(value) if value.lstrip().startswith("{") else Message(value)
    if isinstance(value, Mapping):
        return Message.deserialize(codec.clone(dict(value)))
    if all(hasattr(value, name) for name in ("msg_type", "data", "context")):
        return Message(value.msg_type, codec.clone(value.data), codec.clone(value.context))
    raise ValueError(f"{value!r} is no message, expected a Message, a dict, JSON or a type")
