"""
The message: a type, data, and the context that says where it comes from and where it goes.

The rules (M1 to M9) are those of the OVOS message specification. Derivations return new messages:
neither the original nor its context is shared with them or changed by them.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from ovos_bus_client._core import codec
from ovos_bus_client.errors import MalformedMessage

__all__ = ["MalformedMessage", "Message"]

log = logging.getLogger(__name__)

# M3: words of letters, digits, _ and -, joined by single dots; one colon makes a dispatch topic.
_WORDS = r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*"
_WELL_FORMED = re.compile(rf"{_WORDS}(?::{_WORDS})?\Z")


class Message:
    """
    A message of the bus.

    Attributes:
        msg_type: What it says, ``"speak"`` for example; the topic that handlers listen to.
        data: What is said, as JSON values. Never ``None``.
        context: About the message: ``source``, ``destination``, ``session`` and whatever else
            travels along. Never ``None``.
    """

    def __init__(
        self,
        msg_type: str,
        data: dict[str, Any] | None = None,
        context: dict[str, Any] | None = None,
    ) -> None:
        """
        Args:
            msg_type: The type.
            data: Kept as it is, not copied. ``None`` is an empty object.
            context: Kept as it is, not copied. ``None`` is an empty object.

        Raises:
            MalformedMessage: If data or context is no dict.
        """
        data, context = data or {}, context or {}
        if not isinstance(data, dict):
            raise MalformedMessage(f"data is not a dict but {type(data).__name__}")
        if not isinstance(context, dict):
            raise MalformedMessage(f"context is not a dict but {type(context).__name__}")
        self.msg_type = msg_type
        self.data = data
        self.context = context

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Message):
            return NotImplemented
        return (self.msg_type, self.data, self.context) == (
            other.msg_type,
            other.data,
            other.context,
        )

    # Messages may be kept in sets and weak dictionaries: each is itself, whatever it says today.
    __hash__ = object.__hash__

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.msg_type!r}, {self.data!r}, {self.context!r})"

    @property
    def as_dict(self) -> dict[str, Any]:
        """The message as it would arrive: ``{"type": ..., "data": ..., "context": ...}``."""
        type_, data, context = codec.parts(self.serialize())
        return {"type": type_, "data": data, "context": context}

    def serialize(self) -> str:
        """
        Write the message as JSON with exactly the keys of M2.

        An object in data or context with a ``serialize`` method is written as what that returns.

        Raises:
            MalformedMessage: If the type is empty or no string, a number is not finite (M5), or
                something has no JSON form.
        """
        if not isinstance(self.msg_type, str) or not self.msg_type:
            raise MalformedMessage(f"type is {self.msg_type!r}, expected a non-empty string")
        _check_type(self.msg_type)
        return codec.encode({"type": self.msg_type, "data": self.data, "context": self.context})

    @staticmethod
    def deserialize(value: str | bytes | Mapping[str, Any]) -> Message:
        """
        Read a message.

        Args:
            value: JSON, or what JSON would be parsed to. Unknown keys are ignored (M2); absent
                data and context are empty (M1).

        Raises:
            MalformedMessage: If it is none (M4, M5).
        """
        return Message(*codec.parts(value))

    def forward(self, msg_type: str, data: dict[str, Any] | None = None) -> Message:
        """
        Derive a message that goes on in the same direction: the context stays as it is.

        Args:
            msg_type: Its type.
            data: Its data, copied.
        """
        return Message(msg_type, codec.clone(data), codec.clone(self.context))

    def reply(
        self,
        msg_type: str,
        data: dict[str, Any] | None = None,
        context: dict[str, Any] | None = None,
    ) -> Message:
        """
        Derive a message that goes back where this one came from.

        Source and destination change places. If only one of them is set, the other becomes the
        same: the answer to a broadcast keeps its source and gains a destination. Of several
        destinations the first becomes the source.

        Args:
            msg_type: Its type.
            data: Its data, copied.
            context: Laid over the copy of this context before source and destination swap.
        """
        derived: dict[str, Any] = codec.clone(self.context)
        if context:
            derived.update(codec.clone(context))
        source, destination = derived.get("source"), derived.get("destination")
        if isinstance(destination, list | tuple):
            destination = destination[0] if destination else None
        if destination:
            derived["source"] = destination
        if source:
            derived["destination"] = source
        return Message(msg_type, codec.clone(data), derived)

    def response(
        self, data: dict[str, Any] | None = None, context: dict[str, Any] | None = None
    ) -> Message:
        """
        Derive the answer to this message: a reply of type ``<type>.response``.

        A type that ends in ``.response`` or holds a ``:`` has no such answer; use `reply`.
        """
        return self.reply(self.msg_type + ".response", data, context)

    def publish(
        self,
        msg_type: str,
        data: dict[str, Any] | None = None,
        context: dict[str, Any] | None = None,
    ) -> Message:
        """
        Derive a message for everybody: the context with ``context`` laid over it, less ``target``.

        Kept for older programs; `forward` is what a new one wants.
        """
        derived: dict[str, Any] = codec.clone(self.context)
        if context:
            derived.update(codec.clone(context))
        derived.pop("target", None)
        return Message(msg_type, codec.clone(data), derived)


@lru_cache(maxsize=1024)
def _check_type(msg_type: str) -> None:
    """Warn of a type that breaks M3; it is sent all the same (M9). Cached: once for each type."""
    if not _WELL_FORMED.match(msg_type):
        log.warning("the message type %s breaks the rules for types (M3)", ascii(msg_type))
