"""
How much work is it for the bus to pass a message on to everybody, and how long does it take?

One client of twenty speaks, and all twenty receive, as when a skill speaks in a running
assistant. A daemon is started for each run, and plain sockets measure, with messages of 1 KiB:

* deliveries per second: one client speaks as fast as the bus takes it;
* CPU time of the daemon for each delivery, during the same flood;
* how long a lone message takes, to the client that sent it and to the last that receives it.
  The time in which the load reads its sockets one after the other is part of the latter.

Every byte that every client receives is compared with what was sent: a bus that loses, alters,
doubles or reorders anything gets no figures.

    python -m benchmarks.fanout             this bus
    python -m benchmarks.fanout --peer      and the one that installations run today
    python -m benchmarks.fanout --quick     does the measurement itself work?
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

FIGURES = (
    Figure("deliveries_per_s", "deliveries per second", Better.MORE),
    Figure("cpu_us_per_delivery", "daemon CPU per delivery, us", Better.LESS, digits=2),
    Figure("self_p50_us", "lone message to oneself, p50, us", Better.LESS),
    Figure("self_p99_us", "lone message to oneself, p99, us", Better.LESS),
    Figure("last_p50_us", "lone message to the last, p50, us", Better.LESS),
    Figure("last_p99_us", "lone message to the last, p99, us", Better.LESS),
)

# The kernel counts CPU time in ticks of 10 ms: over two seconds that is half a percent.
FLOOD_SECONDS = 2.0

# A bus that has just started still imports and allocates; these are not counted.
WARM_UP_MESSAGES = 50

MICROSECONDS = 1e6


@dataclass(frozen=True, slots=True)
class Settings:
    """What one run does."""

    clients: int
    size: int  #: of a message, in bytes
    messages: int | None  #: in the flood; ``None`` floods for `FLOOD_SECONDS`
    lone: int  #: messages sent one by one
    runs: int


def measure(bus: buses.Bus, settings: Settings) -> report.Values:
    """
    Take all figures of one running bus.

    Raises:
        BenchError: A client did not get exactly what was sent.
    """
    payload = message(settings.size)
    with Crowd(bus.host, bus.port, bus.route, settings.clients, payload) as crowd:
        crowd.lone(WARM_UP_MESSAGES if settings.messages is None else 1)
        lone = crowd.lone(settings.lone)
        used = cpu_seconds(bus.pid)
        flood = crowd.flood(settings.messages, FLOOD_SECONDS)
        used = cpu_seconds(bus.pid) - used
    deliveries = flood.messages * settings.clients
    return {
        "messages": flood.messages,
        "deliveries": deliveries,
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
        clients=arguments.clients,
        size=arguments.size,
        messages=arguments.messages or (200 if quick else None),
        lone=10 if quick else 200,
        runs=arguments.runs or (1 if quick else 3),
    )


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m benchmarks.fanout",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--clients", type=report.positive, default=20, metavar="N")
    made.add_argument(
        "--size", type=int, default=1024, metavar="BYTES", help="of a message (default: 1024)"
    )
    made.add_argument(
        "--messages",
        type=report.positive,
        metavar="N",
        help=f"in the flood (default: what fits into {FLOOD_SECONDS:.0f} s; 200 with --quick)",
    )
    report.common_arguments(made)
    return made


def main(argv: Sequence[str] | None = None) -> int:
    arguments = parser().parse_args(argv)
    settings = settings_from(arguments)
    starters = [buses.ours, buses.today] if arguments.peer else [buses.ours]
    try:
        message(settings.size)
        measured = report.side_by_side(starters, settings.runs, lambda bus: measure(bus, settings))
    except (BenchError, ValueError) as error:
        print(f"benchmarks.fanout: {error}", file=sys.stderr)
        return 1
    print(
        f"{settings.clients} clients, messages of {settings.size} bytes; "
        f"{report.runs_text(settings.runs)}\n"
    )
    report.deliver(arguments, "fanout", asdict(settings), FIGURES, measured)
    return 0


if __name__ == "__main__":
    sys.exit(main())
