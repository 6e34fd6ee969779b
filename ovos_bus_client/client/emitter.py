"""The emitter that calls handlers in a pool of threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyee.executor import ExecutorEventEmitter

__all__ = ["PoolEmitter"]


class PoolEmitter(ExecutorEventEmitter):
    """
    Calls each handler in a thread of a pool. Whoever is to be called after the pool is gone,
    because the client was closed or the interpreter ends, is not called any more.
    """

    def _emit_run(
        self, f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        try:
            super()._emit_run(f, args, kwargs)
        except RuntimeError as error:
            if "shutdown" not in str(error):  # of the pool, or of the interpreter
                raise
