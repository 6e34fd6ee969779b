"""
Our two clients, who ask each other all the time and keep their connections.

    python -m tests.hostile.household PORT

What goes wrong is printed, a line for each. SIGTERM ends it, and it tells how often was asked.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from typing import Any

from ovos_bus_client import Message, MessageBusClient
from ovos_bus_client.client import AsyncMessageBusClient

# Seconds between two questions, and how long an answer may take while the bus is attacked.
INTERVAL = 0.1
PATIENCE = 30.0


async def live(port: int) -> None:
    """Ask until somebody says that it is over."""
    over = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)
    plain = MessageBusClient("127.0.0.1", port)
    plain.run_in_thread()
    asked = 0
    async with AsyncMessageBusClient("127.0.0.1", port) as asynchronous:

        async def answer(question: Message) -> None:
            await asynchronous.emit(question.response())

        plain.on("household.plain", lambda question: plain.emit(question.response()))
        asynchronous.on("household.asynchronous", answer)
        for name, client in ("plain", plain), ("asynchronous", asynchronous):
            client.on("close", lambda *_, name=name: print(f"{name} lost its connection"))
        while not over.is_set():
            question = Message("household.asynchronous", {"n": asked})
            check(
                question, await asyncio.to_thread(plain.wait_for_response, question, None, PATIENCE)
            )
            question = Message("household.plain", {"n": asked})
            check(question, await asynchronous.wait_for_response(question, None, PATIENCE))
            asked += 1
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(over.wait(), INTERVAL)
    plain.close()
    print(f"asked {asked} times")


def check(question: Message, answer: Any) -> None:
    if answer is None:
        print(f"{question.msg_type} {question.data} was not answered in {PATIENCE:.0f} s")


if __name__ == "__main__":
    asyncio.run(live(int(sys.argv[1])))
