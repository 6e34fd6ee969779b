"""Faults on purpose: a bus that dies under load, and servers that only seem to live."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import itertools
import logging
import os
import signal
import socket
import struct
import sys
import threading
import time
import tracemalloc
from array import array
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pyee.base import EventEmitter
from websocket import WebSocketApp

from ovos_bus_client import Message, MessageBusClient
from ovos_bus_client._core import backoff
from ovos_bus_client.client import member
from tests.support.drivers import AsyncDriver, Inbox, SyncDriver, asynchronous
from tests.support.impostor import Gone, Guest, Impostor
from tests.support.processes import Daemon

TIMEOUT = 10.0
# 1 s is what the clients promise on an idle machine; a busy one may take longer to run them.
BACK_WITHIN = 5.0
RECONNECTS = int(os.environ.get("OVOS_BUS_TEST_RECONNECTS", "200"))

Connect = Callable[..., MessageBusClient]
Records = list[logging.LogRecord]


@pytest.fixture(autouse=True)
def outages_are_told(silence: Records) -> Iterator[None]:
    """Here each test has its outages, and each outage may be told."""
    yield
    told = [record.getMessage() for record in silence]
    assert all("no connection to ws://127.0.0.1:" in line for line in told), told
    silence.clear()


async def until(condition: Callable[[], bool], timeout: float = TIMEOUT) -> bool:
    """Wait for something that nobody tells about, and return whether it came true."""
    deadline = time.monotonic() + timeout
    while not (true := condition()) and time.monotonic() < deadline:
        await asyncio.sleep(0.01)
    return true


class Talker:
    """A client that talks all the time, once it is told to."""

    def __init__(self, client: SyncDriver, name: str) -> None:
        self.client, self.name = client, name
        self.count = 0
        self.opened: list[float] = []  # when
        self._over = False
        self._task: asyncio.Task[None] | None = None

    async def join(self) -> None:
        """Connect."""
        await self.client.on("open", lambda: self.opened.append(time.monotonic()))
        await self.client.start()
        assert await until(lambda: len(self.opened) == 1)

    def talk(self) -> None:
        """Begin to talk."""
        self._task = asyncio.ensure_future(self._talk())

    async def _talk(self) -> None:
        while not self._over:
            await self.client.emit(Message("load", {"who": self.name, "n": self.count}))
            self.count += 1
            await asyncio.sleep(0.001)

    async def stop(self) -> None:
        """Return when it has said its last."""
        assert self._task is not None
        self._over = True
        await asyncio.wait_for(self._task, TIMEOUT)


@pytest.mark.parametrize("kind", [SyncDriver, AsyncDriver], ids=["sync", "async"])
@asynchronous
async def test_a_bus_that_is_killed_under_load_loses_nothing(
    kind: type[SyncDriver],
    start_daemon: Callable[..., Daemon],
    record_property: Callable[[str, object], None],
) -> None:
    """Killed and restarted under load: all comes, in each sender's order, and all are back soon."""
    daemon = start_daemon()
    async with contextlib.AsyncExitStack() as stack:
        clients = [Talker(kind(daemon.port), str(n)) for n in range(5)]
        for client in clients:
            stack.push_async_callback(client.client.close)
            await client.join()
        listener, *senders = clients
        heard: dict[str, list[int]] = {sender.name: [] for sender in senders}

        def note(message: Message) -> None:
            heard[message.data["who"]].append(message.data["n"])

        await listener.client.tap("load", note)
        for sender in senders:
            sender.talk()
        assert await until(lambda: all(len(numbers) > 50 for numbers in heard.values()))
        daemon.signal(signal.SIGKILL)
        await asyncio.to_thread(daemon.wait)
        before = {sender.name: sender.count for sender in senders}
        assert await until(lambda: all(s.count >= before[s.name] + 50 for s in senders))
        await asyncio.to_thread(start_daemon, port=daemon.port)
        ready_at = time.monotonic()
        assert await until(lambda: all(len(client.opened) == 2 for client in clients))
        back = max(client.opened[1] for client in clients) - ready_at
        for sender in senders:
            await sender.stop()
        last = {sender.name: sender.count - 1 for sender in senders}
        assert await until(lambda: all(heard[k][-1] == last[k] for k in heard), 2 * TIMEOUT), {
            k: (last[k], heard[k][-1]) for k in heard
        }

    for name, numbers in heard.items():
        assert sorted(set(numbers)) == list(range(last[name] + 1))
        firsts = list(dict.fromkeys(numbers))
        assert firsts == sorted(firsts)
    print(f"all clients were back {back:.3f} s after the bus said that it listens")
    record_property("back_after_seconds", round(back, 3))
    assert back < BACK_WITHIN


