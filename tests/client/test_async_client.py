"""The asynchronous client: what only it has. The rest is in test_both_clients.py."""

from __future__ import annotations

import asyncio
import gc
import logging
import subprocess
import sys
from pathlib import Path

import pytest
from pyee.base import EventEmitter

from ovos_bus_client import Message
from ovos_bus_client.client import AsyncMessageBusClient
from ovos_bus_client.client import async_client as module
from ovos_bus_client.errors import ClientClosed
from tests.support.drivers import TIMEOUT, asynchronous
from tests.support.processes import ROOT, Daemon, environment

Records = list[logging.LogRecord]


def bus(daemon: Daemon) -> AsyncMessageBusClient:
    return AsyncMessageBusClient("127.0.0.1", daemon.port, "/core", False)


async def beat(client: AsyncMessageBusClient) -> None:
    """Return when everything that was emitted before has been handed out."""
    assert await client.wait_for_response(Message("beat"), "beat", TIMEOUT) is not None


@asynchronous
async def test_it_is_a_context(daemon: Daemon) -> None:
    """`async with` connects, and closes at the end, also when an error ends it."""
    async with bus(daemon) as client:
        assert client.connected_event.is_set()
        assert await client.connect() is True
    assert not client.connected_event.is_set()
    with pytest.raises(ZeroDivisionError):
        async with bus(daemon) as client:
            raise ZeroDivisionError
    with pytest.raises(ClientClosed):
        await client.connect()
    with pytest.raises(ClientClosed):
        await client.run_forever()


@asynchronous
async def test_handlers_may_be_functions_or_coroutine_functions(daemon: Daemon) -> None:
    """Both are called with the message, in the loop."""
    async with bus(daemon) as client:
        loop, calls = asyncio.get_running_loop(), asyncio.Queue[str]()

        def function(message: Message) -> None:
            assert asyncio.get_running_loop() is loop
            calls.put_nowait("function")

        async def coroutine(message: Message) -> None:
            assert asyncio.get_running_loop() is loop
            await calls.put("coroutine")

        client.on("t", function)
        client.on("t", coroutine)
        client.once("t", coroutine)
        await client.emit(Message("t"))
        found = {await asyncio.wait_for(calls.get(), TIMEOUT) for _ in range(2)}

        assert found == {"function", "coroutine"}


@asynchronous
async def test_an_error_in_a_coroutine_is_told(daemon: Daemon, silence: Records) -> None:
    """The log names the type and the handler, and the local event `error` gets the exception."""
    async with bus(daemon) as client:
        errors = asyncio.Queue[BaseException]()

        async def stumble(message: Message) -> None:
            await asyncio.sleep(0)
            raise ValueError("stumbled")

        client.on("error", errors.put_nowait)
        client.on("t", stumble)
        await client.emit(Message("t"))

        assert repr(await asyncio.wait_for(errors.get(), TIMEOUT)) == "ValueError('stumbled')"
        await beat(client)
        assert errors.empty()
    (record,) = silence
    assert "stumble of 't' failed" in record.getMessage()
    silence.clear()


@asynchronous
async def test_an_error_that_an_emitter_lets_pass_does_not_end_the_reading(
    daemon: Daemon, silence: Records
) -> None:
    """With an emitter that calls at once and raises, a failure costs a line in the log."""
    client = AsyncMessageBusClient("127.0.0.1", daemon.port, "/core", False, EventEmitter())
    async with client:

        def stumble(message: Message) -> None:
            raise ValueError("stumbled")

        client.on("t", stumble)
        await client.emit(Message("t"))
        await beat(client)
        assert client.connected_event.is_set()
    (record,) = silence
    assert "stumbled" in record.getMessage()
    silence.clear()


@asynchronous
async def test_messages_can_be_looped_over(daemon: Daemon) -> None:
    """`messages` yields those of its types, in the order of the bus, until the client closes."""
    async with bus(daemon) as client, bus(daemon) as other:
        found: list[int] = []

        async def loop() -> str:
            async for message in client.messages("a", "b"):
                found.append(message.data["n"])
                if len(found) == 100:
                    await client.close()
            return "ended"

        task = asyncio.ensure_future(loop())
        await beat(client)
        assert await client.flush(TIMEOUT)  # the bus knows that it listens
        for n in range(100):
            await other.emit(Message("ab"[n % 2], {"n": n}))
            await other.emit(Message("c", {"n": -1}))

        assert await asyncio.wait_for(task, TIMEOUT) == "ended"
        assert found == list(range(100))
        assert not set(client._dispatch._taps) & {"a", "b"}


@asynchronous
async def test_a_loop_over_messages_can_be_left(daemon: Daemon) -> None:
    """Whoever leaves the loop, or is cancelled in it, listens no more."""
    async with bus(daemon) as client:
        messages = client.messages("t")
        first = asyncio.ensure_future(anext(messages))
        await beat(client)
        await client.emit(Message("t", {"n": 1}))
        assert (await asyncio.wait_for(first, TIMEOUT)).data == {"n": 1}
        await messages.aclose()  # type: ignore[attr-defined]
        waiting = asyncio.ensure_future(anext(client.messages("t")))
        await beat(client)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

        assert "t" not in client._dispatch._taps


