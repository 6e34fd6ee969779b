"""The emitter that calls handlers in the pool, and what all of ours add to pyee's."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from types import FunctionType
from typing import Any

from pyee import EventEmitter

from ovos_bus_client._core.dispatch import report_failure
from ovos_bus_client.client.pool import HandlerPool, PoolClosed

__all__ = ["OwnEmitter", "PoolEmitter"]


# Where the wrapper of a handler of `once` keeps its event.
_ONCE = "_ovos_bus_once"


class OwnEmitter(EventEmitter):
    """
    Tells who is listened to, and calls a handler of `once` by its own name.

    pyee announces a handler before it is there, in whatever thread calls handlers; and it wraps
    those of `once` in a nameless function.

    Attributes:
        watchers: Called with the event whenever there is a handler more, in the thread that
            registers it.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.watchers: list[Callable[[str], object]] = []
        super().__init__(*args, **kwargs)

    def _add_event_handler(self, event: str, k: Callable[..., Any], v: Callable[..., Any]) -> None:
        if v is not k:  # of `once`
            functools.update_wrapper(v, k)
            vars(v)[_ONCE] = event
        super()._add_event_handler(event, k, v)
        for tell in tuple(self.watchers):
            tell(event)


class PoolEmitter(OwnEmitter):
    """
    Calls each handler in a thread of a `HandlerPool`. Whoever is to be called after the pool is
    closed, because the client was or because the interpreter ends, is not called any more.

    What a handler raises is logged, and reaches the handlers of ``error``.

    Attributes:
        pool: The threads.
    """

    def __init__(self) -> None:
        super().__init__()
        self.pool = HandlerPool(report=self._failed)

    def shutdown(self, wait: bool = True) -> None:
        """End the pool, as pyee's emitter with threads has it; see `HandlerPool.shutdown`."""
        self.pool.shutdown(wait)

    def _emit_run(
        self, f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        # pyee's wrapper is a plain function; a handler may be anything, and have any attribute.
        event = vars(f).get(_ONCE) if isinstance(f, FunctionType) else None
        if event is not None:
            # Here and not in the pool, or the next message could be the one that is first there.
            handler = self._taken(event, f)
            if handler is None:
                return
            f = handler
        try:
            self.pool.call(f, *args, **kwargs)
        except PoolClosed:
            return

    def _taken(self, event: str, wrapper: Any) -> Callable[..., Any] | None:
        """Remove a handler of `once` and return it; nothing if that was done before."""
        handler: Callable[..., Any] = wrapper.__wrapped__
        events: Mapping[str, Mapping[Any, Any]] = self._events
        with self._lock:
            if events.get(event, {}).get(handler) is not wrapper:
                return None
            self._remove_listener(event, handler)
        return handler

    def _failed(self, f: Callable[..., Any], args: tuple[Any, ...], error: BaseException) -> None:
        report_failure(f, args, error)
        # A handler of errors that fails is not told of its own error, which would never end.
        if isinstance(error, Exception) and not (args and isinstance(args[0], Exception)):
            self.emit("error", error)
