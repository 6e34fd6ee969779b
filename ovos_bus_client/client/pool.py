"""
The threads that handlers run in.

A pool of fixed size starves: when all its threads wait for answers, nobody is left to give them.
So this one grows. It has a few threads for the work of every day, and takes another whenever work
has been waiting for a moment with all of them busy, which is what a pool full of waiting handlers
looks like from outside, whatever they wait for. Threads that find nothing to do end again.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

__all__ = ["HandlerPool", "PoolClosed"]

Report = Callable[[Callable[..., Any], tuple[Any, ...], BaseException], None]

T = TypeVar("T")
P = ParamSpec("P")

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


@dataclass(eq=False, slots=True)
class _Call:
    """A call of a handler that is to be made."""

    result: Future[Any]
    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    lane: deque[_Call] | None = None  # the calls of the same handler that wait for this one
    since: float = 0.0


class HandlerPool(Executor):
    """
    An executor whose work is never stuck behind work that waits for it.

    A function that was put `in_order` runs one call at a time, in the order of the calls.
    """

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
            report: Told of each call that raised, with its positional arguments.
        """
        self._report = report
        self._core, self._max, self._idle_timeout = core_threads, max_threads, idle_timeout
        self._change = threading.Condition()  # guards what follows
        self._work: deque[_Call] = deque()
        self._lanes: dict[Callable[..., Any], deque[_Call] | None] = {}  # None: nothing runs
        self._threads: set[threading.Thread] = set()
        self._idle = 0
        self._watcher: threading.Thread | None = None  # the last one
        self._watching = False
        self._shut = False
        _POOLS.add(self)

    @property
    def threads(self) -> int:
        """How many threads there are now."""
        return sum(thread.is_alive() for thread in tuple(self._threads))

    def in_order(self, function: Callable[..., Any]) -> None:
        """Run the calls of ``function`` one after the other from now on."""
        with self._change:
            self._lanes.setdefault(function, None)

    def in_any_order(self, function: Callable[..., Any]) -> None:
        """Take `in_order` back; calls that wait already keep their order."""
        with self._change:
            self._lanes.pop(function, None)

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """
        Run ``fn`` in a thread.

        Raises:
            PoolClosed: After `shutdown`.
        """
        result: Future[T] = Future()
        call = _Call(result, fn, args, kwargs)
        with self._change:
            if self._shut:
                raise PoolClosed
            if fn in self._lanes:
                lane = self._lanes[fn]
                if lane is not None:
                    lane.append(call)  # the call that runs hands over to it
                    return result
                call.lane = self._lanes[fn] = deque()
            self._queue(call)
        return result

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = True) -> None:
        """
        Take no more work.

        Args:
            wait: Return when all threads have ended, but for the one that calls.
            cancel_futures: Forget what was not begun; else it is still done.
        """
        with self._change:
            self._shut = True
            forgotten = self._forget() if cancel_futures else []
            self._change.notify_all()
        for call in forgotten:
            call.result.cancel()
        while wait and (threads := self._others()):
            for thread in threads:
                thread.join()

    def _others(self) -> list[threading.Thread]:
        """Return the threads that have not ended, but for the one that calls."""
        with self._change:
            threads = [*self._threads, *filter(None, [self._watcher])]
        return [t for t in threads if t.is_alive() and t is not threading.current_thread()]

    def _forget(self) -> list[_Call]:
        """Take out all that was not begun."""
        forgotten = list(self._work)
        self._work.clear()
        for lane in filter(None, self._lanes.values()):
            forgotten.extend(lane)
            lane.clear()
        return forgotten

    def _queue(self, call: _Call) -> None:
        call.since = time.monotonic()
        self._work.append(call)
        if self._idle >= len(self._work):
            self._change.notify()
        elif len(self._threads) < self._core:
            self._start_thread()
        elif not self._watching and len(self._threads) < self._max:
            self._watching = True
            self._watcher = threading.Thread(target=self._watch, name="ovos-bus-pool", daemon=True)
            self._watcher.start()

    def _start_thread(self) -> None:
        thread = threading.Thread(target=self._serve, name="ovos-bus-handler", daemon=True)
        self._threads.add(thread)
        thread.start()

    def _watch(self) -> None:
        """Add a thread whenever work waits too long, until none waits."""
        with self._change:
            while self._work and not self._shut:
                waited = time.monotonic() - self._work[0].since
                if waited < PATIENCE:
                    self._change.wait(PATIENCE - waited)
                elif len(self._threads) < self._max:
                    self._start_thread()
                    self._change.wait(PATIENCE / 10)
                else:
                    break
            self._watching = False

    def _serve(self) -> None:
        """Do work until there is none for a while."""
        while (call := self._next()) is not None:
            self._run(call)
            if call.lane is not None:
                self._hand_over(call)

    def _next(self) -> _Call | None:
        with self._change:
            if not self._work and not self._shut:
                self._idle += 1
                self._change.wait_for(lambda: self._work or self._shut, self._idle_timeout)
                self._idle -= 1
            if self._work:
                return self._work.popleft()
            # In one step with the decision to end, or work would count on this thread.
            if not self._shut:  # else `shutdown` may still want to wait for it
                self._threads.discard(threading.current_thread())
            return None

    def _run(self, call: _Call) -> None:
        if not call.result.set_running_or_notify_cancel():
            return
        try:
            value = call.function(*call.args, **call.kwargs)
        except BaseException as error:  # whatever it is, it is the caller's
            self._report(call.function, call.args, error)
            call.result.set_exception(error)
        else:
            call.result.set_result(value)

    def _hand_over(self, call: _Call) -> None:
        """Queue the next call of an ordered handler."""
        with self._change:
            if call.lane:
                following = call.lane.popleft()
                following.lane = call.lane
                self._queue(following)
                return
            for function, lane in self._lanes.items():
                if lane is call.lane:
                    self._lanes[function] = None
                    return


_POOLS: weakref.WeakSet[HandlerPool] = weakref.WeakSet()


@atexit.register
def _finish() -> None:
    """Let handlers that run at the end of the program finish, but not for ever."""
    deadline = time.monotonic() + EXIT_TIMEOUT
    for pool in tuple(_POOLS):
        pool.shutdown(wait=False)
        for thread in tuple(pool._threads):
            thread.join(max(0.0, deadline - time.monotonic()))
