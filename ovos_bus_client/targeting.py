"""
Targeting: whom a message is meant for.

On the bus everybody hears everything; ``context.destination`` says who should act. A service that
does something outside the bus (speaks, plays, shows) acts on what is for everybody, and on what
names this very device by one of its *native sources*. The rest is for a satellite, or a chat::

    from ovos_bus_client.targeting import targeted

    @targeted
    def on_speak(message):
        speak(message.data["utterance"])
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any, TypeVar, overload

__all__ = ["DEFAULT_NATIVE_SOURCES", "is_targeted", "native_sources", "targeted"]

#: The names of the device itself, if mycroft.conf gives it no others.
DEFAULT_NATIVE_SOURCES = ("debug_cli", "audio", "mycroft-gui")

Handler = TypeVar("Handler", bound=Callable[..., Any])


def native_sources() -> list[str]:
    """
    Return the names of this device: ``Audio.native_sources`` of mycroft.conf, as it is now.

    An empty list means what it says: only what is for everybody is for this device. What is no
    list counts as not given.
    """
    # Imported here, because it takes longer than everything else together.
    from ovos_config import Configuration

    section = Configuration().get("Audio")
    names = section.get("native_sources") if isinstance(section, dict) else None
    return list(names if isinstance(names, list | tuple) else DEFAULT_NATIVE_SOURCES)


def is_targeted(message: Any, identities: str | Iterable[str] | None = None) -> bool:
    """
    Tell whether a message is meant for somebody: for everybody, or for one of their names.

    Args:
        message: A `Message`, or anything with a ``context`` dict.
        identities: The name, or all of them. ``None`` is this device, by its `native_sources`; an
            empty list is somebody who has no name and hears only what is for everybody.

    Returns:
        Whether there is no destination, or one of the destinations is one of the names. They are
        compared as strings; a destination that is neither a string nor a list of them names
        nobody.
    """
    destination = (message.context or {}).get("destination")
    if destination is None or destination in ("", [], ()):
        return True
    if identities is None:
        identities = native_sources()
    names = {identities} if isinstance(identities, str) else set(identities)
    if isinstance(destination, str):
        return destination in names
    if not isinstance(destination, list | tuple):
        return False
    return any(isinstance(name, str) and name in names for name in destination)


@overload
def targeted(handler: Handler) -> Handler: ...


@overload
def targeted(*, identities: str | Iterable[str] | None = None) -> Callable[[Handler], Handler]: ...


def targeted(
    handler: Callable[..., Any] | None = None,
    *,
    identities: str | Iterable[str] | None = None,
) -> Callable[..., Any]:
    """
    Decorate a handler, so that it is called only with what is meant for its service.

    It works on functions, methods and coroutine functions, with or without parentheses. A call
    without a message (of a local event) passes.

    Args:
        handler: The handler.
        identities: Whom `is_targeted` is to look for; ``None`` is this device, as the
            configuration names it at the time of each message.

    Returns:
        The handler; it returns ``None`` for what is not meant for it.
    """
    if identities is not None and not isinstance(identities, str):
        identities = tuple(identities)  # it is read again for each message
    if handler is None:
        return functools.partial(targeted, identities=identities)

    def meant(args: Iterable[Any], kwargs: dict[str, Any]) -> bool:
        return all(is_targeted(m, identities) for m in (*args, *kwargs.values()) if _is_message(m))

    if inspect.iscoroutinefunction(handler):

        @functools.wraps(handler)
        async def act_later(*args: Any, **kwargs: Any) -> Any:
            return await handler(*args, **kwargs) if meant(args, kwargs) else None

        return act_later

    @functools.wraps(handler)
    def act(*args: Any, **kwargs: Any) -> Any:
        return handler(*args, **kwargs) if meant(args, kwargs) else None

    return act


def _is_message(argument: Any) -> bool:
    return isinstance(getattr(argument, "context", None), dict) and hasattr(argument, "msg_type")
