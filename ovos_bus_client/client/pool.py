"""
The threads that handlers run in.

A pool of fixed size starves: when all its threads wait for answers, nobody is left to give them.
So this one grows. It has a few threads for the work of every day, and takes another whenever work
has been waiting for a moment with all of them busy, which is what a pool full of waiting handlers
looks like from outside, whatever they wait for. Threads that find nothing to do end again.

A call is handed to a thread by releasing a lock that this thread waits for: a `Condition` or a
`Future` would take several times as long, and it is this that an answer waits for.
"""

from __future__ import annotations

import atexit
import functools
import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["HandlerPool", "InOrder", "PoolClosed"]

Function = Callable[..., Any]
Report = Callable[[Function, tuple[Any, ...], BaseException], None]

# Threads for the work of every day: handlers mostly wait, for disks and for other programs.
CORE_THREADS = min(32, (os.cpu_count() or 1) + 4)

# Beyond this, waiting handlers are a mistake and not a burst; the rest of the work waits.
MAX_THREADS = 512

# How long work waits for a busy thread before it gets a new one, in seconds: longer than nearly
# all handlers take, shorter than anybody notices.
PATIENCE = 0.05

# How long a thread waits for work before it ends, in seconds.
IDLE_TIMEOUT = 10.0

# How long the end of the program waits for handlers that run, in seconds.
EXIT_TIMEOUT = 2.0


class PoolClosed(RuntimeError):
    """A pool that was shut down is asked to do more."""


class Lane:
    """
    What keeps calls in order.

    Attributes:
        queue: The calls that wait for the one that runs; ``None`` while none runs.
    """

    def __init__(self) -> None:
        self.queue: deque[_Call] | None = None


class InOrder:
    """A function whose calls a pool makes one after the other, in the order they were asked for."""

    def __init__(self, function: Function, beside: InOrder | None = None) -> None:
        """
        Args:
            function: The function.
            beside: Another whose calls are to keep one order with these.
        """
        functools.update_wrapper(self, function)  # by whose name it is known
        self.function = function
        self.lane: Lane = Lane() if beside is None else beside.lane

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)


@dataclass(eq=False, slots=True)
class _Call:
    """A call of a function that is to be made."""

    function: Function
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    since: float = 0.0  # when it began to wait for a thread


class _Worker:
    """One thread of a pool, and how it is given a call."""

    def __init__(self) -> None:
        self.call: _Call | None = None
        self.thread: threading.Thread | None = None
        self._given = threading.Lock()
        self._given.acquire()

    def give(self, call: _Call | None) -> None:
        """Hand over a call, or ``None`` to end the thread."""
        self.call = call
        self._given.release()

    def take(self, timeout: float = -1) -> bool:
        """Wait for `give`, and return whether it came."""
        return self._given.acquire(timeout=timeout)


