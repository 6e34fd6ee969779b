"""Both clients behind one set of coroutines, so that one test can drive either."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import queue
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ovos_bus_client.client import AsyncMessageBusClient, MessageBusClient
from ovos_bus_client.message import Message

TIMEOUT = 10.0


class Inbox:
    """A handler that keeps what it gets."""

    def __init__(self) -> None:
        self._got: queue.Queue[Any] = queue.Queue()

    def __call__(self, *args: Any) -> None:
        self._got.put(args[0] if args else None)

    async def take(self) -> Any:
        return await asyncio.to_thread(self._got.get, True, TIMEOUT)

    async def take_data(self, count: int) -> list[Any]:
        return [(await self.take()).data.get("n") for _ in range(count)]

    @property
    def empty(self) -> bool:
        return self._got.empty()


class SyncDriver:
    """A `MessageBusClient`, whose calls are made in threads."""

    def __init__(self, port: int, ssl: bool = False, **options: Any) -> None:
        self.client: Any = MessageBusClient("127.0.0.1", port, "/core", ssl, **options)

    def __getattr__(self, name: str) -> Callable[..., Coroutine[Any, Any, Any]]:
        return functools.partial(asyncio.to_thread, getattr(self.client, name))

    @property
    def connected(self) -> bool:
        return bool(self.client.connected_event.is_set())

    async def start(self) -> None:
        """Begin to connect."""
        self.client.run_in_thread()

    async def wait_until_connected(self) -> None:
        assert await asyncio.to_thread(self.client.connected_event.wait, TIMEOUT)

    async def close(self) -> None:
        await asyncio.to_thread(self.client.close)
        await asyncio.to_thread(self.client.emitter.shutdown)

    async def on(self, event: str, handler: Callable[..., Any]) -> None:
        self.client.on(event, handler, ordered=True)

    async def collector(self, event: str, answer: Callable[[Any], Message | None]) -> None:
        """Answer questions that are asked with `collect_responses`."""

        def handle(question: Any) -> None:
            if (message := answer(question)) is not None:
                self.client.emit(message)

        self.client.on_collect(event, handle)

    async def answer(self, event: str, make: Callable[[Message], Message]) -> None:
        """Answer questions."""
        self.client.on(event, lambda question: self.client.emit(make(question)))


class AsyncDriver(SyncDriver):
    """An `AsyncMessageBusClient`."""

    def __init__(self, port: int, ssl: bool = False, **options: Any) -> None:
        self.client = AsyncMessageBusClient("127.0.0.1", port, "/core", ssl, **options)

    def __getattr__(self, name: str) -> Callable[..., Coroutine[Any, Any, Any]]:
        method = getattr(self.client, name)
        if asyncio.iscoroutinefunction(method):
            return method  # type: ignore[no-any-return]

        async def call(*args: Any, **kwargs: Any) -> Any:
            return method(*args, **kwargs)

        return call

    async def start(self) -> None:
        await self.client.connect(0)

    async def wait_until_connected(self) -> None:
        assert await self.client.connect(TIMEOUT)

    async def close(self) -> None:
        await self.client.close()

    async def on(self, event: str, handler: Callable[..., Any]) -> None:
        self.client.on(event, handler)

    async def collector(self, event: str, answer: Callable[[Any], Message | None]) -> None:
        async def handle(question: Any) -> None:
            if (message := answer(question)) is not None:
                await self.client.emit(message)

        self.client.on_collect(event, handle)

    async def answer(self, event: str, make: Callable[[Message], Message]) -> None:
        async def handle(question: Message) -> None:
            await self.client.emit(make(question))

        self.client.on(event, handle)


Kind = Callable[..., SyncDriver]


@contextlib.asynccontextmanager
async def running(kind: Kind, port: int, **options: Any) -> AsyncIterator[SyncDriver]:
    """A client that is connected, and closed at the end."""
    client = kind(port, **options)
    try:
        await client.start()
        await client.wait_until_connected()
        yield client
    finally:
        await client.close()


def asynchronous(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run a test that is a coroutine function in an event loop of its own."""

    async def with_threads(**fixtures: Any) -> None:
        # As many waits at a time as a test may have.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(32))
        await test(**fixtures)

    @functools.wraps(test)
    def run(**fixtures: Any) -> None:
        asyncio.run(with_threads(**fixtures))

    return run
