"""What a program says last: it reaches everybody, however the program ends."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from tests.support.processes import Daemon, Program, environment
from tests.support.rawsocket import RawClient

# Some 200 KB: more than the daemon reads at once, and less than systems hold for one connection.
SHORT = 1200
# What is said while the bus reads.
LONG = 10_000

START = """
import asyncio, os, signal, sys
from ovos_bus_client import AsyncMessageBusClient, Message, MessageBusClient
port, number, pid = map(int, sys.argv[1:])
def say():
    for n in range(number):
        yield Message("last.words", {"n": n})
def stop():
    if pid:
        os.kill(pid, signal.SIGSTOP)
"""

SYNC = f"""{START}
bus = MessageBusClient("127.0.0.1", port)
bus.run_in_thread()
assert bus.connected_event.wait(20)
stop()
for message in say():
    bus.emit(message)
"""

ASYNC = f"""{START}
async def main():
    bus = AsyncMessageBusClient("127.0.0.1", port)
    assert await bus.connect(20)
    stop()
    for message in say():
        await bus.emit(message)
    END
asyncio.run(main())
"""

WAYS = {
    "close": f"{SYNC}bus.close()",
    "exit": SYNC,
    "killed": f"{SYNC}os.kill(os.getpid(), signal.SIGKILL)",
    "async close": ASYNC.replace("END", "await bus.close()"),
    "async exit": ASYNC.replace("END", "pass"),
    "flush": f"{SYNC}assert bus.flush(60)\nbus.close()",
    "async flush": ASYNC.replace("END", "assert await bus.flush(60)\n    await bus.close()"),
}


def heard_by(hearer: RawClient, number: int) -> list[int]:
    numbers: list[int] = []
    while len(numbers) < number:
        message = json.loads(hearer.read_text())
        if message["type"] == "last.words":
            numbers.append(message["data"]["n"])
    return numbers


@pytest.mark.parametrize("way", [way for way in WAYS if "flush" not in way])
def test_what_has_left_a_program_that_ends_is_heard(
    daemon: Daemon, tmp_path: Path, way: str
) -> None:
    """Also by a bus that had no time to read until the program was gone."""
    with RawClient(daemon.port) as hearer:
        arguments = ("-c", WAYS[way], str(daemon.port), str(SHORT), str(daemon.pid))
        program = Program(arguments, environment(tmp_path))
        try:
            program.wait(60)
        finally:
            daemon.signal(signal.SIGCONT)
            program.stop()
        assert "Traceback" not in program.output

        assert heard_by(hearer, SHORT) == list(range(SHORT))


@pytest.mark.parametrize("way", [way for way in WAYS if "flush" in way])
def test_whatever_is_said_before_a_flush_is_heard(daemon: Daemon, tmp_path: Path, way: str) -> None:
    """However much that is, and whatever of it comes back unread."""
    with RawClient(daemon.port) as hearer:
        arguments = ("-c", WAYS[way], str(daemon.port), str(LONG), "0")
        program = Program(arguments, environment(tmp_path))
        hearer.socket.settimeout(60)

        assert heard_by(hearer, LONG) == list(range(LONG))
        assert program.wait(60) == 0
        program.stop()
