"""The emitter that calls handlers in the pool, and what ours add to pyee's."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from pyee import EventEmitter

from ovos_bus_client._core.dispatch import report_failure
from ovos_bus_client.client.pool import HandlerPool, PoolClosed

__all__ = ["NamesHandlers", "PoolEmitter"]


class NamesHandlers(EventEmitter):
    """Calls a handler of `once` by its own name; pyee wraps it in a nameless function."""

    def _add_event_handler(self, event: str, k: Callable[..., Any], v: Callable[..., Any]) -> None:
        if v is not k:
            functools.update_wrapper(v, k)
        super()._add_event_handler(event, k, v)


class PoolEmitter(NamesHandlers):
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
        try:
            self.pool.call(f, *args, **kwargs)
        except PoolClosed:
            return

    def _failed(self, f: Callable[..., Any], args: tuple[Any, ...], error: BaseException) -> None:
        report_failure(f, args, error)
        # A handler of errors that fails is not told of its own error, which would never end.
        if isinstance(error, Exception) and not (args and isinstance(args[0], Exception)):
            self.emit("error", error)
