"""What attacks share: the daemon's numbers, and crowds of threads."""

from __future__ import annotations

import re
import select
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection

from tests.support.rawsocket import RawClient


def count(port: int, name: str) -> int:
    """Return one of the daemon's numbers, from its page for Prometheus."""
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    found = re.search(rf"^ovos_bus_{name}(?:_total)? (\S+)$", text, re.MULTILINE)
    assert found is not None, name
    return int(float(found[1]))


def swallow(client: RawClient, until: threading.Event) -> None:
    """Read whatever comes and forget it."""
    while not until.is_set():
        try:
            if select.select([client.socket], [], [], 0.1)[0] and not client.socket.recv(1 << 20):
                return
        except (OSError, ValueError):  # closed by the other side, or by ours
            return


@contextmanager
def crowd(size: int, work: Callable[[int], None]) -> Iterator[None]:
    """Let so many threads work, each with its number, and wait for them at the end."""
    faults: list[BaseException] = []

    def run(number: int) -> None:
        try:
            work(number)
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(size)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for thread in threads:
            thread.join()
    assert not faults, faults