class HandlerPool:
    """Calls functions in threads, such that no call is stuck behind calls that wait for it."""

    def __init__(
        self,
        core_threads: int = CORE_THREADS,
        max_threads: int = MAX_THREADS,
        idle_timeout: float = IDLE_TIMEOUT,
        report: Report = lambda function, args, error: None,
    ) -> None:
        """
        Args:
            core_threads: Threads that are started without waiting.
            max_threads: Threads there are at most.
            idle_timeout: Seconds after which a thread without work ends.
            report: Told of each call that raised, with its positional arguments. Must not raise.
        """
        self._report = report
        self._core, self._max, self._idle_timeout = core_threads, max_threads, idle_timeout
        self._lock = threading.Lock()  # guards what follows
        self._work: deque[_Call] = deque()  # empty while a worker is idle
        self._workers: set[_Worker] = set()
        self._idle: list[_Worker] = []  # the last one worked last, and is the first to work again
        self._watcher: threading.Thread | None = None  # the last one
        self._watching = False
        self._shut = threading.Event()
        _POOLS.add(self)

    @property
    def threads(self) -> int:
        """How many threads there are now."""
        return sum(w.thread is not None and w.thread.is_alive() for w in tuple(self._workers))

    def call(self, function: Function, /, *args: Any, **kwargs: Any) -> None:
        """
        Have ``function`` called in a thread.

        Raises:
            PoolClosed: After `shutdown`.
        """
        call = _Call(function, args, kwargs)
        with self._lock:
            if self._shut.is_set():
                raise PoolClosed
            if isinstance(function, InOrder):
                if function.lane.queue is not None:
                    function.lane.queue.append(call)  # the call that runs hands over to it
                    return
                function.lane.queue = deque()
            self._hand_out(call)

    def shutdown(self, wait: bool = True) -> None:
        """
        Take no more work, and forget what was not begun.

        Args:
            wait: Return when all threads have ended, but for the one that calls.
        """
        with self._lock:
            self._shut.set()
            self._work.clear()
            for worker in self._idle:
                worker.give(None)
            self._idle.clear()
        while wait and (threads := self._others()):
            for thread in threads:
                thread.join()

    def _others(self) -> list[threading.Thread]:
        """Return the threads that have not ended, but for the one that calls."""
        with self._lock:
            threads = [*(w.thread for w in self._workers), self._watcher]
        here = threading.current_thread()
        return [t for t in threads if t is not None and t.is_alive() and t is not here]

    def _hand_out(self, call: _Call) -> None:
        if self._idle:
            self._idle.pop().give(call)
            return
        call.since = time.monotonic()
        self._work.append(call)
        if len(self._workers) < self._core:
            self._start_worker()
        elif not self._watching and len(self._workers) < self._max:
            self._watching = True
            self._watcher = threading.Thread(target=self._watch, name="ovos-bus-pool", daemon=True)
            self._watcher.start()

    def _start_worker(self) -> None:
        worker = _Worker()
        self._workers.add(worker)
        worker.thread = threading.Thread(
            target=self._serve, args=(worker,), name="ovos-bus-handler", daemon=True
        )
        worker.thread.start()

    def _watch(self) -> None:
        """Add a thread whenever work waits too long, until none waits."""
        while True:
            with self._lock:
                full = len(self._workers) >= self._max
                if not self._work or full or self._shut.is_set():
                    self._watching = False
                    return
                patience = PATIENCE - (time.monotonic() - self._work[0].since)
                if patience <= 0:
                    self._start_worker()
                    patience = PATIENCE / 10
            self._shut.wait(patience)

    def _serve(self, worker: _Worker) -> None:
        """Do work until there is none for a while."""
        while (call := self._next(worker)) is not None:
            try:
                call.function(*call.args, **call.kwargs)
            except BaseException as error:  # whatever it is, it is not the pool's
                self._report(call.function, call.args, error)
            if isinstance(call.function, InOrder):
                self._hand_over(call.function.lane)
            del call  # or its message would live until the next one comes

    def _next(self, worker: _Worker) -> _Call | None:
        with self._lock:
            if self._shut.is_set():
                return None  # `shutdown` may still want to wait for this thread
            if self._work:
                return self._work.popleft()
            self._idle.append(worker)
        if not worker.take(self._idle_timeout):
            with self._lock:
                if worker in self._idle:  # else it was given a call just now
                    self._idle.remove(worker)
                    self._workers.discard(worker)
                    return None
            worker.take()
        call, worker.call = worker.call, None
        return call

    def _hand_over(self, lane: Lane) -> None:
        """Hand out the next of the calls that keep an order."""
        with self._lock:
            if lane.queue and not self._shut.is_set():
                self._hand_out(lane.queue.popleft())
            else:
                lane.queue = None


_POOLS: weakref.WeakSet[HandlerPool] = weakref.WeakSet()


@atexit.register
def _finish() -> None:
    """Let handlers that run at the end of the program finish, but not for ever."""
    deadline = time.monotonic() + EXIT_TIMEOUT
    for pool in tuple(_POOLS):
        pool.shutdown(wait=False)
        for worker in tuple(pool._workers):
            if worker.thread is not None:
                worker.thread.join(max(0.0, deadline - time.monotonic()))
