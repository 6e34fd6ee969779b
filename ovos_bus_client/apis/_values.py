"""What a screen shows: values that tell when they are changed. Knows no bus."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from ovos_bus_client._core import codec
from ovos_bus_client.errors import MalformedMessage


class Owner(Protocol):
    """Who is told of a change: a ``GUIInterface``."""

    def _sync_data(self) -> None: ...


class _GUIDict(dict[str, Any]):
    """
    A dict among the values of a screen: setting an item of it tells the screen.

    To a `Message` it is a dict; a copy of it is a plain one. What lies deeper in it, and lists,
    are those of the program, and what is changed there goes to the screen with the next change.

    Attributes:
        gui: Who is told; ``None`` is nobody.
    """

    def __init__(
        self, gui: Owner | None, values: Mapping[str, Any] | None = None, /, **more: Any
    ) -> None:
        """
        Args:
            gui: Who is told; ``None`` is nobody.
            values: What it holds, copied.
            more: What else it holds.
        """
        super().__init__(values or {}, **more)
        self.gui = gui

    def __setitem__(self, key: str, value: Any) -> None:
        self._change(lambda: dict.__setitem__(self, key, value))

    def __delitem__(self, key: str) -> None:
        self._change(lambda: dict.__delitem__(self, key))

    def __ior__(self, other: Any) -> _GUIDict:  # type: ignore[override,misc]
        self.update(other)
        return self

    def __copy__(self) -> dict[str, Any]:
        return dict(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[str, Any]:
        copied: dict[str, Any] = codec.clone(dict(self))
        return copied

    def __reduce__(self) -> tuple[Any, ...]:
        return dict, (dict(self),)

    def update(self, *args: Any, **kwargs: Any) -> None:
        """As of a dict; the screen is told once."""
        self._change(lambda: dict.update(self, *args, **kwargs))

    def setdefault(self, key: str, default: Any = None) -> Any:
        """As of a dict."""
        if key not in self:
            self[key] = default
        return self[key]

    def pop(self, key: str, *default: Any) -> Any:
        """As of a dict."""
        return self._change(lambda: dict.pop(self, key, *default))

    def popitem(self) -> tuple[str, Any]:
        """As of a dict."""
        item: tuple[str, Any] = self._change(lambda: dict.popitem(self))
        return item

    def clear(self) -> None:
        """As of a dict."""
        self._change(lambda: dict.clear(self))

    def _change(self, change: Callable[[], Any]) -> Any:
        before = dict(self)
        result = change()
        if self.gui is not None:
            try:
                self.gui._sync_data()
            except MalformedMessage:
                # Or it would stand in the way of everything that follows.
                dict.clear(self)
                dict.update(self, before)
                raise
        return result


def written(values: Mapping[str, Any], skill_id: str) -> str:
    """
    Write values as JSON, together with whose they are.

    Raises:
        MalformedMessage: If one of them has no JSON form; it names which.
    """
    try:
        return codec.encode({**values, "__from": skill_id})
    except MalformedMessage:
        for key, value in values.items():
            _check(key, value)
        raise


def _check(key: str, value: Any) -> None:
    try:
        codec.encode({key: value})
    except MalformedMessage as problem:
        raise MalformedMessage(f"gui[{key!r}]: {problem.reason}") from None
