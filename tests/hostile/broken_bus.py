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
kept: list[tuple[str, str]] = []
ballast: list[bytes] = []
numbers = itertools.count()


def lose(bus: Bus, text: str, type_: str, more: bool = False) -> int:
    return len(text) if next(numbers) % 50 == 7 else publish(bus, text, type_)


def double(bus: Bus, text: str, type_: str, more: bool = False) -> int:
    if next(numbers) == 7:
        publish(bus, text, type_)
    return publish(bus, text, type_)


def swap(bus: Bus, text: str, type_: str, more: bool = False) -> int:
    if next(numbers) < 4:
        kept.append((text, type_))
        return len(text)
    while kept:
        publish(bus, *kept.pop())
    return publish(bus, text, type_)


def stand_still(bus: Bus, text: str, type_: str, more: bool = False) -> int:
    if next(numbers) == 0:
        time.sleep(1.5)
    return publish(bus, text, type_)


def grow(bus: Bus, text: str, type_: str, more: bool = False) -> int:
    if next(numbers) == 0:
        ballast.append(os.urandom(32 << 20))
    return publish(bus, text, type_)


def die(bus: Bus, text: str, type_: str, more: bool = False) -> int:
    os._exit(3)


def turn_away(bus: Bus, text: str, type_: str, more: bool = False) -> int:
    BusSocket.prepare = lambda self: self.send_error(503)  # type: ignore[method-assign]
    return publish(bus, text, type_)


def complain(bus: Bus, text: str, type_: str, more: bool = False) -> int:
    if next(numbers) == 0:
        logs.logging.getLogger("ovos_bus").error("something is wrong inside")
    return publish(bus, text, type_)


def cut_off(bus: Bus, text: str, type_: str, more: bool = False) -> int:
    if next(numbers) == 0:
        min(bus._connections, key=lambda connection: connection.who.number).cut()  # a witness
    return publish(bus, text, type_)


FAULTS: dict[str, Callable[..., int]] = {
    fault.__name__: fault
    for fault in (lose, double, swap, stand_still, grow, die, turn_away, complain, cut_off)
}


def main() -> int:
    fault = FAULTS[sys.argv[1]]

    def wait_for_trigger(bus: Bus, text: str, type_: str, more: bool = False) -> int:
        if type_ == "trigger":
            Bus.publish = fault  # type: ignore[method-assign]
        return publish(bus, text, type_)

    Bus.publish = wait_for_trigger  # type: ignore[method-assign]
    return cli.main(sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
