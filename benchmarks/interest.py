"""
What does a message cost that only one of many wants?

Most of what passes on a bus is for one program, and the others receive it to throw it away. A
client that says what it wants is spared that, and so is the server. One client speaks and wants to
hear what it says; 0, 4, 19, 99 and 499 others are connected and want something else. Measured is
the CPU time of the server for each message in a flood: on a bus where everybody hears everything
it grows with those who are connected, elsewhere with those who are interested, who are one.

    python -m benchmarks.interest            this bus, with and without subscriptions
    python -m benchmarks.interest --peer     and all others
    python -m benchmarks.interest --quick    does the measurement itself work?

Those who do not want a message must not receive a byte, or there are no figures.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from benchmarks import buses, report
from benchmarks.errors import BenchError
from benchmarks.figures import Better, Figure
from benchmarks.load import Crowd, message
from benchmarks.machine import cpu_seconds

CLIENTS = (1, 5, 20, 100, 500)

#: The bar is about so many, compared with one.
MANY = 100

GROWTH = Figure("growth", f"CPU of a message with {MANY} clients, x that with 1", Better.LESS, 2)

#: Ours with subscriptions is first, the one that the others are compared with.
SERVERS = {"subscribed": buses.subscribed, **buses.SERVERS}

MICROSECONDS, KIB = 1e6, 1024

# A bus that has just started still imports and allocates; these are not counted.
WARM_UP_MESSAGES = 20


@dataclass(frozen=True, slots=True)
class Settings:
    """What one run does."""

    clients: Sequence[int]
    seconds: float  #: of a flood
    messages: int | None  #: in a flood; ``None`` floods for that time
    runs: int


def key(clients: int) -> str:
    """The name of the figure for so many clients."""
    return f"cpu_us_per_message.{clients}"


def figures(clients: Sequence[int]) -> list[Figure]:
    """All figures of a table."""
    found = [
        Figure(key(number), f"{number} clients, 1 interested: CPU per message, us", Better.LESS, 1)
        for number in clients
    ]
    return [*found, GROWTH] if {1, MANY} <= set(clients) else found


def measure(server: buses.Server, settings: Settings) -> report.Values:
    """
    Take all figures of one running server.

    Raises:
        BenchError: Somebody did not get exactly what they wanted.
    """
    values: dict[str, float] = {}
    for clients in settings.clients:
        payloads = [message(KIB)]
        with Crowd(
            server.host, server.port, server.route, clients, payloads, server.wire, wanting=1
        ) as crowd:
            crowd.lone(WARM_UP_MESSAGES)
            crowd.flood(settings.messages, settings.seconds / 4)
            used = cpu_seconds(server.pid)
            flood = crowd.flood(settings.messages, settings.seconds, check=False)
            used = cpu_seconds(server.pid) - used
        values[key(clients)] = used * MICROSECONDS / flood.messages
    if key(1) in values and key(MANY) in values:
        values[GROWTH.key] = values[key(MANY)] / values[key(1)]
    return values


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m benchmarks.interest",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    report.common_arguments(made, [name for name in buses.SERVERS if name not in ("ours", "limit")])
    return made


def main(argv: Sequence[str] | None = None) -> int:
    arguments = parser().parse_args(argv)
    quick: bool = arguments.quick
    settings = Settings(
        clients=(1, 5) if quick else CLIENTS,
        seconds=0.5,
        messages=50 if quick else None,
        runs=arguments.runs or (1 if quick else 3),
    )
    # Bare sockets know no interest. Ours is there twice: a user may have older clients.
    peers = {name: start for name, start in SERVERS.items() if name not in ("ours", "limit")}
    starters: list[buses.StartServer] = report.chosen(arguments.peer, peers)
    starters.insert(1, buses.ours)
    try:
        measured = report.side_by_side(starters, settings.runs, lambda bus: measure(bus, settings))
    except BenchError as error:
        print(f"benchmarks.interest: {error}", file=sys.stderr)
        return 1
    print(f"messages of 1 KiB; {report.runs_text(settings.runs)}\n")
    report.deliver(arguments, "interest", asdict(settings), figures(settings.clients), measured)
    return 0


if __name__ == "__main__":
    sys.exit(main())
