"""
The message: a type, data, and the context that says where it comes from and where it goes.

The rules (M1 to M9) are those of the OVOS message specification. Derivations return new messages:
neither the original nor its context is shared with them or changed by them.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from ovos_bus_client._compat import MessageBase
from ovos_bus_client._core import codec, flat
from ovos_bus_client._core.event_status import status_data
from ovos_bus_client.encryption import decrypt_from_dict, encrypt_as_dict
from ovos_bus_client.errors import MalformedMessage

__all__ = [
    "DEFAULT_SESSION_ID",
    "CollectionMessage",
    "GUIMessage",
    "MalformedMessage",
    "Message",
    "decrypt_from_dict",
    "dig_for_message",
    "encrypt_as_dict",
]

log = logging.getLogger(__name__)

# The session of the device itself, which is also meant when a message carries none (S1).
DEFAULT_SESSION_ID = "default"

# M3: words of letters, digits, _ and -, joined by single dots; one colon makes a dispatch topic.
_WORDS = r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*"
_WELL_FORMED = re.compile(rf"{_WORDS}(?::{_WORDS})?\Z")


class Message(MessageBase):
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
        _expect_type(self.msg_type)
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
        type_, data, context = codec.parts(value)
        return Message(type_, status_data(type_, data), context)

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


class CollectionMessage(Message):
    """
    A question that is put to many, as one of their handlers gets it.

    What `success`, `failure` and `extend` return is a message to emit; none of them emits it.

    Attributes:
        handler_id: Who answers, unique among all who do.
        query_id: Which question it is.
    """

    def __init__(
        self,
        msg_type: str,
        handler_id: str,
        query_id: str,
        data: dict[str, Any] | None = None,
        context: dict[str, Any] | None = None,
    ) -> None:
        """
        Args:
            msg_type: The type of the question.
            handler_id: Who answers.
            query_id: Which question it is.
            data: Kept as it is, not copied. ``None`` is an empty object.
            context: Kept as it is, not copied. ``None`` is an empty object.

        Raises:
            MalformedMessage: If data or context is no dict.
        """
        super().__init__(msg_type, data, context)
        self.handler_id = handler_id
        self.query_id = query_id

    @classmethod
    def from_message(cls, message: Message, handler_id: str, query_id: str) -> CollectionMessage:
        """Return ``message`` as the question that ``handler_id`` answers, with copied contents."""
        return cls(
            message.msg_type,
            handler_id,
            query_id,
            codec.clone(message.data),
            codec.clone(message.context),
        )

    def success(
        self, data: dict[str, Any] | None = None, context: dict[str, Any] | None = None
    ) -> Message:
        """
        Derive the answer of a handler that has one.

        Args:
            data: The answer, copied.
            context: Laid over the copy of this context before source and destination swap.
        """
        return self._answer(True, data, context)

    def failure(
        self, data: dict[str, Any] | None = None, context: dict[str, Any] | None = None
    ) -> Message:
        """
        Derive the answer of a handler that has none, so that nobody waits for it.

        Args:
            data: More about it, copied.
            context: Laid over the copy of this context before source and destination swap.
        """
        return self._answer(False, data, context)

    def extend(self, timeout: float) -> Message:
        """
        Derive the promise to answer later than was promised first.

        Args:
            timeout: Seconds that the handler may still need.
        """
        return self.reply(f"{self.msg_type}.handling", self._answering() | {"timeout": timeout})

    def _answering(self) -> dict[str, Any]:
        return {"query": self.query_id, "handler": self.handler_id}

    def _answer(
        self, succeeded: bool, data: dict[str, Any] | None, context: dict[str, Any] | None
    ) -> Message:
        marks = self._answering() | {"succeeded": succeeded}
        return self.response((data or {}) | marks, context)


class GUIMessage(Message):
    """
    A message between the GUI service and a screen: flat on the wire, and without a context.

    Attributes:
        data: Everything but the type, as JSON values; ``data["data"]`` need not be an object.
    """

    def __init__(self, msg_type: str, **kwargs: Any) -> None:
        """
        Args:
            msg_type: The type.
            kwargs: The data.
        """
        super().__init__(msg_type, kwargs)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.msg_type!r}, **{self.data!r})"

    @property
    def as_dict(self) -> dict[str, Any]:
        """The message as it would arrive: ``{"type": ..., **data}``."""
        type_, data = flat.parts(self.serialize())
        return {"type": type_} | data

    def serialize(self) -> str:
        """
        Write the message as JSON, the data beside the type.

        Raises:
            MalformedMessage: If the type is empty or no string, if there is a ``type`` in data,
                too, if a number is not finite (M5), or if something has no JSON form.
        """
        _expect_type(self.msg_type)
        if "type" in self.data:
            raise MalformedMessage("data.type has no place in a GUI message: it is the type's")
        return codec.encode({"type": self.msg_type, **self.data})

    @staticmethod
    def deserialize(value: str | bytes | Mapping[str, Any]) -> GUIMessage:
        """
        Read a message.

        Args:
            value: JSON, or what JSON would be parsed to. Everything but the type is data.

        Raises:
            MalformedMessage: If it is no object with a type.
        """
        type_, data = flat.parts(value)
        message = GUIMessage(type_)
        message.data = data  # not as arguments: a key may have the name of one
        return message


def dig_for_message(max_records: int = 10) -> Message | None:
    """
    Find the message that is being handled: the nearest caller's argument that is a `Message`.

    Only named parameters count, not ``*args``, ``**kwargs`` or other local variables.

    Args:
        max_records: How many callers to look at, the nearest first.
    """
    frame = sys._getframe().f_back
    while frame is not None and max_records > 0:
        code = frame.f_code
        named = code.co_argcount + code.co_kwonlyargcount
        if named:
            values = frame.f_locals
            for name in code.co_varnames[:named]:
                value = values.get(name)
                if isinstance(value, Message):
                    return value
        frame = frame.f_back
        max_records -= 1
    return None


def _expect_type(msg_type: object) -> None:
    """Make sure that a message can be sent under this type (M1); warn of an odd one (M9)."""
    if not isinstance(msg_type, str) or not msg_type:
        raise MalformedMessage(f"type is {msg_type!r}, expected a non-empty string")
    _check_type(msg_type)


@lru_cache(maxsize=1024)
def _check_type(msg_type: str) -> None:
    """Warn of a type that breaks M3; it is sent all the same (M9). Cached: once for each type."""
    if not _WELL_FORMED.match(msg_type):
        log.warning("the message type %s breaks the rules for types (M3)", ascii(msg_type))
