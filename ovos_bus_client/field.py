"""A field of the session as an attribute: what it carries, or the deployment's default."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, Protocol, TypeVar, overload

from ovos_bus_client._core.codec import clone
from ovos_bus_client._core.language import standard_tag
from ovos_bus_client.deployment import Deployment
from ovos_bus_client.intent_context import IntentContextManager

__all__ = ["Container", "Context", "Field", "Language"]

T = TypeVar("T")


class Carrier(Protocol):
    """
    As much of a session as its fields need.

    Attributes:
        _given: What it carries, by wire name.
        _lent: Values that somebody holds and may change, each with what it was copied from.
    """

    _given: dict[str, Any]
    _lent: dict[str, tuple[Any, Any]] | None

    def _lend(self, wire: str, value: Any, base: Any) -> None: ...


class Field(Generic[T]):
    """
    A field of the session that nobody can change in place.

    Reading one that the session does not carry gives the deployment's default. ``None`` takes a
    value back.
    """

    def __init__(self, wire: str = "") -> None:
        self.wire = wire

    def __set_name__(self, owner: type, name: str) -> None:
        self.wire = self.wire or name

    @overload
    def __get__(self, session: None, owner: type) -> Field[T]: ...

    @overload
    def __get__(self, session: Carrier, owner: type) -> T: ...

    def __get__(self, session: Carrier | None, owner: type) -> Field[T] | T:
        if session is None:
            return self
        value = session._given.get(self.wire)
        if value is None:
            value = Deployment()[self.wire]
        read: T = self.read(value)
        return read

    def __set__(self, session: Carrier, value: T | None) -> None:
        if value is None:
            session._given.pop(self.wire, None)
        else:
            session._given[self.wire] = value

    @staticmethod
    def read(value: Any) -> Any:
        return value


class Language(Field[T]):
    """A language tag, read in its usual spelling."""

    @staticmethod
    def read(value: Any) -> Any:
        return standard_tag(value) if value else value


class Container(Field[T]):
    """
    A list or dict. Whoever reads it may change it, which changes the session and nothing else.

    What was read and never changed follows the deployment's default further on.
    """

    @overload
    def __get__(self, session: None, owner: type) -> Container[T]: ...

    @overload
    def __get__(self, session: Carrier, owner: type) -> T: ...

    def __get__(self, session: Carrier | None, owner: type) -> Container[T] | T:
        if session is None:
            return self
        lent = session._lent
        value, base = lent.get(self.wire, (None, None)) if lent else (None, None)
        if value is not None and (self.wire in session._given or value != base):
            return value  # type: ignore[no-any-return]
        found = session._given.get(self.wire)
        if found is None:
            found = Deployment()[self.wire]
            if value is not None and found == base:
                return value  # type: ignore[no-any-return]
        copy: T = clone(found)
        # The default is noted as a copy of its own, because it may be edited in place.
        session._lend(self.wire, copy, clone(found))
        return copy

    def __set__(self, session: Carrier, value: T | None) -> None:
        if session._lent is not None:
            session._lent.pop(self.wire, None)
        super().__set__(session, value)
        if value is not None:
            session._lend(self.wire, value, None)


class Context(Container[IntentContextManager]):
    """The keywords of the conversation, which are an object and not a dict."""

    @overload
    def __get__(self, session: None, owner: type) -> Context: ...

    @overload
    def __get__(self, session: Carrier, owner: type) -> IntentContextManager: ...

    def __get__(self, session: Carrier | None, owner: type) -> Context | IntentContextManager:
        if session is None:
            return self
        lent = session._lent
        if lent and self.wire in lent:
            value, _ = lent[self.wire]
        else:
            found = session._given.get(self.wire)
            value = (
                IntentContextManager() if found is None else IntentContextManager.deserialize(found)
            )
            session._lend(self.wire, value, None)
        assert isinstance(value, IntentContextManager)
        return value

    def __set__(
        self, session: Carrier, value: IntentContextManager | Mapping[str, Any] | None
    ) -> None:
        if session._lent is not None:
            session._lent.pop(self.wire, None)
        session._given.pop(self.wire, None)
        if isinstance(value, IntentContextManager):
            session._lend(self.wire, value, None)
        elif value is not None:
            session._given[self.wire] = clone(dict(value))
