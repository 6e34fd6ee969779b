"""The emitter with the pool."""

from __future__ import annotations

import logging
import queue
import threading
from unittest.mock import MagicMock

import pytest

from ovos_bus_client.client.emitter import PoolEmitter


def test_handlers_run_in_threads_of_the_pool() -> None:
    """Whoever emits does not run the handlers, and does not wait for them."""
    called: queue.Queue[tuple[int, threading.Thread]] = queue.Queue()
    emitter = PoolEmitter()
    emitter.on("e", lambda n: called.put((n, threading.current_thread())))
    assert emitter.emit("e", 7) is True

    n, thread = called.get(timeout=10)
    assert n == 7
    assert thread is not threading.current_thread()
    emitter.shutdown()


def test_nobody_is_called_after_the_pool_is_gone() -> None:
    """What is emitted too late is dropped without a word."""
    called: list[int] = []
    emitter = PoolEmitter()
    emitter.on("e", called.append)
    emitter.once("e", called.append)
    emitter.shutdown()
    emitter.emit("e", 1)

    assert called == []


def test_what_a_handler_raises_is_told(silence: list[logging.LogRecord]) -> None:
    """An error is logged under the handler's name, of `once`, too, and reaches ``error`` once."""
    told: queue.Queue[Exception] = queue.Queue()
    emitter, failure = PoolEmitter(), ValueError("no")

    def fail(*args: object) -> None:
        raise failure

    def complain(error: Exception) -> None:
        told.put(error)
        raise KeyError("a bad handler of errors")

    emitter.on("e", fail)
    emitter.once("error", complain)
    emitter.emit("e", 7)
    assert told.get(timeout=10) is failure
    emitter.shutdown()

    first, second = (record.getMessage() for record in silence)
    assert ".fail of None failed: ValueError('no')" in first
    assert ".complain of None failed: KeyError(" in second
    assert told.empty()
    silence.clear()


def test_other_failures_of_the_pool_are_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine out of threads is an error, and not an end."""

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    emitter = PoolEmitter()
    emitter.on("e", print)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError, match="new thread"):
            emitter.emit("e")
    emitter.shutdown()


def test_once_is_the_first_and_no_other() -> None:
    """However the threads of the pool take turns, what was emitted first is what it gets."""
    for _ in range(200):
        emitter, called = PoolEmitter(), queue.Queue[int]()
        emitter.once("e", called.put)
        for n in range(5):
            emitter.emit("e", n)
        assert emitter.listeners("e") == []
        assert called.get(timeout=10) == 0
        emitter.shutdown()
        assert called.empty()


def test_a_handler_may_be_anything() -> None:
    """One that has every attribute there is, as tests have them, is called like any other."""
    emitter, handler, called = PoolEmitter(), MagicMock(), threading.Event()
    handler.side_effect = lambda n: called.set()
    emitter.on("e", handler)
    emitter.emit("e", 1)

    assert called.wait(10)
    handler.assert_called_once_with(1)
    emitter.shutdown()