@asynchronous
async def test_a_loop_that_does_not_keep_up_loses_the_oldest(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch, silence: Records
) -> None:
    """Beyond what may wait, the oldest go, which is said once."""
    monkeypatch.setattr(module, "MAX_WAITING", 3)
    async with bus(daemon) as client:
        messages = client.messages("t")
        first = asyncio.ensure_future(anext(messages))
        await beat(client)
        for n in range(8):
            await client.emit(Message("t", {"n": n}))
        await beat(client)
        await first
        found = [(await anext(messages)).data["n"] for _ in range(3)]
        await messages.aclose()  # type: ignore[attr-defined]

        assert found == [5, 6, 7]
    (record,) = silence
    assert "does not keep up" in record.getMessage()
    silence.clear()


@asynchronous
async def test_a_wait_can_be_cancelled(daemon: Daemon) -> None:
    """Cancelling a task that waits for an answer cancels it, and nobody waits any more."""
    async with bus(daemon) as client:
        task = asyncio.ensure_future(client.wait_for_message("t", None))
        await beat(client)
        assert "t" in client.pending
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

        assert "t" not in client.pending


@asynchronous
async def test_connecting_gives_up_waiting_but_not_trying() -> None:
    """`connect` says after its time that there is no connection yet."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        client = AsyncMessageBusClient("127.0.0.1", server.getsockname()[1], "/core", False)
        assert await client.connect(0.01) is False
        assert client._task is not None
        assert not client._task.done()
        await client.close()
        assert client._task.done()


@asynchronous
async def test_many_may_emit_at_once(daemon: Daemon) -> None:
    """More messages at a time than are kept during an outage all arrive, in order."""
    client = AsyncMessageBusClient("127.0.0.1", daemon.port, "/core", False, max_unsent_messages=20)
    async with client, bus(daemon) as other:
        found: list[int] = []
        other.tap("t", lambda message: found.append(message.data["n"]))
        await asyncio.gather(*(client.emit(Message("t", {"n": n})) for n in range(500)))
        assert await client.wait_for_response(Message("beat"), "beat", TIMEOUT) is not None
        await beat(other)

        assert found == list(range(500))


TRAFFIC = """
import asyncio, sys
from ovos_bus_client import Message
from ovos_bus_client.client import AsyncMessageBusClient

bus = AsyncMessageBusClient("127.0.0.1", int(sys.argv[1]), "/core", False)

async def handler(message):
    started.set()
    await bus.emit(Message("t"))
    await asyncio.sleep(0.01)  # keeps many of them in the loop while it ends

async def main():
    global started
    started = asyncio.Event()
    bus.on("t", handler)
    bus.on("t", lambda message: started.set())
    assert await bus.connect()
    for _ in range(50):
        await bus.emit(Message("t"))
    await started.wait()
"""
RUN = "\nasyncio.run(main())\n"
ALONE = "\nloop = asyncio.new_event_loop()\nloop.run_until_complete(main())\n"
WAITS = """
    asyncio.ensure_future(bus.wait_for_message("never", None))
    asyncio.ensure_future(bus.flush(None))
    asyncio.ensure_future(anext(bus.messages("never")))
    await bus.wait_for_response(Message("beat"), "beat")
"""


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(RUN, id="fall"),
        pytest.param("    sys.exit(0)" + RUN, id="exit"),
        pytest.param("    await bus.close()" + RUN, id="close"),
        pytest.param(WAITS + RUN, id="waits"),
        pytest.param(ALONE, id="loop-is-left"),
        pytest.param(ALONE + "loop.close()\n", id="loop-is-closed"),
        pytest.param(ALONE + "sys.exit(0)\n", id="loop-and-exit"),
    ],
)
def test_a_program_may_end_amid_traffic(end: str, daemon: Daemon, tmp_path: Path) -> None:
    """A program, or its loop, that ends while messages come and go says nothing about it."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", TRAFFIC + end, str(daemon.port)],
        env=environment(tmp_path),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=50,
    )

    assert (done.stdout, done.returncode) == ("", 0)
    if "bus.close()" in end:  # its handlers may still emit, which a closed client mentions once
        assert done.stderr in ("", "the client is closed; 't' is not sent\n")
    else:
        assert done.stderr == ""


@asynchronous
async def test_a_handler_that_never_began_is_not_missed(daemon: Daemon) -> None:
    """A loop that ends between the arrival of a message and its handler leaves no coroutine."""
    client = bus(daemon)

    async def handler(message: Message) -> None:
        raise AssertionError

    client.on("t", handler)
    before = asyncio.all_tasks()
    client.emitter.emit("t", Message("t"))
    (task,) = asyncio.all_tasks() - before
    task.cancel()  # as the end of the loop does
    with pytest.raises(asyncio.CancelledError):
        await task
    del task
    gc.collect()  # Python complains here about a coroutine that nobody waited for
