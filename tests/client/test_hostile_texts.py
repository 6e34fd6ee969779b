"""The receiving side of the library under JSON as a weapon: one bad text costs only itself."""

from __future__ import annotations

import logging
import queue
from collections.abc import Callable

import pytest

from ovos_bus_client import Message, MessageBusClient
from tests.hostile.test_json import CASES
from tests.support.impostor import Guest, Impostor

TEXTS = {name: text for name, text, _, _ in CASES}
WAIT = 40.0


@pytest.mark.timeout(120)
@pytest.mark.parametrize("interested", [True, False])
def test_every_text_is_survived(
    connect: Callable[..., MessageBusClient],
    silence: list[logging.LogRecord],
    interested: bool,
) -> None:
    """Whatever comes, the connection stays and the next message is heard, listened for or not."""
    heard: queue.Queue[Message] = queue.Queue()
    ready = queue.Queue[None]()

    def serve(guest: Guest) -> None:
        guest.shake_hands()
        ready.get()
        for name, text in TEXTS.items():
            guest.send(text.encode())
            guest.say("after", name=name)
        guest.read_until_closed()

    with Impostor(serve) as impostor:
        client = connect(impostor.port)
        dropped: list[object] = []
        client.on("close", dropped.append)
        client.on("after", heard.put, ordered=True)
        if interested:
            for type_ in ("t", "a", "b"):
                client.on(type_, lambda message: None)
        ready.put(None)
        for name in TEXTS:
            assert heard.get(timeout=WAIT).data == {"name": name}
        assert dropped == []
        client.close()

    lines = [record.getMessage() for record in silence]
    assert lines
    assert all(record.levelno == logging.WARNING for record in silence), lines
    assert all(len(line) < 1000 for line in lines), [len(line) for line in lines]
    silence.clear()
