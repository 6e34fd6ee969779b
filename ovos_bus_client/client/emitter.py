"""The emitter that calls handlers in the pool."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from pyee.executor import ExecutorEventEmitter

from ovos_bus_client.client.pool import HandlerPool, PoolClosed

__all__ = ["PoolEmitter"]


class PoolEmitter(ExecutorEventEmitter):
    """
    Calls each handler in a thread of a `HandlerPool`. Whoever is to be called after the pool is
    closed, because the client was or because the interpreter ends, is not called any more.
    """

    def __init__(self, pool: HandlerPool | None = None) -> None:
        super().__init__(pool or HandlerPool())

    def _emit_run(
        self, f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        try:
            future = self._executor.submit(f, *args, **kwargs)
        except PoolClosed:
            return
        # A handler of errors that fails is not told of its own error, which would never end.
        if not (args and isinstance(args[0], Exception)):
            future.add_done_callback(self._tell_error)

    def _tell_error(self, future: Future[Any]) -> None:
        """Emit ``error`` for a call that failed; one that was forgotten did not."""
        error = None if future.cancelled() else future.exception()
        if isinstance(error, Exception):
            self.emit("error", error)
