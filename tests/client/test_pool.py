"""The threads that handlers run in."""

from __future__ import annotations

import queue
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from typing import Any

import pytest

from ovos_bus_client.client.pool import HandlerPool, InOrder, PoolClosed

TIMEOUT = 10.0


@pytest.fixture
def make_pool() -> Iterator[Callable[..., HandlerPool]]:
    """Make pools; each is shut down at the end, and leaves no thread."""
    before = set(threading.enumerate())
    pools: list[HandlerPool] = []

    def make(**options: Any) -> HandlerPool:
        pools.append(HandlerPool(**options))
        return pools[-1]

    yield make
    for pool in pools:
        pool.shutdown(wait=True)
    assert [t.name for t in threading.enumerate() if t not in before] == []


class Work:
    """
    A function as work for a pool, which keeps no results: each call comes with a future for its.
    """

    def __init__(self, pool: HandlerPool, function: Callable[..., Any], ordered: bool = False):
        def work(future: Future[Any], *args: Any, **kwargs: Any) -> None:
            try:
                future.set_result(function(*args, **kwargs))
            except BaseException as error:
                future.set_exception(error)
                raise

        self._pool, self._work = pool, InOrder(work) if ordered else work

    def __call__(self, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self._pool.call(self._work, future, *args, **kwargs)
        return future


def submit(pool: HandlerPool, function: Callable[..., Any], *args: Any) -> Future[Any]:
    return Work(pool, function)(*args)


class Gate:
    """Work that takes until the test opens the gate."""

    def __init__(self) -> None:
        self.inside = threading.Semaphore(0)
        self._open = threading.Event()

    def __call__(self, *args: Any) -> Any:
        self.inside.release()
        assert self._open.wait(TIMEOUT)
        return args

    def wait_for(self, count: int) -> None:
        """Return when so many calls are inside."""
        for _ in range(count):
            assert self.inside.acquire(timeout=TIMEOUT)

    def open(self) -> None:
        self._open.set()


def results(futures: list[Future[Any]]) -> list[Any]:
    return [future.result(TIMEOUT) for future in futures]


def until(condition: Callable[[], bool]) -> None:
    """Wait for what nobody announces."""
    deadline = time.monotonic() + TIMEOUT
    while not condition():
        assert time.monotonic() < deadline
        threading.Event().wait(0.005)


def test_work_is_done_in_a_thread(make_pool: Callable[..., HandlerPool]) -> None:
    """A function gets its arguments in another thread, and its result comes back."""
    pool = make_pool()
    future = Work(pool, lambda *a, **k: (a, k, threading.current_thread()))(1, b=2)
    args, kwargs, thread = future.result(TIMEOUT)

    assert (args, kwargs) == ((1,), {"b": 2})
    assert thread is not threading.current_thread()
    assert thread.daemon


@pytest.mark.parametrize("core", [1, 2, 5])
def test_it_never_starves(core: int, make_pool: Callable[..., HandlerPool]) -> None:
    """Work that waits for work, twenty levels deep, is done whatever the pool began with."""
    pool = make_pool(core_threads=core)

    def nested(depth: int) -> int:
        return 0 if depth == 0 else 1 + submit(pool, nested, depth - 1).result(TIMEOUT)

    assert submit(pool, nested, 20).result(TIMEOUT) == 20


def test_many_nested_waits_at_once_do_not_starve(make_pool: Callable[..., HandlerPool]) -> None:
    """Several chains of waiting work share a pool that is smaller than any of them."""
    pool = make_pool(core_threads=2)

    def nested(depth: int) -> int:
        return 0 if depth == 0 else 1 + submit(pool, nested, depth - 1).result(TIMEOUT)

    assert results([submit(pool, nested, 5) for _ in range(8)]) == [5] * 8


def test_a_function_can_be_called_in_order(make_pool: Callable[..., HandlerPool]) -> None:
    """Calls of an ordered function keep their order and do not overlap."""
    pool, calls, running = make_pool(), [], threading.Lock()

    def ordered(n: int) -> int:
        assert running.acquire(blocking=False), "two at once"
        calls.append(n)
        threading.Event().wait(0.001 if n % 7 == 0 else 0)
        running.release()
        return n

    work = Work(pool, ordered, ordered=True)
    futures = [work(n) for n in range(200)]

    assert results(futures) == calls == list(range(200))


def test_two_functions_may_share_an_order(make_pool: Callable[..., HandlerPool]) -> None:
    """The calls of one wait for those of the other, and no two overlap."""
    pool, gate, calls, done = make_pool(core_threads=4), Gate(), [], threading.Event()
    first = InOrder(gate)
    second = InOrder(calls.append, beside=first)
    pool.call(first)
    pool.call(second, 1)
    pool.call(InOrder(lambda: done.set(), beside=second))
    gate.wait_for(1)
    assert submit(pool, abs, -1).result(TIMEOUT) == 1
    assert calls == []
    gate.open()

    assert done.wait(TIMEOUT)
    assert calls == [1]


def test_an_ordered_function_holds_up_no_other(make_pool: Callable[..., HandlerPool]) -> None:
    """While a call of an ordered function takes long, others run, ordered ones included."""
    pool, gate, other_calls = make_pool(core_threads=1), Gate(), []
    first = Work(pool, gate, ordered=True)
    other = Work(pool, other_calls.append, ordered=True)
    slow = [first(n) for n in range(3)]
    gate.wait_for(1)
    wait([other(n) for n in range(5)], TIMEOUT)

    assert submit(pool, len, "ab").result(TIMEOUT) == 2
    assert other_calls == list(range(5))
    assert not any(future.done() for future in slow)
    assert not gate.inside.acquire(blocking=False)
    gate.open()
    assert results(slow) == [(0,), (1,), (2,)]


def test_an_error_does_not_end_the_order(make_pool: Callable[..., HandlerPool]) -> None:
    """After a call that raised, the next call of the ordered function runs."""
    pool, calls = make_pool(), []

    def ordered(n: int) -> None:
        calls.append(n)
        if n == 1:
            raise ValueError(n)

    work = Work(pool, ordered, ordered=True)
    futures = [work(n) for n in range(3)]
    wait(futures, TIMEOUT)

    assert calls == [0, 1, 2]
    assert isinstance(futures[1].exception(), ValueError)


def test_an_idle_thread_is_used_again(make_pool: Callable[..., HandlerPool]) -> None:
    """Work that finds an idle thread starts no other."""
    pool = make_pool(core_threads=8)
    for n in range(50):
        submit(pool, abs, n).result(TIMEOUT)
        until(lambda: len(pool._idle) == 1)

    assert pool.threads == 1


def test_it_grows_when_work_waits(make_pool: Callable[..., HandlerPool]) -> None:
    """With all threads busy, work that waits gets new threads; without any, none are made."""
    pool, gate = make_pool(core_threads=2), Gate()
    futures = [submit(pool, gate, n) for n in range(2)]
    gate.wait_for(2)
    assert pool.threads == 2
    assert pool._watcher is None
    futures += [submit(pool, gate, n) for n in range(2, 6)]
    gate.wait_for(4)

    assert pool.threads == 6
    gate.open()
    assert results(futures) == [(n,) for n in range(6)]


def test_it_grows_to_a_limit(make_pool: Callable[..., HandlerPool]) -> None:
    """There are never more threads than allowed; the rest of the work waits for one."""
    pool, gate = make_pool(core_threads=1, max_threads=3), Gate()
    futures = [submit(pool, gate, n) for n in range(10)]
    gate.wait_for(3)
    pool._watcher.join(TIMEOUT)  # it gives up at the limit

    assert pool.threads == 3
    assert not gate.inside.acquire(blocking=False)
    gate.open()
    assert results(futures) == [(n,) for n in range(10)]
    assert pool.threads <= 3


def test_it_shrinks(make_pool: Callable[..., HandlerPool]) -> None:
    """Threads that find nothing to do end; the next work gets a new one."""
    pool, gate = make_pool(core_threads=4, idle_timeout=0.01), Gate()
    futures = [submit(pool, gate) for _ in range(4)]
    gate.wait_for(4)
    gate.open()
    results(futures)

    until(lambda: pool.threads == 0)
    assert submit(pool, abs, -1).result(TIMEOUT) == 1


@pytest.mark.parametrize("limit", [1, 2])
def test_work_that_comes_as_a_thread_ends_is_done(
    limit: int, make_pool: Callable[..., HandlerPool]
) -> None:
    """A thread that is about to end for want of work is not counted on."""
    pool = make_pool(core_threads=1, max_threads=limit, idle_timeout=0.0)

    assert [submit(pool, abs, -n).result(TIMEOUT) for n in range(500)] == list(range(500))


def test_a_pool_that_is_shut_takes_no_more(make_pool: Callable[..., HandlerPool]) -> None:
    """Submitting to a pool that was shut down is an error of its own, and a RuntimeError."""
    pool = make_pool()
    pool.shutdown()
    pool.shutdown(wait=False)

    with pytest.raises(PoolClosed):
        submit(pool, print)
    assert issubclass(PoolClosed, RuntimeError)


def test_shutting_down_ends_all_threads(make_pool: Callable[..., HandlerPool]) -> None:
    """`shutdown` waits for what runs; after it there is no thread, the watcher included."""
    pool, gate = make_pool(core_threads=2), Gate()
    futures = [submit(pool, gate, n) for n in range(5)]
    gate.wait_for(5)
    threading.Timer(0.02, gate.open).start()
    pool.shutdown(wait=True)

    assert results(futures) == [(n,) for n in range(5)]
    assert pool.threads == 0
    assert pool._watcher is not None
    assert not pool._watcher.is_alive()


def test_shutting_down_forgets_what_was_not_begun(make_pool: Callable[..., HandlerPool]) -> None:
    """What waits is not done any more, ordered calls as well."""
    pool, gate = make_pool(core_threads=1, max_threads=1), Gate()
    ordered = Work(pool, gate, ordered=True)
    begun = ordered()
    waiting = [ordered(), submit(pool, abs, 1)]
    gate.wait_for(1)
    pool.shutdown(wait=False)
    gate.open()
    pool.shutdown(wait=True)

    assert begun.result(0) == ()
    assert not any(future.done() for future in waiting)


def test_work_may_shut_its_pool_down(make_pool: Callable[..., HandlerPool]) -> None:
    """A thread of the pool that waits for its end does not wait for itself."""
    pool = make_pool()

    assert submit(pool, pool.shutdown, True).result(TIMEOUT) is None


def test_a_call_that_raised_is_reported(make_pool: Callable[..., HandlerPool]) -> None:
    """Whatever is raised is told with function and arguments, and ends neither thread nor order."""
    reports: queue.SimpleQueue[tuple[Any, ...]] = queue.SimpleQueue()
    pool = make_pool(core_threads=1, max_threads=1, report=lambda *report: reports.put(report))
    error = SystemExit(3)

    def fail(*args: Any) -> None:
        raise error

    for function in (fail, InOrder(fail)):
        pool.call(function, 1, 2)
        assert reports.get(timeout=TIMEOUT) == (function, (1, 2), error)
    assert submit(pool, abs, -1).result(TIMEOUT) == 1


def test_an_ordered_function_is_known_by_its_name() -> None:
    """Whoever reports on a call in order names the function, and not what keeps the order."""

    def named() -> None: ...

    assert InOrder(named).__qualname__ == named.__qualname__
    assert InOrder(named).__wrapped__ is named


def test_a_call_leaves_nothing_behind(make_pool: Callable[..., HandlerPool]) -> None:
    """What a function was called with is free as soon as it has returned."""

    class Message:
        pass

    pool, message, gone = make_pool(), Message(), threading.Event()
    weakref.finalize(message, gone.set)
    pool.call(lambda message: None, message)
    del message

    assert gone.wait(TIMEOUT)
