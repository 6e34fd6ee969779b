"""
How much work is it for the bus to pass a message on to everybody, and how long does it take?

One client speaks, and all receive, as when a skill speaks in a running assistant. There are 1, 5,
20, 100 and 500 clients, and messages of 200 bytes, 1 KiB, 64 KiB and 1 MiB. A server is started for
each run, and plain sockets measure:

* deliveries per second: one client speaks as fast as the bus takes it;
* CPU time of the server for each delivery, during the same flood;
* how long a lone message takes, to the client that sent it and to the last that receives it.
  The time in which the load reads its sockets one after the other is part of the latter.

Every byte that every client receives is compared with what was sent, in a flood that goes before
the measured one; in that, the bytes are counted. A bus that loses, alters, doubles or reorders
anything gets no figures.

    python -m benchmarks.fanout                     this bus
    python -m benchmarks.fanout --peer              and all others
    python -m benchmarks.fanout --peer today rust   and some
    python -m benchmarks.fanout --quick             does the measurement itself work?
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from benchmarks import buses, report
from benchmarks.errors import BenchError
from benchmarks.figures import Better, Figure, percentile
from benchmarks.load import Crowd, message
from benchmarks.machine import cpu_seconds

CLIENTS = (1, 5, 20, 100, 500)
SIZES = (200, 1024, 64 * 1024, 1024 * 1024)

#: What is measured for longer, as the bars are about it: clients and bytes.
WELL_MEASURED = ((20, 1024), (100, 1024))

MICROSECONDS = 1e6

# A bus that has just started still imports and allocates; these are not counted.
WARM_UP_MESSAGES = 20


@dataclass(frozen=True, slots=True)
class Settings:
    """What one run does."""

    clients: Sequence[int]
    sizes: Sequence[int]  #: of a message, in bytes
    seconds: float  #: of a flood; lone messages take at most as long
    long_seconds: float  #: of one of `WELL_MEASURED`
    messages: int | None  #: in a flood; ``None`` floods for the time above
    lone: int  #: messages sent one by one
    long_lone: int
    runs: int


def key(figure: str, clients: int, size: int) -> str:
    """The name of a figure of one cell."""
    return f"{figure}.{clients}x{size}"


def figures(clients: Sequence[int], sizes: Sequence[int]) -> list[Figure]:
    """All figures of a table."""
    found = []
    for number in clients:
        for size in sizes:
            cell = f"{number} x {size_text(size)}"
            for name, title, better, digits in (
                ("deliveries_per_s", "deliveries per second", Better.MORE, 0),
                ("cpu_us_per_delivery", "CPU per delivery, us", Better.LESS, 2),
                ("self_p50_us", "lone message to oneself, p50, us", Better.LESS, 0),
                ("last_p50_us", "lone message to the last, p50, us", Better.LESS, 0),
            ):
                found.append(Figure(key(name, number, size), f"{cell}: {title}", better, digits))
    return found


def size_text(size: int) -> str:
    """A number of bytes for a reader."""
    if size >= 1 << 20 and size % (1 << 20) == 0:
        return f"{size >> 20} MiB"
    return f"{size >> 10} KiB" if size >= 1 << 10 and size % (1 << 10) == 0 else f"{size} B"


def measure(server: buses.Server, settings: Settings) -> report.Values:
    """
    Take all figures of one running server.

    A cell in which it fails has none, and the reason is printed.
    """
    values: dict[str, float] = {}
    for clients in settings.clients:
        sizes = list(settings.sizes)
        while sizes:
            try:
                _measure_sizes(server, settings, clients, sizes, values)
            except (BenchError, OSError) as error:
                # The size that failed is taken out; the others get a new crowd.
                cell = f"{clients} x {size_text(sizes.pop(0))}"
                print(f"{server.name}, {cell}: {error}", file=sys.stderr)
    return values


def _measure_sizes(
    server: buses.Server,
    settings: Settings,
    clients: int,
    sizes: list[int],
    values: dict[str, float],
) -> None:
    """Measure one size after the other with one crowd, and take each out when it is done."""
    with Crowd(
        server.host, server.port, server.route, clients, [message(sizes[0])], server.wire
    ) as crowd:
        while sizes:
            size = sizes[0]
            crowd.speak_of([message(size)])
            found = _measure_cell(server, settings, crowd, clients, size)
            values.update({key(name, clients, size): value for name, value in found.items()})
            sizes.pop(0)


def _measure_cell(
    server: buses.Server, settings: Settings, crowd: Crowd, clients: int, size: int
) -> report.Values:
    well = (clients, size) in WELL_MEASURED
    seconds = settings.long_seconds if well else settings.seconds
    quick = settings.messages is not None
    crowd.lone(1 if quick else WARM_UP_MESSAGES, seconds / 4)
    lone = crowd.lone(settings.long_lone if well else settings.lone, seconds)
    crowd.flood(settings.messages, seconds / 4)
    used = cpu_seconds(server.pid)
    flood = crowd.flood(settings.messages, seconds, check=False)
    used = cpu_seconds(server.pid) - used
    deliveries = flood.messages * clients
    return {
        "messages": flood.messages,
        "deliveries": deliveries,
        "load_busy": flood.busy,
        "deliveries_per_s": deliveries / flood.seconds,
        "cpu_us_per_delivery": used * MICROSECONDS / deliveries,
        "self_p50_us": percentile(lone.to_self, 50) * MICROSECONDS,
        "self_p99_us": percentile(lone.to_self, 99) * MICROSECONDS,
        "last_p50_us": percentile(lone.to_last, 50) * MICROSECONDS,
        "last_p99_us": percentile(lone.to_last, 99) * MICROSECONDS,
    }


def settings_from(arguments: argparse.Namespace) -> Settings:
    """The settings that were asked for, completed with the defaults."""
    quick: bool = arguments.quick
    return Settings(
        clients=arguments.clients or ((1, 5) if quick else CLIENTS),
        sizes=arguments.size or ((1024, 64 * 1024) if quick else SIZES),
        seconds=0.3,
        long_seconds=1.5,
        messages=arguments.messages or (100 if quick else None),
        lone=5 if quick else 20,
        long_lone=5 if quick else 200,
        runs=arguments.runs or (1 if quick else 3),
    )


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m benchmarks.fanout",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--clients", type=report.positive, nargs="+", metavar="N")
    made.add_argument("--size", type=int, nargs="+", metavar="BYTES", help="of a message")
    made.add_argument(
        "--messages",
        type=report.positive,
        metavar="N",
        help="in a flood (default: what fits into its time; 100 with --quick)",
    )
    report.common_arguments(made, list(buses.SERVERS)[1:])
    return made


def main(argv: Sequence[str] | None = None) -> int:
    arguments = parser().parse_args(argv)
    settings = settings_from(arguments)
    starters = report.chosen(arguments.peer, buses.SERVERS)
    try:
        for size in settings.sizes:
            message(size)
        measured = report.side_by_side(starters, settings.runs, lambda bus: measure(bus, settings))
    except (BenchError, ValueError) as error:
        print(f"benchmarks.fanout: {error}", file=sys.stderr)
        return 1
    print(f"clients x size of a message; {report.runs_text(settings.runs)}\n")
    shown = figures(settings.clients, settings.sizes)
    report.deliver(arguments, "fanout", asdict(settings), shown, measured)
    return 0


if __name__ == "__main__":
    sys.exit(main())
