"""
A daemon that is broken on purpose, to see whether the witnesses notice.

    python -m tests.hostile.broken_bus FAULT --port 0

It behaves until somebody says a message of type ``trigger``.
"""

from __future__ import annotations

import itertools
import os
import sys
import time
from collections.abc import Callable

from ovos_bus import cli, logs
from ovos_bus.bus import Bus
from ovos_bus.handler import BusSocket

publish = Bus.publish
kept: list[object] = []
numbers = itertools.count()


def lose(bus: Bus, text: str) -> int:
    return len(text) if next(numbers) % 50 == 7 else publish(bus, text)


def double(bus: Bus, text: str) -> int:
    if next(numbers) == 7:
        publish(bus, text)
    return publish(bus, text)


def swap(bus: Bus, text: str) -> int:
    if next(numbers) < 4:
        kept.append(text)
        return len(text)
    while kept:
        publish(bus, str(kept.pop()))
    return publish(bus, text)


def stand_still(bus: Bus, text: str) -> int:
    if next(numbers) == 0:
        time.sleep(1.5)
    return publish(bus, text)


def grow(bus: Bus, text: str) -> int:
    if next(numbers) == 0:
        kept.append(os.urandom(32 << 20))
    return publish(bus, text)


def die(bus: Bus, text: str) -> int:
    os._exit(3)


def turn_away(bus: Bus, text: str) -> int:
    BusSocket.prepare = lambda self: self.send_error(503)  # type: ignore[method-assign]
    return publish(bus, text)


def complain(bus: Bus, text: str) -> int:
    if next(numbers) == 0:
        logs.logging.getLogger("ovos_bus").error("something is wrong inside")
    return publish(bus, text)


def cut_off(bus: Bus, text: str) -> int:
    if next(numbers) == 0:
        next(iter(bus._connections)).cut()
    return publish(bus, text)


FAULTS: dict[str, Callable[[Bus, str], int]] = {
    fault.__name__: fault
    for fault in (lose, double, swap, stand_still, grow, die, turn_away, complain, cut_off)
}


def main() -> int:
    fault = FAULTS[sys.argv[1]]

    def wait_for_trigger(bus: Bus, text: str) -> int:
        if text.startswith('{"type": "trigger"'):
            Bus.publish = fault  # type: ignore[method-assign]
        return publish(bus, text)

    Bus.publish = wait_for_trigger  # type: ignore[method-assign]
    return cli.main(sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