@pytest.mark.parametrize("kind", ["sync", "async"])
@asynchronous
async def test_a_reset_amid_a_frame_is_an_outage(kind: str, make_client: Connect) -> None:
    """Half a frame and a RST: the half is forgotten, and the next connection is a fresh one."""
    first = iter([True])

    def serve(guest: Guest) -> None:
        guest.shake_hands()
        guest.read_frame()
        if next(first, False):
            guest.socket.sendall(b"\x81\x7e\x10\x00" + b'{"type":"half')
            guest.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return
        guest.say("whole", n=1)
        guest.read_until_closed()

    inbox = Inbox()
    with Impostor(serve) as server:
        if kind == "async":
            driver = AsyncDriver(server.port)
            await driver.on("whole", inbox)
            await driver.start()
            assert await inbox.take_data(1) == [1]
            await driver.close()
        else:
            client = make_client(server.port)
            client.on("whole", inbox)
            client.run_in_thread()
            assert await inbox.take_data(1) == [1]
            client.close()


@pytest.mark.parametrize("kind", [SyncDriver, AsyncDriver], ids=["sync", "async"])
@pytest.mark.parametrize("emits", [0, 3])
@asynchronous
async def test_a_bus_that_greets_and_says_nothing_is_a_quiet_bus(
    emits: int, kind: type[SyncDriver]
) -> None:
    """Silence alone is no outage: the client stays connected, and can be closed at once."""

    def serve(guest: Guest) -> None:
        guest.shake_hands()
        guest.say("connected")
        while True:
            opcode, payload = guest.read_frame()
            if opcode in (8, 9):
                guest.send(payload, {8: 8, 9: 10}[opcode])

    with Impostor(serve) as server:
        client, greeting = kind(server.port), Inbox()
        await client.on("connected", greeting)
        await client.start()
        await greeting.take()
        for n in range(emits):
            await client.emit(Message("t", {"n": n}))
        assert await client.flush(TIMEOUT)
        assert await client.wait_for_response(Message("q"), timeout=0.05) is None
        assert client.connected
        begun = time.monotonic()
        await client.close()
        assert time.monotonic() - begun < BACK_WITHIN


class Growth:
    """
    What a client is made of, measured each time that it has connected.

    Memory is what Python holds after a garbage collection (by `tracemalloc`), at eight times that
    are spread over the run: a collection takes longer than a connection.

    Args:
        connections: How many connections there will be.
    """

    LOOKS = 8

    def __init__(self, connections: int) -> None:
        self.over = threading.Event()
        self._connections = connections
        # Plain numbers in memory that is there from the start: what is measured is the client.
        self._figures = {name: array("q", bytes(8 * connections)) for name in self.NAMES}
        self._memory = array("q", bytes(8 * self.LOOKS))
        self._looks = [connections * (n + 1) // self.LOOKS - 1 for n in range(self.LOOKS)]
        self._at = 0

    NAMES = ("stack", "threads", "files")

    def note(self, *args: object) -> None:
        """Take the figures of this connection."""
        at, self._at = self._at, self._at + 1
        if at >= self._connections:
            return
        depth, frame = 0, sys._getframe()
        while frame.f_back is not None:
            depth, frame = depth + 1, frame.f_back
        del frame
        self._figures["stack"][at] = depth
        self._figures["threads"][at] = threading.active_count()
        self._figures["files"][at] = len(os.listdir("/proc/self/fd"))
        if at in self._looks:
            gc.collect()
            self._memory[self._looks.index(at)] = tracemalloc.get_traced_memory()[0]
        if at == self._connections - 1:
            self.over.set()

    def of(self, name: str) -> int:
        """Return how much the highest figure of the second half is above that of the first."""
        half = self._connections // 2
        figures = self._figures[name]
        return max(figures[half:]) - max(figures[:half])

    def of_memory(self) -> tuple[int, int]:
        """
        Return how many bytes more there are near the end than near the beginning, and between how
        many connections. What is in flight comes and goes, so each is the least of two looks; the
        very first look is left out, because caches fill up.
        """
        first, last = min(self._memory[1:3]), min(self._memory[6:])
        return last - first, self._looks[6] - self._looks[2]


# Whatever a client could keep of a connection, a frame, a socket, a future, has hundreds of bytes,
# and the smallest object there is has 16. A cache that fills late may take some, but once; asyncio
# keeps up to a hundred timers that were cancelled, of some 150 bytes each.
LEFT_BEHIND_BYTES, CACHE_BYTES = 16, {"sync": 4096, "async": 20 * 1024}


@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", ["sync", "async"])
@asynchronous
async def test_outages_leave_nothing_behind(
    kind: str,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Callable[[str, object], None],
) -> None:
    """Connecting again and again grows neither stack nor threads nor open files nor memory."""
    monkeypatch.setattr(backoff, "FIRST", 0.0005)
    monkeypatch.setattr(member, "LASTING", 0.0)  # each is an outage of its own
    growth = Growth(RECONNECTS)
    # Not an Impostor, which has a thread for each connection: what is counted is the client's.
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]

    def serve() -> None:
        while True:
            try:
                sock, _ = listening.accept()
            except OSError:
                return
            with sock, contextlib.suppress(Gone):
                guest = Guest(sock)
                guest.shake_hands()
                guest.read_frame()  # now it is open
                if growth.over.is_set():
                    guest.read_until_closed()

    thread = threading.Thread(target=serve)
    thread.start()
    # Each outage is told, and whoever runs the tests keeps what is told.
    logging.disable(logging.WARNING)
    tracemalloc.start()
    try:
        if kind == "async":
            driver = AsyncDriver(port)
            driver.client.on("open", growth.note)
            await driver.start()
            assert await asyncio.to_thread(growth.over.wait, 600)
            assert await driver.client.connect(TIMEOUT)
            await driver.close()
        else:
            client = MessageBusClient("127.0.0.1", port, "/core", False, emitter=EventEmitter())
            client.on("open", growth.note)
            client.run_in_thread()
            while not growth.over.wait(0.05):
                assert client._runner is not None
                assert client._runner.is_alive()
            assert client.connected_event.wait(TIMEOUT)
            client.close()
    finally:
        tracemalloc.stop()
        logging.disable(logging.NOTSET)
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(TIMEOUT)

    left, between = growth.of_memory()
    print(f"{between} of {RECONNECTS} connections left {left} bytes behind")
    record_property("bytes_left_behind", left)
    assert growth.of("stack") <= 0
    assert growth.of("threads") <= 1
    assert growth.of("files") <= 3
    assert left <= max(LEFT_BEHIND_BYTES * between, CACHE_BYTES[kind])


