"""The emitter with the pool."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

import pytest

from ovos_bus_client.client.emitter import PoolEmitter


def test_handlers_run_in_threads_of_the_pool() -> None:
    """Whoever emits does not run the handlers, and does not wait for them."""
    called: queue.Queue[tuple[int, threading.Thread]] = queue.Queue()
    with PoolEmitter() as emitter:
        emitter.on("e", lambda n: called.put((n, threading.current_thread())))
        assert emitter.emit("e", 7) is True

        n, thread = called.get(timeout=10)
        assert n == 7
        assert thread is not threading.current_thread()


def test_nobody_is_called_after_the_pool_is_gone() -> None:
    """What is emitted too late is dropped without a word."""
    called: list[int] = []
    emitter = PoolEmitter()
    emitter.on("e", called.append)
    emitter.once("e", called.append)
    emitter.shutdown()
    emitter.emit("e", 1)

    assert called == []


class RefusingExecutor(Executor):
    """An executor that has no more threads to give."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("can't start new thread")


def test_other_failures_of_the_pool_are_not_hidden() -> None:
    """A machine out of threads is an error, and not an end."""
    emitter = PoolEmitter(RefusingExecutor())
    emitter.on("e", print)
    with pytest.raises(RuntimeError, match="new thread"):
        emitter.emit("e")
