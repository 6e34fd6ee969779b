"""Watch the bus: show what passes, and be back as soon as the bus is."""

from __future__ import annotations

import time
from collections.abc import Iterator

from ovos_bus_monitor.address import Address
from ovos_bus_monitor.choice import Choice
from ovos_bus_monitor.errors import Lost, Refused, Unreachable
from ovos_bus_monitor.link import Link
from ovos_bus_monitor.output import Output, note
from ovos_bus_monitor.seen import Sighting

# The first retry comes before anybody notices; the last is rare enough for a Raspberry Pi and
# soon enough for somebody who watches the bus start.
FIRST_RETRY_SECONDS, LAST_RETRY_SECONDS = 0.1, 2.0

# A bus on the local network answers in milliseconds; a host that swallows packets never does.
CONNECT_TIMEOUT_SECONDS = 5.0


def watch(address: Address, choice: Choice, output: Output, count: int | None = None) -> None:
    """
    Show the messages of ``choice`` in the order of the bus.

    Args:
        address: Where the bus is; waited for when it is not there, or no more.
        choice: What is shown.
        output: Where it is shown.
        count: Return after so many shown lines; ``None`` goes on until interrupted.

    Raises:
        BrokenPipeError: If whoever read the output has left.
    """
    shown = 0
    for sighting in _sightings(address, choice, output):
        if choice.takes(sighting):
            output.show(sighting)
            shown += 1
        if shown == count:
            return


def retry_delays() -> Iterator[float]:
    """Yield the seconds to wait before each attempt to connect again: doubling, with an end."""
    delay = FIRST_RETRY_SECONDS
    while True:
        yield delay
        delay = min(2 * delay, LAST_RETRY_SECONDS)


def _sightings(address: Address, choice: Choice, output: Output) -> Iterator[Sighting]:
    """Yield what passes, over as many connections as it takes."""
    delays = retry_delays()
    told = ""  # what was last said of a bus that is not there
    while True:
        try:
            link = Link.open(address, CONNECT_TIMEOUT_SECONDS, choice.wanted)
        except Unreachable as trouble:
            waiting = _waiting(trouble)
            if waiting != told:
                note(waiting)
                told = waiting
            output.wait(None, next(delays))
            continue
        note(f"connected to {address.url}")
        told = ""
        since = time.monotonic()
        try:
            while True:
                output.wait(link)
                yield link.receive()
        except Lost as loss:
            note(f"lost the connection to {address.url} ({loss.reason}); reconnecting")
        finally:
            link.close()
        # A bus that takes us in only to throw us out is not asked ten times a second.
        if time.monotonic() - since > LAST_RETRY_SECONDS:
            delays = retry_delays()
        output.wait(None, next(delays))


def _waiting(trouble: Unreachable) -> str:
    if isinstance(trouble, Refused):
        return f"waiting for the bus: {trouble}"
    return f"waiting for the bus at {trouble.url} ({trouble.reason})"