# ---------------------------------------------------------------------- HiveMind's subclass


class Hive(MessageBusClient):
    """What HiveMind's client overrides of ours, by the description of the contract."""

    def __init__(self, port: int) -> None:
        self.made = 0
        super().__init__(host="127.0.0.1", port=port, ssl=False, emitter=EventEmitter())

    @staticmethod
    def build_url(key: str, host: str = "127.0.0.1", port: int = 5678, ssl: bool = True) -> str:  # type: ignore[override]
        return f"{'wss' if ssl else 'ws'}://{host}:{port}?authorization={key}"

    def create_client(self) -> WebSocketApp:
        self.made += 1
        return WebSocketApp(
            self.build_url("key", self.config.host, self.config.port, self.config.ssl),
            on_open=self.on_open,
            on_close=self.on_close,
            on_error=self.on_error,
            on_message=self.on_message,
        )

    def run_forever(self) -> None:
        self.started_running = True
        self.client.run_forever(sslopt={})

    def on_open(self, *args: Any) -> None:
        self.connected_event.set()
        self.emitter.emit("open")
        self.retry = 5

    def on_error(self, *args: Any) -> None:
        super().on_error(*args)

    def on_close(self, *args: Any) -> None:
        super().on_close(*args)

    def on_message(self, *args: Any) -> None:
        message = Message.deserialize(args[-1])
        self.emitter.emit(message.msg_type, message)

    def emit(self, message: Any) -> None:
        self.client.send(message.serialize())

    def on(self, event_name: str, func: Callable[..., Any], **_: Any) -> None:
        self.emitter.on(event_name, func)

    def remove(self, event_name: str, func: Callable[..., Any]) -> None:
        self.emitter.remove_listener(event_name, func)


@pytest.mark.parametrize("blocking", [False, True], ids=["run_in_thread", "run_forever"])
def test_hivemind_is_brought_back(blocking: bool) -> None:
    """A subclass with a `run_forever` of its own is connected anew by `on_error`."""
    connections = itertools.count()

    def serve(guest: Guest) -> None:
        guest.shake_hands()
        assert "?authorization=key" in guest.request
        opcode, payload = guest.read_frame()
        guest.send(payload, opcode)
        if next(connections) < 3:
            return
        guest.read_until_closed()

    with Impostor(serve) as server:
        client, opened, echoes = Hive(server.port), threading.Semaphore(0), threading.Semaphore(0)

        def note(message: Message) -> None:
            echoes.release()

        client.on("open", opened.release)
        client.on("hive", note)
        if blocking:
            thread = threading.Thread(target=client.run_forever)
            thread.start()
        else:
            thread = client.run_in_thread()
        for n in range(4):
            assert opened.acquire(timeout=TIMEOUT)
            assert client.connected_event.is_set()
            client.emit(Message("hive", {"n": n}))
            assert echoes.acquire(timeout=TIMEOUT)
        assert client.made == 4
        client.remove("hive", note)
        begun = time.monotonic()
        client.close()
        thread.join(TIMEOUT)
        assert time.monotonic() - begun < 4
        assert not thread.is_alive()
        assert not client.connected_event.is_set()
