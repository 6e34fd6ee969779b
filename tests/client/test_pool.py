"""The threads that handlers run in."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from typing import Any

import pytest

from ovos_bus_client.client.pool import HandlerPool, PoolClosed

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
    future = pool.submit(lambda *a, **k: (a, k, threading.current_thread()), 1, b=2)
    args, kwargs, thread = future.result(TIMEOUT)

    assert (args, kwargs) == ((1,), {"b": 2})
    assert thread is not threading.current_thread()
    assert thread.daemon


@pytest.mark.parametrize("core", [1, 2, 5])
def test_it_never_starves(core: int, make_pool: Callable[..., HandlerPool]) -> None:
    """Work that waits for work, twenty levels deep, is done whatever the pool began with."""
    pool = make_pool(core_threads=core)

    def nested(depth: int) -> int:
        return 0 if depth == 0 else 1 + pool.submit(nested, depth - 1).result(TIMEOUT)

    assert pool.submit(nested, 20).result(TIMEOUT) == 20


def test_many_nested_waits_at_once_do_not_starve(make_pool: Callable[..., HandlerPool]) -> None:
    """Several chains of waiting work share a pool that is smaller than any of them."""
    pool = make_pool(core_threads=2)

    def nested(depth: int) -> int:
        return 0 if depth == 0 else 1 + pool.submit(nested, depth - 1).result(TIMEOUT)

    assert results([pool.submit(nested, 5) for _ in range(8)]) == [5] * 8


def test_a_function_can_be_called_in_order(make_pool: Callable[..., HandlerPool]) -> None:
    """Calls of an ordered function keep their order and do not overlap."""
    pool, calls, running = make_pool(), [], threading.Lock()

    def ordered(n: int) -> int:
        assert running.acquire(blocking=False), "two at once"
        calls.append(n)
        threading.Event().wait(0.001 if n % 7 == 0 else 0)
        running.release()
        return n

    pool.in_order(ordered)
    futures = [pool.submit(ordered, n) for n in range(200)]

    assert results(futures) == calls == list(range(200))


def test_an_ordered_function_holds_up_no_other(make_pool: Callable[..., HandlerPool]) -> None:
    """While a call of an ordered function takes long, others run, ordered ones included."""
    pool, gate, other_calls = make_pool(core_threads=1), Gate(), []
    pool.in_order(gate)
    pool.in_order(other_calls.append)
    slow = [pool.submit(gate, n) for n in range(3)]
    gate.wait_for(1)
    wait([pool.submit(other_calls.append, n) for n in range(5)], TIMEOUT)

    assert pool.submit(len, "ab").result(TIMEOUT) == 2
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

    pool.in_order(ordered)
    futures = [pool.submit(ordered, n) for n in range(3)]
    wait(futures, TIMEOUT)

    assert calls == [0, 1, 2]
    assert isinstance(futures[1].exception(), ValueError)


def test_order_can_be_given_up(make_pool: Callable[..., HandlerPool]) -> None:
    """After `in_any_order` calls overlap again; those that waited keep their order."""
    pool, gate = make_pool(core_threads=2), Gate()
    pool.in_order(gate)
    first = [pool.submit(gate, n) for n in range(3)]
    gate.wait_for(1)
    pool.in_any_order(gate)
    more = [pool.submit(gate, n) for n in range(2)]
    gate.wait_for(2)
    assert not gate.inside.acquire(blocking=False)
    gate.open()

    assert results(first + more) == [(0,), (1,), (2,), (0,), (1,)]


def test_an_idle_thread_is_used_again(make_pool: Callable[..., HandlerPool]) -> None:
    """Work that finds an idle thread starts no other."""
    pool = make_pool(core_threads=8)
    for n in range(50):
        pool.submit(abs, n).result(TIMEOUT)
        until(lambda: pool._idle == 1)

    assert pool.threads == 1


def test_it_grows_when_work_waits(make_pool: Callable[..., HandlerPool]) -> None:
    """With all threads busy, work that waits gets new threads; without any, none are made."""
    pool, gate = make_pool(core_threads=2), Gate()
    futures = [pool.submit(gate, n) for n in range(2)]
    gate.wait_for(2)
    assert pool.threads == 2
    assert pool._watcher is None
    futures += [pool.submit(gate, n) for n in range(2, 6)]
    gate.wait_for(4)

    assert pool.threads == 6
    gate.open()
    assert results(futures) == [(n,) for n in range(6)]


def test_it_grows_to_a_limit(make_pool: Callable[..., HandlerPool]) -> None:
    """There are never more threads than allowed; the rest of the work waits for one."""
    pool, gate = make_pool(core_threads=1, max_threads=3), Gate()
    futures = [pool.submit(gate, n) for n in range(10)]
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
    futures = [pool.submit(gate) for _ in range(4)]
    gate.wait_for(4)
    gate.open()
    results(futures)

    until(lambda: pool.threads == 0)
    assert pool.submit(abs, -1).result(TIMEOUT) == 1


@pytest.mark.parametrize("limit", [1, 2])
def test_work_that_comes_as_a_thread_ends_is_done(
    limit: int, make_pool: Callable[..., HandlerPool]
) -> None:
    """A thread that is about to end for want of work is not counted on."""
    pool = make_pool(core_threads=1, max_threads=limit, idle_timeout=0.0)

    assert [pool.submit(abs, -n).result(TIMEOUT) for n in range(500)] == list(range(500))


def test_a_pool_that_is_shut_takes_no_more(make_pool: Callable[..., HandlerPool]) -> None:
    """Submitting to a pool that was shut down is an error of its own, and a RuntimeError."""
    pool = make_pool()
    pool.shutdown()
    pool.shutdown(wait=False)

    with pytest.raises(PoolClosed):
        pool.submit(print)
    assert issubclass(PoolClosed, RuntimeError)


def test_shutting_down_ends_all_threads(make_pool: Callable[..., HandlerPool]) -> None:
    """`shutdown` waits for what runs; after it there is no thread, the watcher included."""
    pool, gate = make_pool(core_threads=2), Gate()
    futures = [pool.submit(gate, n) for n in range(5)]
    gate.wait_for(5)
    threading.Timer(0.02, gate.open).start()
    pool.shutdown(wait=True)

    assert results(futures) == [(n,) for n in range(5)]
    assert pool.threads == 0
    assert pool._watcher is not None
    assert not pool._watcher.is_alive()


def test_shutting_down_forgets_what_was_not_begun(make_pool: Callable[..., HandlerPool]) -> None:
    """What waits is cancelled, ordered calls as well, and whoever waits for it is told."""
    pool, gate = make_pool(core_threads=1, max_threads=1), Gate()
    pool.in_order(gate)
    begun = pool.submit(gate)
    waiting = [pool.submit(gate), pool.submit(abs, 1)]
    gate.wait_for(1)
    pool.shutdown(wait=False)
    gate.open()
    pool.shutdown(wait=True)

    assert begun.result(0) == ()
    assert all(future.cancelled() for future in waiting)


def test_shutting_down_may_finish_what_waits(make_pool: Callable[..., HandlerPool]) -> None:
    """Told not to cancel, a pool still does what it was given, and then ends."""
    pool, gate = make_pool(core_threads=2), Gate()
    pool.in_order(gate)
    futures = [pool.submit(gate, n) for n in range(3)]
    gate.wait_for(1)
    gate.open()
    pool.shutdown(wait=True, cancel_futures=False)

    assert all(future.done() for future in futures)
    assert results(futures) == [(0,), (1,), (2,)]


def test_work_may_shut_its_pool_down(make_pool: Callable[..., HandlerPool]) -> None:
    """A thread of the pool that waits for its end does not wait for itself."""
    pool = make_pool()

    assert pool.submit(pool.shutdown, True).result(TIMEOUT) is None


def test_what_was_cancelled_is_not_done(make_pool: Callable[..., HandlerPool]) -> None:
    """A call that is cancelled before its turn is left out."""
    pool, gate, calls = make_pool(core_threads=1, max_threads=1), Gate(), itertools.count()
    begun = pool.submit(gate)
    gate.wait_for(1)
    gone = pool.submit(next, calls)
    assert gone.cancel()
    gate.open()
    begun.result(TIMEOUT)

    assert pool.submit(next, calls).result(TIMEOUT) == 0


def test_a_call_that_raised_is_reported(make_pool: Callable[..., HandlerPool]) -> None:
    """Whatever is raised is told with function and arguments, and is the future's exception."""
    reports: list[tuple[Any, ...]] = []
    pool = make_pool(report=lambda *report: reports.append(report))
    error = SystemExit(3)

    def fail(*args: Any) -> None:
        raise error

    future = pool.submit(fail, 1, 2)

    assert future.exception(TIMEOUT) is error
    assert reports == [(fail, (1, 2), error)]
    assert pool.submit(abs, -1).result(TIMEOUT) == 1
